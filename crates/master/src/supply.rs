//! Supplies: releases asked for on computers, and what the nodes report of them.

use slap::{ComputerId, SoftwareState, SoftwareUrl};

use crate::store::{Change, StoreError, Tx};
use crate::tree::report::end_of;

/// Asks for a release on a computer, or for its removal. The computer need not be known yet.
pub(crate) fn supply(
    tx: &Tx<'_>,
    computer: &ComputerId,
    url: &SoftwareUrl,
    state: SoftwareState,
) -> Result<(), StoreError> {
    let computer = tx.ensure_computer(computer)?;
    if tx.supply(computer.id, url)?.is_some_and(|present| present.state == state) {
        return Ok(());
    }
    tx.set_supply(computer.id, url, state)?;
    tx.touch(computer.id, Change::Demand)
}

/// What a node says of a release.
pub(crate) enum Report<'a> {
    /// It is being installed.
    Building,
    /// It is installed.
    Available,
    /// It could not be installed.
    Error(&'a str),
}

/// Remembers a report. It never changes what is asked.
pub(crate) fn report(
    tx: &Tx<'_>,
    computer: &ComputerId,
    url: &SoftwareUrl,
    report: &Report<'_>,
    now: i64,
) -> Result<(), StoreError> {
    let Some(computer) = tx.computer(computer)? else { return Ok(()) };
    let text = match report {
        Report::Building => format!("#building software release {url}"),
        Report::Available => format!("#access software release {url} available"),
        Report::Error(log) => format!("#error while installing: {}", end_of(log)),
    };
    tx.set_supply_status(computer.id, url, &text, now)
}

/// Forgets a supply: the node says that the release is removed.
pub(crate) fn destroyed(tx: &Tx<'_>, computer: &ComputerId, url: &SoftwareUrl) -> Result<(), StoreError> {
    let Some(computer) = tx.computer(computer)? else { return Ok(()) };
    if tx.delete_supply(computer.id, url)? {
        tx.touch(computer.id, Change::Document)?;
    }
    Ok(())
}
