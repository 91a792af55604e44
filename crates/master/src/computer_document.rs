//! Assembles what a node reads about its computer.

use slap::wire::instance_xml;
use slap::{Address, Computer, ComputerId, Partition, PartitionId, Release};

use crate::moment;
use crate::store::{ComputerRow, InstanceRow, SharedRow, StoreError, Tx};
use crate::tree::{guid, shared};

/// Everything that is asked of a computer.
pub(crate) fn computer(tx: &Tx<'_>, row: &ComputerRow) -> Result<Computer, StoreError> {
    let mut addresses = tx.computer_addresses(row.id)?;
    let mut hosted = tx.hosted_on(row.id)?;
    let mut instances = tx.instances_on(row.id)?.into_iter().peekable();
    let mut partitions = Vec::new();
    for partition in tx.partitions(row.id)? {
        // Both lists are in the order of partitions.
        let instance = instances.next_if(|instance| instance.placement.partition_id == partition.id);
        let shared = instance.as_ref().and_then(|instance| hosted.remove(&instance.id)).unwrap_or_default();
        let addresses = addresses.remove(&partition.id).unwrap_or_default();
        partitions.push(assemble(partition.computer, partition.reference, instance, addresses, &shared)?);
    }
    let releases = tx
        .supplies(row.id)?
        .into_iter()
        .map(|supply| Release { url: supply.url, state: supply.state })
        .collect();
    Ok(Computer { id: row.reference.clone(), releases, partitions })
}

/// Everything that is asked of one partition; `None` for an unknown one.
pub(crate) fn partition(
    tx: &Tx<'_>,
    computer: &ComputerId,
    partition: &PartitionId,
) -> Result<Option<Partition>, StoreError> {
    let Some(row) = tx.partition(computer, partition)? else { return Ok(None) };
    let instance = tx.instance_at(computer, partition)?;
    let shared = instance.as_ref().map(|instance| tx.hosted_by(instance.id)).transpose()?.unwrap_or_default();
    assemble(row.computer, row.reference, instance, tx.addresses(row.id)?, &shared).map(Some)
}

fn assemble(
    computer: ComputerId,
    id: PartitionId,
    instance: Option<InstanceRow>,
    addresses: Vec<Address>,
    hosted: &[SharedRow],
) -> Result<Partition, StoreError> {
    let mut partition = Partition::free(computer, id);
    partition.guid = Some(guid(&partition.computer, &partition.id));
    partition.addresses = addresses;
    let Some(instance) = instance else { return Ok(partition) };
    let texts = |document: &str| instance_xml::read(document).map_err(StoreError::content);
    partition.root_title = Some(instance.tree().to_owned());
    partition.requested_state = instance.requested_state;
    partition.parameters = instance_xml::as_parameters(&texts(&instance.parameters)?);
    partition.connection = texts(&instance.connection)?;
    partition.filter = texts(&instance.filter)?;
    partition.timestamp = Some(moment::as_timestamp(instance.timestamp));
    partition.release = Some(instance.url);
    partition.software_type = Some(instance.software_type);
    partition.title = Some(instance.title);
    partition.access_status = instance.status;
    partition.shared_instances = hosted.iter().map(shared::as_seen_by_host).collect::<Result<_, _>>()?;
    Ok(partition)
}
