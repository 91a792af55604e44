//! Instance trees: what is asked of them, where their members are, and what happens to them.

pub(crate) mod bang;
pub(crate) mod connection;
pub(crate) mod destroy;
pub(crate) mod rename;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod shared;

use slap::{ComputerId, InstanceGuid, PartitionId};

use crate::store::{Change, InstanceRow, Placement, StoreError, Tx};

/// The id that a stand-alone master gives to whatever is in a partition.
pub(crate) fn guid(computer: &ComputerId, partition: &PartitionId) -> InstanceGuid {
    format!("{computer}-{partition}").parse().expect("two ids and a hyphen are an id")
}

/// The title of the tree whose member asks; empty when a person asks, or a partition without an instance.
pub(crate) fn requester_tree(
    tx: &Tx<'_>,
    requester: Option<&(ComputerId, PartitionId)>,
) -> Result<String, StoreError> {
    let Some((computer, partition)) = requester else { return Ok(String::new()) };
    Ok(tx.instance_at(computer, partition)?.map(|instance| instance.tree().to_owned()).unwrap_or_default())
}

/// A timestamp that differs from the one before, even if the clock stands still or goes back.
pub(crate) fn later(now: i64, before: i64) -> i64 {
    now.max(before + 1)
}

/// Has an instance processed again.
pub(crate) fn reprocess(tx: &Tx<'_>, instance: &InstanceRow, now: i64) -> Result<(), StoreError> {
    tx.set_instance_timestamp(instance.id, later(now, instance.timestamp))?;
    tx.touch(instance.placement.computer_id, Change::Demand)
}

/// Removes an instance and frees its partition.
pub(crate) fn vacate(tx: &Tx<'_>, id: i64, placement: &Placement) -> Result<(), StoreError> {
    tx.delete_instance(id)?;
    tx.release_partition(placement.partition_id)?;
    tx.touch(placement.computer_id, Change::Demand)
}
