//! `GET getComputerPartitionStatus`: the last status of an instance.

use std::sync::Arc;

use axum::extract::State;
use slap::{ComputerId, PartitionId};

use super::status_mapping::{LastStatus, mapping};
use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;
use crate::tree::guid;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_id")?;
    let partition: PartitionId = fields.parse("computer_partition_id")?;
    let reference = guid(&computer, &partition);
    let reporter = computer.clone();
    let instance =
        master.store.read(move |tx| tx.instance_at(&computer, &partition)).await.map_err(Refusal::Failed)?;
    let (text, at) = instance.map_or((None, None), |instance| (instance.status, instance.status_at));
    let status = LastStatus {
        reference: reference.as_str(),
        portal_type: "Software Instance",
        reporter: reporter.as_str(),
        text,
        at,
    };
    Answer::marshalled(&mapping(status, master.now()))
}
