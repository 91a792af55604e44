//! A new title for an instance. Members of a tree and what they share follow their renamed root.

use slap::{ComputerId, InstanceTitle, PartitionId};
use thiserror::Error;

use super::shared;
use crate::store::{Change, InstanceRow, StoreError, Tx};

/// Why an instance keeps its title.
#[derive(Debug, Error)]
pub(crate) enum RenameError {
    #[error("Unknown partition '{partition}' on '{computer}'")]
    NoInstance { computer: ComputerId, partition: PartitionId },
    #[error("the title `{title}` is in use")]
    Taken { title: InstanceTitle },
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) fn rename(
    tx: &Tx<'_>,
    computer: &ComputerId,
    partition: &PartitionId,
    title: &InstanceTitle,
) -> Result<(), RenameError> {
    let instance = tx.instance_at(computer, partition)?.ok_or_else(|| RenameError::NoInstance {
        computer: computer.clone(),
        partition: partition.clone(),
    })?;
    if instance.title == title.as_str() {
        return Ok(());
    }
    if tx.instance(&instance.root_title, title.as_str())?.is_some() {
        return Err(RenameError::Taken { title: title.clone() });
    }
    tx.set_instance_title(instance.id, title.as_str())?;
    tx.touch(instance.placement.computer_id, Change::Document)?;
    if instance.root_title.is_empty() {
        follow_root(tx, &instance, title.as_str())?;
    }
    Ok(())
}

fn follow_root(tx: &Tx<'_>, root: &InstanceRow, title: &str) -> Result<(), StoreError> {
    for member in tx.members(&root.title)? {
        tx.touch(member.placement.computer_id, Change::Document)?;
    }
    tx.set_members_root(&root.title, title)?;
    for mut row in tx.shared_of(&root.title)? {
        row.reference = shared::reference(title, &row.title);
        title.clone_into(&mut row.root_title);
        tx.update_shared(&row)?;
        if let Some(host) = tx.instance_by_id(row.host_id)? {
            tx.touch(host.placement.computer_id, Change::Document)?;
        }
    }
    Ok(())
}
