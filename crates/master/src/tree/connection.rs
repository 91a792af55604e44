//! What instances publish for whoever requested them.

use slap::wire::WireError;
use slap::wire::instance_xml::{self, TextParameters};
use slap::{ComputerId, PartitionId};
use thiserror::Error;

use crate::store::{Change, StoreError, Tx};

/// Why nothing was published.
#[derive(Debug, Error)]
pub(crate) enum PublishError {
    #[error("there is no instance in {partition} of {computer}")]
    NoInstance { computer: ComputerId, partition: PartitionId },
    #[error("{partition} of {computer} hosts no shared instance {reference}")]
    NoShared { computer: ComputerId, partition: PartitionId, reference: String },
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Publishes for the instance in a partition, or for a shared one that it hosts. Nobody is banged: who requested it
/// sees it when asking again.
pub(crate) fn publish(
    tx: &Tx<'_>,
    computer: &ComputerId,
    partition: &PartitionId,
    shared_reference: Option<&str>,
    connection: &TextParameters,
) -> Result<(), PublishError> {
    let (computer_id, partition_id) = (computer.clone(), partition.clone());
    let instance = tx
        .instance_at(computer, partition)?
        .ok_or(PublishError::NoInstance { computer: computer_id, partition: partition_id })?;
    let document = instance_xml::write(connection)?;
    let Some(reference) = shared_reference else {
        if document != instance.connection {
            tx.set_instance_connection(instance.id, &document)?;
            tx.touch(instance.placement.computer_id, Change::Document)?;
        }
        return Ok(());
    };
    let shared =
        tx.hosted_by(instance.id)?.into_iter().find(|shared| shared.reference == reference).ok_or_else(
            || PublishError::NoShared {
                computer: computer.clone(),
                partition: partition.clone(),
                reference: reference.to_owned(),
            },
        )?;
    if document != shared.connection {
        tx.set_shared_connection(shared.id, &document)?;
    }
    Ok(())
}
