//! `POST computerBang`: everything on a computer shall be processed again.

use std::sync::Arc;

use axum::extract::State;
use slap::wire::Marshalled;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::tree::bang::bang_computer;
use crate::tree::report::end_of;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, now) = (fields.parse("computer_id")?, master.now());
    let message = end_of(fields.get("message").unwrap_or_default());
    master.store.write(move |tx| bang_computer(tx, &computer, &message, now)).await?;
    Answer::marshalled(&Marshalled::text(""))
}
