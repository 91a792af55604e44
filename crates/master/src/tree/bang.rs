//! Bang: have whole trees processed again.

use slap::{ComputerId, PartitionId};

use super::reprocess;
use crate::store::{Change, StoreError, Tx};

/// Bangs the tree of the instance in a partition; returns whether there is one.
pub(crate) fn bang_instance(
    tx: &Tx<'_>,
    computer: &ComputerId,
    partition: &PartitionId,
    message: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let Some(instance) = tx.instance_at(computer, partition)? else { return Ok(false) };
    tx.set_instance_status(instance.id, &format!("#error bang called: {message}"), now)?;
    bang_tree(tx, instance.tree(), now)?;
    Ok(true)
}

/// Bangs every tree that has an instance on a computer; returns whether the computer is known.
pub(crate) fn bang_computer(
    tx: &Tx<'_>,
    computer: &ComputerId,
    message: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let Some(computer) = tx.computer(computer)? else { return Ok(false) };
    tx.set_computer_status(computer.id, &format!("#error bang: {message}"), now)?;
    let mut trees: Vec<_> = tx.instances_on(computer.id)?.iter().map(|i| i.tree().to_owned()).collect();
    trees.sort_unstable();
    trees.dedup();
    for tree in &trees {
        bang_tree(tx, tree, now)?;
    }
    tx.touch(computer.id, Change::Demand)?;
    Ok(true)
}

fn bang_tree(tx: &Tx<'_>, tree: &str, now: i64) -> Result<(), StoreError> {
    let root = tx.instance("", tree)?;
    for instance in root.iter().chain(&tx.members(tree)?) {
        reprocess(tx, instance, now)?;
    }
    Ok(())
}
