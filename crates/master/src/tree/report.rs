//! What nodes report of instances. A report never changes what is asked of them.

use slap::{ComputerId, PartitionId, RequestedState};

use crate::store::{Change, StoreError, Tx};

/// What a node says of an instance.
pub(crate) enum Report<'a> {
    /// It is processed and in this state.
    State(RequestedState),
    /// It, or the shared instance that it hosts, could not be processed.
    Error { log: &'a str, shared_reference: Option<&'a str> },
}

/// So much of an error is kept: its end, which says most.
const KEPT_OF_ERROR: usize = 80;

/// Remembers a report; returns whether there is an instance to report of.
pub(crate) fn report(
    tx: &Tx<'_>,
    computer: &ComputerId,
    partition: &PartitionId,
    report: &Report<'_>,
    now: i64,
) -> Result<bool, StoreError> {
    let Some(instance) = tx.instance_at(computer, partition)? else { return Ok(false) };
    let text = match report {
        Report::State(state) => format!("#access Instance correctly {state}"),
        Report::Error { log, .. } => format!("#error while instanciating: {}", end_of(log)),
    };
    if let Report::Error { shared_reference: Some(reference), .. } = report {
        let shared = tx.hosted_by(instance.id)?.into_iter().find(|shared| shared.reference == *reference);
        if let Some(shared) = &shared {
            tx.set_shared_status(shared.id, &text, now)?;
        }
        return Ok(shared.is_some());
    }
    tx.set_instance_status(instance.id, &text, now)?;
    if instance.status.as_ref() != Some(&text) {
        tx.touch(instance.placement.computer_id, Change::Document)?;
    }
    Ok(true)
}

/// The end of an error, without the characters that no document can carry.
pub(crate) fn end_of(log: &str) -> String {
    let clean: Vec<char> =
        log.trim_end().chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    clean[clean.len().saturating_sub(KEPT_OF_ERROR)..]
        .iter()
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}
