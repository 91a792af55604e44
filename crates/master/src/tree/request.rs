//! A request of an instance with a partition of its own: find it or allocate it, then make it as asked.

use slap::wire::{Marshalled, WireError, instance_xml};
use slap::{ComputerId, Instance, InstanceRequest, InvalidId, RequestedState};
use thiserror::Error;

use super::{guid, later, requester_tree};
use crate::allocate::target_computer;
use crate::moment;
use crate::store::{Change, InstanceRow, NewInstance, StoreError, Tx, stored_form};

/// Why a request was not fulfilled.
#[derive(Debug, Error)]
pub(crate) enum RequestError {
    #[error("No free computer partition found for: {title}")]
    NoPartition { title: String },
    #[error("No partition corresponding to slave request: {title} of {url}")]
    NoHost { title: String, url: String },
    /// It does not exist and its destruction is asked for: there is nothing to answer.
    #[error("There is no instance {title} to destroy")]
    NothingToDestroy { title: String },
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fulfils a request; the same request again changes nothing.
pub(crate) fn request(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    default_computer: &ComputerId,
    now: i64,
) -> Result<Instance, RequestError> {
    if request.shared {
        return super::shared::request(tx, request, default_computer, now);
    }
    let root_title = requester_tree(tx, request.requester.as_ref())?;
    let parameters = stored_form(&instance_xml::stringify(&Marshalled::from(&request.parameters))?)?;
    let filter = stored_form(&request.filter)?;
    match tx.instance(&root_title, request.title.as_str())? {
        Some(present) => {
            let state = effective_state(tx, &present, request.state)?;
            update(tx, request, &present, state, (parameters, filter), now)?;
        }
        None => allocate(tx, request, &root_title, default_computer, (&parameters, &filter), now)?,
    }
    let row = tx
        .instance(&root_title, request.title.as_str())?
        .ok_or_else(|| StoreError::Content("an instance vanished while it was stored".to_owned()))?;
    Ok(answer(&row, tx.addresses(row.placement.partition_id)?)?)
}

/// Whether the instance that a request asks for exists here already.
pub(crate) fn is_present(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    default_computer: &ComputerId,
) -> Result<bool, RequestError> {
    let root_title = requester_tree(tx, request.requester.as_ref())?;
    let title = request.title.as_str();
    if request.shared {
        let computer = target_computer(&request.filter, default_computer)?;
        let reference = super::shared::reference(&root_title, title);
        return Ok(tx.shared_instance(&computer, &reference)?.is_some());
    }
    Ok(tx.instance(&root_title, title)?.is_some())
}

/// What is asked of an instance that exists: a member follows its root when that is stopped or destroyed.
fn effective_state(
    tx: &Tx<'_>,
    present: &InstanceRow,
    asked: Option<RequestedState>,
) -> Result<RequestedState, StoreError> {
    let own = asked.unwrap_or(present.requested_state);
    if present.root_title.is_empty() {
        return Ok(own);
    }
    match tx.instance("", &present.root_title)?.map(|root| root.requested_state) {
        Some(state @ (RequestedState::Stopped | RequestedState::Destroyed)) => Ok(state),
        Some(RequestedState::Started) | None => Ok(own),
    }
}

fn allocate(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    root_title: &str,
    default_computer: &ComputerId,
    (parameters, filter): (&str, &str),
    now: i64,
) -> Result<(), RequestError> {
    let title = request.title.as_str();
    if request.state == Some(RequestedState::Destroyed) {
        return Err(RequestError::NothingToDestroy { title: title.to_owned() });
    }
    let computer = target_computer(&request.filter, default_computer)?;
    let partition = tx
        .first_free_partition(&computer)?
        .ok_or_else(|| RequestError::NoPartition { title: title.to_owned() })?;
    if !tx.take_partition(partition.id)? {
        return Err(RequestError::NoPartition { title: title.to_owned() });
    }
    tx.insert_instance(&NewInstance {
        root_title,
        title,
        url: &request.software,
        software_type: &request.software_type.clone().unwrap_or_default(),
        requested_state: request.state.unwrap_or(RequestedState::Started),
        parameters,
        filter,
        timestamp: now,
        partition_id: partition.id,
    })?;
    tracing::info!(
        computer.id = %partition.computer, partition.id = %partition.reference, instance.title = title,
        software.url = %request.software, "allocated an instance"
    );
    tx.touch(partition.computer_id, Change::Demand)?;
    Ok(())
}

/// Makes an instance as asked. Its timestamp changes only when something does that its node must act on.
fn update(
    tx: &Tx<'_>,
    request: &InstanceRequest,
    present: &InstanceRow,
    state: RequestedState,
    (parameters, filter): (String, String),
    now: i64,
) -> Result<(), StoreError> {
    let mut wanted = InstanceRow {
        url: request.software.clone(),
        software_type: request.software_type.clone().unwrap_or_else(|| present.software_type.clone()),
        requested_state: state,
        parameters,
        filter,
        ..present.clone()
    };
    let must_reprocess = wanted.url != present.url
        || wanted.software_type != present.software_type
        || wanted.requested_state != present.requested_state
        || wanted.parameters != present.parameters;
    if must_reprocess {
        wanted.timestamp = later(now, present.timestamp);
    } else if wanted.filter == present.filter {
        return Ok(());
    }
    tx.update_instance(&wanted)?;
    let change = if must_reprocess { Change::Demand } else { Change::Document };
    tx.touch(present.placement.computer_id, change)
}

fn answer(row: &InstanceRow, addresses: Vec<slap::Address>) -> Result<Instance, StoreError> {
    let texts = |document: &str| instance_xml::read(document).map_err(StoreError::content);
    let placement = &row.placement;
    Ok(Instance {
        place: Some((placement.computer.clone(), placement.partition.clone())),
        guid: Some(guid(&placement.computer, &placement.partition)),
        requested_state: Some(row.requested_state),
        release: Some(row.url.clone()),
        software_type: Some(row.software_type.clone()),
        parameters: instance_xml::as_parameters(&texts(&row.parameters)?),
        connection: texts(&row.connection)?,
        addresses,
        timestamp: Some(moment::as_timestamp(row.timestamp)),
    })
}
