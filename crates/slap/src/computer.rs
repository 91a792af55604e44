//! What a node learns from its master: its releases and its partitions with all that is asked of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{ComputerId, InstanceGuid, PartitionId, SoftwareType, SoftwareUrl};
use crate::state::{RequestedState, SoftwareState};
use crate::value::Parameters;

/// Everything a master wants of one computer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Computer {
    /// Which computer.
    pub id: ComputerId,
    /// The releases supplied to it, in the order of their first supply.
    pub releases: Vec<Release>,
    /// Its partitions, in the order of their creation.
    pub partitions: Vec<Partition>,
}

/// A software release and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Which release.
    pub url: SoftwareUrl,
    /// What is asked of it.
    pub state: SoftwareState,
}

/// An address of a partition: the name of its network interface, and the address itself.
pub type Address = (String, String);

/// An address with the way out: interface, address, gateway, netmask, network.
pub type Route = (String, String, String, String, String);

/// A partition and what is asked of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// The computer it is on.
    pub computer: ComputerId,
    /// Its name there.
    pub id: PartitionId,
    /// What is asked of its instance; a free partition says `Destroyed` and has no release.
    pub requested_state: RequestedState,
    /// The release of its instance; `None` when the partition is free.
    pub release: Option<SoftwareUrl>,
    /// The id of its instance. The stand-alone master gives one to free partitions too.
    pub guid: Option<InstanceGuid>,
    /// The parameters of its instance, without what the master adds to them.
    pub parameters: Parameters,
    /// The kind of instance.
    pub software_type: Option<SoftwareType>,
    /// What its requester calls the instance.
    pub title: Option<String>,
    /// The title of the root of its tree.
    pub root_title: Option<String>,
    /// A short form of that title; production masters only.
    pub root_short_title: Option<String>,
    /// Its addresses, in the order in which the computer announced them.
    pub addresses: Vec<Address>,
    /// Its addresses with gateways.
    pub full_addresses: Vec<Route>,
    /// The shared instances that its instance hosts.
    pub shared_instances: Vec<SharedInstance>,
    /// Changes whenever the instance must be processed again. Only equality means something.
    pub timestamp: Option<String>,
    /// What its instance published.
    pub connection: BTreeMap<String, String>,
    /// The constraints of its request: retention delay, firewall rules.
    pub filter: BTreeMap<String, String>,
    /// The last status that the master knows: `#access …`, `#error …`.
    pub access_status: Option<String>,
}

impl Partition {
    /// A partition without an instance.
    #[must_use]
    pub fn free(computer: ComputerId, id: PartitionId) -> Self {
        Self {
            computer,
            id,
            requested_state: RequestedState::Destroyed,
            release: None,
            guid: None,
            parameters: Parameters::new(),
            software_type: None,
            title: None,
            root_title: None,
            root_short_title: None,
            addresses: Vec::new(),
            full_addresses: Vec::new(),
            shared_instances: Vec::new(),
            timestamp: None,
            connection: BTreeMap::new(),
            filter: BTreeMap::new(),
            access_status: None,
        }
    }

    /// Whether an instance is allocated here.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.release.is_some()
    }
}

/// A shared instance as its host sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedInstance {
    /// Its id; what the host publishes for it is addressed by this.
    pub reference: String,
    /// What its requester calls it.
    pub title: String,
    /// The kind of instance asked for.
    pub software_type: Option<SoftwareType>,
    /// As the timestamp of a partition; production masters only.
    pub timestamp: Option<String>,
    /// Its parameters; production masters mix what was published for it in.
    pub parameters: Parameters,
}
