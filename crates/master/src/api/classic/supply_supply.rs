//! `POST supplySupply`: a release shall be on a computer, or no more.

use std::sync::Arc;

use axum::extract::State;
use slap::{SoftwareState, SoftwareUrl};

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::supply;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer = fields.parse("computer_id")?;
    let (url, state): (SoftwareUrl, SoftwareState) = (fields.parse("url")?, fields.parse("state")?);
    let supplied = url.clone();
    master.store.write(move |tx| supply::supply(tx, &computer, &supplied, state)).await?;
    Ok(Answer::text(format!("Supplied '{url}' to be {state}")))
}
