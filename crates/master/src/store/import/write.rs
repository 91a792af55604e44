//! Writes what the old database says into a new one.

use std::collections::HashMap;

use slap::wire::{self, Marshalled, instance_xml};
use slap::{ComputerId, PartitionId, RequestedState, SharedInstance, SoftwareState};

use super::source::{Row, Source, text};
use crate::store::instance::NewInstance;
use crate::store::shared::NewShared;
use crate::store::tx::{Change, Tx};
use crate::store::{StoreError, stored_form};

/// All rows, those that others refer to first.
pub(super) fn write(tx: &Tx<'_>, source: &Source, now: i64) -> Result<(), StoreError> {
    for row in &source.computers {
        let reference = match text(row, "reference") {
            empty if empty.is_empty() => source.default_computer.clone(),
            reference => reference.parse().map_err(StoreError::content)?,
        };
        let computer = tx.ensure_computer(&reference)?;
        tx.set_computer_formatted(computer.id, &text(row, "address"), &text(row, "netmask"))?;
        tx.touch(computer.id, Change::Demand)?;
    }
    for row in &source.releases {
        let computer = tx.ensure_computer(&source.computer(row)?)?;
        let state = text(row, "requested_state").parse().unwrap_or(SoftwareState::Available);
        tx.set_supply(computer.id, &text(row, "url").parse().map_err(StoreError::content)?, state)?;
    }
    let mut hosts = HashMap::new();
    for row in &source.partitions {
        write_partition(tx, source, row, now, &mut hosts)?;
    }
    for row in &source.shared {
        write_shared(tx, source, row, &hosts)?;
    }
    Ok(())
}

/// An instance that hosts others, and their entries in its list.
struct Host {
    id: i64,
    computer_id: i64,
    entries: Vec<SharedInstance>,
}

fn write_partition(
    tx: &Tx<'_>,
    source: &Source,
    row: &Row,
    now: i64,
    hosts: &mut HashMap<(ComputerId, String), Host>,
) -> Result<(), StoreError> {
    let computer_id = source.computer(row)?;
    let computer = tx.ensure_computer(&computer_id)?;
    let reference: PartitionId = text(row, "reference").parse().map_err(StoreError::content)?;
    let partition_id = tx.insert_partition(computer.id, &reference)?;
    for address in &source.addresses {
        if text(address, "partition_reference") == reference.as_str()
            && source.computer(address)? == computer_id
        {
            let pair = (text(address, "address"), text(address, "netmask"));
            tx.add_address(partition_id, &text(address, "reference"), &pair)?;
        }
    }
    let (url, title) = (text(row, "software_release"), text(row, "partition_reference"));
    if text(row, "slap_state") == "free" || url.is_empty() || title.is_empty() {
        return Ok(());
    }
    tx.take_partition(partition_id)?;
    let id = tx.insert_instance(&NewInstance {
        root_title: &text(row, "requested_by"),
        title: &title,
        url: &url.parse().map_err(StoreError::content)?,
        software_type: &text(row, "software_type").parse().unwrap_or_default(),
        requested_state: text(row, "requested_state").parse().unwrap_or(RequestedState::Started),
        parameters: &document(&text(row, "xml"))?,
        filter: "",
        timestamp: microseconds(&text(row, "timestamp")).unwrap_or(now),
        partition_id,
    })?;
    tx.set_instance_connection(id, &document(&text(row, "connection_xml"))?)?;
    let list = text(row, "slave_instance_list");
    let entries = if list.is_empty() {
        Vec::new()
    } else {
        wire::read_shared_list(&list).map_err(StoreError::content)?
    };
    hosts.insert((computer_id, reference.to_string()), Host { id, computer_id: computer.id, entries });
    Ok(())
}

/// A shared instance that its host does not list any more was destroyed.
fn write_shared(
    tx: &Tx<'_>,
    source: &Source,
    row: &Row,
    hosts: &HashMap<(ComputerId, String), Host>,
) -> Result<(), StoreError> {
    let reference = text(row, "reference");
    let Some(host) = hosts.get(&(source.computer(row)?, text(row, "hosted_by"))) else { return Ok(()) };
    let Some(entry) = host.entries.iter().find(|entry| entry.reference == reference) else { return Ok(()) };
    let root_title = text(row, "asked_by");
    let title = reference.strip_prefix(&format!("{root_title}_")).unwrap_or(&reference);
    let software_type = entry.software_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let id = tx.insert_shared(&NewShared {
        computer_id: host.computer_id,
        reference: &reference,
        root_title: &root_title,
        title,
        host_id: host.id,
        software_type: &software_type,
        parameters: &Marshalled::from(&entry.parameters).write().map_err(StoreError::content)?,
    })?;
    tx.set_shared_connection(id, &document(&text(row, "connection_xml"))?)
}

/// A parameter document as we write it; nothing for an empty one.
fn document(stored: &str) -> Result<String, StoreError> {
    instance_xml::read(stored).and_then(|texts| stored_form(&texts)).map_err(StoreError::content)
}

/// Seconds with a fraction, as microseconds.
fn microseconds(seconds: &str) -> Option<i64> {
    let seconds: f64 = seconds.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times of this age fit; others are cut, which harms nobody"
    )]
    Some((seconds * 1e6).round() as i64)
}
