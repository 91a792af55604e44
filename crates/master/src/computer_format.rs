//! A computer announces its partitions and their addresses.

use std::collections::HashSet;

use slap::{ComputerConfiguration, PartitionConfiguration};

use crate::store::{Change, PartitionRow, StoreError, Tx};
use crate::tree::{reprocess, vacate};

/// Takes over what a computer announces. Listed partitions keep what is on them, unlisted ones are removed with it.
pub(crate) fn format(tx: &Tx<'_>, configuration: &ComputerConfiguration, now: i64) -> Result<(), StoreError> {
    let computer = tx.ensure_computer(&configuration.reference)?;
    tx.set_computer_formatted(computer.id, &configuration.address, &configuration.netmask)?;
    let present = tx.partitions(computer.id)?;
    let listed: HashSet<&str> = configuration.partitions.iter().map(|p| p.reference.as_str()).collect();
    let mut is_changed = !computer.is_formatted;
    for row in present.iter().filter(|row| !listed.contains(row.reference.as_str())) {
        remove(tx, row)?;
        is_changed = true;
    }
    let mut seen: HashSet<&str> = HashSet::new();
    for partition in configuration.partitions.iter().filter(|p| seen.insert(p.reference.as_str())) {
        let row = present.iter().find(|row| row.reference == partition.reference);
        is_changed |= announce(tx, computer.id, row, partition, now)?;
    }
    if is_changed {
        tx.touch(computer.id, Change::Demand)?;
    }
    Ok(())
}

fn announce(
    tx: &Tx<'_>,
    computer: i64,
    present: Option<&PartitionRow>,
    partition: &PartitionConfiguration,
    now: i64,
) -> Result<bool, StoreError> {
    let interface = partition.interface();
    let Some(present) = present else {
        let id = tx.insert_partition(computer, &partition.reference)?;
        tx.set_addresses(id, interface, &partition.addresses)?;
        return Ok(true);
    };
    let announced: Vec<_> = partition
        .addresses
        .iter()
        .map(|(address, netmask)| (interface.to_owned(), address.clone(), netmask.clone()))
        .collect();
    if tx.full_addresses(present.id)? == announced {
        return Ok(false);
    }
    tx.set_addresses(present.id, interface, &partition.addresses)?;
    if let Some(instance) = tx.instance_at(&present.computer, &present.reference)? {
        // It must learn its new addresses.
        reprocess(tx, &instance, now)?;
    }
    Ok(true)
}

fn remove(tx: &Tx<'_>, row: &PartitionRow) -> Result<(), StoreError> {
    if let Some(instance) = tx.instance_at(&row.computer, &row.reference)? {
        tracing::warn!(
            computer.id = %row.computer, partition.id = %row.reference, instance.title = instance.title,
            "a partition is not announced any more; its instance is removed"
        );
        vacate(tx, instance.id, &instance.placement)?;
    }
    tx.delete_partition(row.id)
}
