//! `GET registerComputerPartition`: everything asked of one partition.

use std::sync::Arc;

use axum::extract::State;
use slap::{ComputerId, PartitionId, wire};

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::computer_document;
use crate::master::Master;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_reference")?;
    let partition: PartitionId = fields.parse("computer_partition_reference")?;
    let unknown = Refusal::NotFound(format!("Unknown partition '{partition}' on '{computer}'"));
    let found = master.store.read(move |tx| computer_document::partition(tx, &computer, &partition)).await;
    let found = found.map_err(Refusal::Failed)?.ok_or(unknown)?;
    Ok(Answer::Document(wire::write_partition(&found).map_err(Refusal::Unwritable)?.into()))
}
