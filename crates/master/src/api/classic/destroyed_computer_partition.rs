//! `POST destroyedComputerPartition`: a node says that an instance is removed. The answer is always 200; the node
//! reports again while the partition stays busy.

use std::sync::Arc;

use axum::extract::State;
use slap::{ComputerId, PartitionId};

use super::{Answer, Outcome};
use crate::api::Fields;
use crate::master::Master;
use crate::tree::destroy::{Destruction, destroyed};

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let computer: ComputerId = fields.parse("computer_id")?;
    let partition: PartitionId = fields.parse("computer_partition_id")?;
    let (computer_id, partition_id) = (computer.clone(), partition.clone());
    let outcome = master.store.write(move |tx| destroyed(tx, &computer_id, &partition_id)).await?;
    Ok(Answer::text(match outcome {
        Destruction::Freed => "OK".to_owned(),
        Destruction::UnknownPartition => format!("Unknown partition '{partition}' on '{computer}'"),
        Destruction::HasChildren(titles) => {
            format!("Not destroying yet because this partition has child partitions: {}", titles.join(", "))
        }
    }))
}
