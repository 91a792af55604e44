//! `POST startedComputerPartition`: a node says that an instance is processed and started.

use std::sync::Arc;

use axum::extract::State;
use slap::RequestedState;

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::tree::report::{Report, report};

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, partition) = (fields.parse("computer_id")?, fields.parse("computer_partition_id")?);
    let (state, now) = (Report::State(RequestedState::Started), master.now());
    master.store.write(move |tx| report(tx, &computer, &partition, &state, now)).await?;
    Ok(Answer::text("Noted"))
}
