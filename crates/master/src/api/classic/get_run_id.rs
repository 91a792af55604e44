//! `GET getRunId`: the id that this process took at its start, by which a master recognises itself.

use std::sync::Arc;

use axum::extract::State;

use super::Answer;
use crate::master::Master;

pub(super) async fn handle(State(master): State<Arc<Master>>) -> Answer {
    Answer::text(master.run_id.as_str())
}
