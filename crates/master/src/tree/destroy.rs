//! The report that an instance is destroyed: its partition becomes free, unless it is the root of others.

use slap::{ComputerId, PartitionId, RequestedState};

use super::vacate;
use crate::store::{Change, StoreError, Tx};

/// What became of a report of destruction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destruction {
    /// The partition is free.
    Freed,
    /// There is no such partition.
    UnknownPartition,
    /// The instance has children, whose destruction is now asked for. Their titles, sorted.
    HasChildren(Vec<String>),
}

pub(crate) fn destroyed(
    tx: &Tx<'_>,
    computer: &ComputerId,
    partition: &PartitionId,
) -> Result<Destruction, StoreError> {
    if tx.partition(computer, partition)?.is_none() {
        return Ok(Destruction::UnknownPartition);
    }
    let Some(instance) = tx.instance_at(computer, partition)? else { return Ok(Destruction::Freed) };
    let children = if instance.root_title.is_empty() { tx.members(&instance.title)? } else { Vec::new() };
    if children.is_empty() {
        vacate(tx, instance.id, &instance.placement)?;
        return Ok(Destruction::Freed);
    }
    for child in children.iter().filter(|child| child.requested_state != RequestedState::Destroyed) {
        tx.set_instance_state(child.id, RequestedState::Destroyed)?;
        tx.touch(child.placement.computer_id, Change::Demand)?;
    }
    Ok(Destruction::HasChildren(children.into_iter().map(|child| child.title).collect()))
}
