//! A request of a shared instance: find its host, enter it into the host's list, and answer with what was published.

use slap::wire::{Marshalled, instance_xml};
use slap::{ComputerId, Instance, InstanceRequest, Parameters, RequestedState, SharedInstance, Value};

use super::request::RequestError;
use super::{reprocess, requester_tree};
use crate::allocate::{is_named_host, target_computer};
use crate::store::{InstanceRow, NewShared, SharedRow, StoreError, Tx};

/// The constraint that names a host.
const INSTANCE_GUID: &str = "instance_guid";

/// The name by which a host knows a shared instance.
pub(crate) fn reference(root_title: &str, title: &str) -> String {
    format!("{root_title}_{title}")
}

/// The shared instance as its host sees it.
pub(crate) fn as_seen_by_host(row: &SharedRow) -> Result<SharedInstance, StoreError> {
    let parameters = match Marshalled::read(&row.parameters).map_err(StoreError::content)?.into() {
        Value::Map(parameters) => parameters,
        _ => Parameters::new(),
    };
    Ok(SharedInstance {
        reference: row.reference.clone(),
        title: row.reference.clone(),
        software_type: row.software_type.parse().ok(),
        timestamp: None,
        parameters,
    })
}

pub(super) fn request(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    default_computer: &ComputerId,
    now: i64,
) -> Result<Instance, RequestError> {
    let root_title = requester_tree(tx, request.requester.as_ref())?;
    let computer = target_computer(&request.filter, default_computer)?;
    let reference = reference(&root_title, request.title.as_str());
    let present = tx.shared_instance(&computer, &reference)?;
    let host = find_host(tx, request, &computer, present.as_ref())?;
    if request.state == Some(RequestedState::Destroyed) {
        let Some(present) = present else { return answer(tx, request, &host, "") };
        tx.delete_shared(present.id)?;
        notify(tx, present.host_id, now)?;
        return answer(tx, request, &host, &present.connection);
    }
    let parameters = Marshalled::from(&request.parameters).write()?;
    let software_type = request.software_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let Some(present) = present else {
        tx.insert_shared(&NewShared {
            computer_id: host.placement.computer_id,
            reference: &reference,
            root_title: &root_title,
            title: request.title.as_str(),
            host_id: host.id,
            software_type: &software_type,
            parameters: &parameters,
        })?;
        reprocess(tx, &host, now)?;
        return answer(tx, request, &host, "");
    };
    let wanted = SharedRow { host_id: host.id, software_type, parameters, ..present.clone() };
    if wanted != present {
        tx.update_shared(&wanted)?;
        reprocess(tx, &host, now)?;
        if present.host_id != host.id {
            notify(tx, present.host_id, now)?;
        }
    }
    answer(tx, request, &host, &present.connection)
}

/// The present host while it still fits, else the first instance that does.
fn find_host(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    computer: &ComputerId,
    present: Option<&SharedRow>,
) -> Result<InstanceRow, RequestError> {
    let mut candidates = tx.instances_of(computer, &request.software)?;
    candidates.retain(|candidate| {
        let has_type = request.software_type.as_ref().is_none_or(|wanted| *wanted == candidate.software_type);
        let is_named = request.filter.get(INSTANCE_GUID).is_none_or(|wanted| {
            is_named_host(wanted, computer.as_str(), candidate.placement.partition.as_str())
        });
        has_type && is_named
    });
    let kept = present.and_then(|row| candidates.iter().position(|candidate| candidate.id == row.host_id));
    if candidates.is_empty() {
        return Err(RequestError::NoHost {
            title: request.title.to_string(),
            url: request.software.to_string(),
        });
    }
    Ok(candidates.swap_remove(kept.unwrap_or(0)))
}

fn notify(tx: &Tx<'_>, host: i64, now: i64) -> Result<(), StoreError> {
    match tx.instance_by_id(host)? {
        Some(host) => reprocess(tx, &host, now),
        None => Ok(()),
    }
}

fn answer(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    host: &InstanceRow,
    connection: &str,
) -> Result<Instance, RequestError> {
    let placement = &host.placement;
    Ok(Instance {
        place: Some((placement.computer.clone(), placement.partition.clone())),
        guid: None,
        requested_state: None,
        release: Some(host.url.clone()),
        software_type: Some(host.software_type.clone()),
        parameters: instance_xml::as_parameters(&instance_xml::stringify(&Marshalled::from(
            &request.parameters,
        ))?),
        connection: instance_xml::read(connection)?,
        addresses: tx.addresses(placement.partition_id)?,
        timestamp: None,
    })
}
