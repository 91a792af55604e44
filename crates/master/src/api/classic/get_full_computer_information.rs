//! `GET getFullComputerInformation`, and `getComputerInformation` for old clients: everything asked of a computer.

use std::sync::Arc;

use axum::extract::State;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    Ok(Answer::Document(master.computer_document(&fields.parse("computer_id")?).await?))
}
