//! `POST softwareInstanceBang`: the tree of an instance shall be processed again.

use std::sync::Arc;

use axum::extract::State;
use slap::{ComputerId, PartitionId};

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;
use crate::tree::bang::bang_instance;
use crate::tree::report::end_of;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_id")?;
    let partition: PartitionId = fields.parse("computer_partition_id")?;
    let unknown = Refusal::NotFound(format!("there is no instance in {partition} of {computer}"));
    let (message, now) = (end_of(fields.get("message").unwrap_or_default()), master.now());
    let is_known =
        master.store.write(move |tx| bang_instance(tx, &computer, &partition, &message, now)).await?;
    if is_known { Ok(Answer::text("OK")) } else { Err(unknown) }
}
