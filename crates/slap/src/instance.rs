//! The request of an instance and its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::computer::Address;
use crate::id::{ComputerId, InstanceGuid, InstanceTitle, PartitionId, SoftwareType, SoftwareUrl};
use crate::state::RequestedState;
use crate::value::Parameters;

/// What somebody asks of a master.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRequest {
    /// The release to run.
    pub software: SoftwareUrl,
    /// The kind of instance; `None` lets the master choose, which takes `default`.
    pub software_type: Option<SoftwareType>,
    /// What the requester calls it. The same title asks for the same instance again.
    pub title: InstanceTitle,
    /// Whether it shall live in somebody else's instance.
    pub shared: bool,
    /// Its parameters; they replace those of the last request.
    pub parameters: Parameters,
    /// Constraints: `computer_guid`, `instance_guid`, `retention_delay`.
    pub filter: BTreeMap<String, String>,
    /// What is asked of it; `None` leaves it as it is, which is started at first.
    pub state: Option<RequestedState>,
    /// The partition whose instance asks; `None` when a person does.
    pub requester: Option<(ComputerId, PartitionId)>,
}

impl InstanceRequest {
    /// A person's request with nothing but a release and a title.
    #[must_use]
    pub fn new(software: SoftwareUrl, title: InstanceTitle) -> Self {
        Self {
            software,
            software_type: None,
            title,
            shared: false,
            parameters: Parameters::new(),
            filter: BTreeMap::new(),
            state: None,
            requester: None,
        }
    }
}

/// The answer to a request that could be fulfilled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Where it is; `None` for an answer that stands for no partition (a frontend that the master made up).
    pub place: Option<(ComputerId, PartitionId)>,
    /// Its id; absent for shared instances of a stand-alone master.
    pub guid: Option<InstanceGuid>,
    /// What is asked of it, where the master says so.
    pub requested_state: Option<RequestedState>,
    /// The release it runs.
    pub release: Option<SoftwareUrl>,
    /// The kind of instance.
    pub software_type: Option<SoftwareType>,
    /// Its parameters as the master stored them.
    pub parameters: Parameters,
    /// What it published so far.
    pub connection: BTreeMap<String, String>,
    /// The addresses of its partition.
    pub addresses: Vec<Address>,
    /// As [`crate::Partition::timestamp`].
    pub timestamp: Option<String>,
}
