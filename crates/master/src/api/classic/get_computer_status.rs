//! `GET getComputerStatus`: the last status of a computer.

use std::sync::Arc;

use axum::extract::State;
use slap::ComputerId;

use super::status_mapping::{LastStatus, mapping};
use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_id")?;
    let wanted = computer.clone();
    let row = master.store.read(move |tx| tx.computer(&wanted)).await.map_err(Refusal::Failed)?;
    let row = row.ok_or_else(|| Refusal::NotFound(format!("{computer} is not registered.")))?;
    let status = LastStatus {
        reference: computer.as_str(),
        portal_type: "Compute Node",
        reporter: computer.as_str(),
        text: row.status,
        at: row.status_at,
    };
    Answer::marshalled(&mapping(status, master.now()))
}
