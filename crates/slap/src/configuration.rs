//! What a formatted computer tells its master about itself.

use serde::{Deserialize, Serialize};

use crate::id::{ComputerId, PartitionId};
use crate::value::{Parameters, Value};

/// A computer as its owner formatted it. Whatever else it announces travels in `extra`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComputerConfiguration {
    /// Which computer.
    pub reference: ComputerId,
    /// Its main address.
    pub address: String,
    /// The netmask of that address.
    pub netmask: String,
    /// Its partitions, in order. Those not listed any more are removed.
    pub partitions: Vec<PartitionConfiguration>,
    /// All other entries of the document: software root, versions, interface.
    pub extra: Parameters,
}

/// A partition as its owner formatted it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionConfiguration {
    /// Its name.
    pub reference: PartitionId,
    /// The network interface of its own, if it has one.
    pub tap_name: Option<String>,
    /// Its addresses: address and netmask.
    pub addresses: Vec<(String, String)>,
    /// All other entries of the document: path, user, `tap` as a whole, IPv6 range.
    pub extra: Parameters,
}

impl PartitionConfiguration {
    /// A partition with addresses and nothing else.
    #[must_use]
    pub fn new(reference: PartitionId, addresses: Vec<(String, String)>) -> Self {
        Self { reference, tap_name: None, addresses, extra: Parameters::new() }
    }

    /// The name that its addresses are filed under: the tap's, else the partition's own.
    #[must_use]
    pub fn interface(&self) -> &str {
        match &self.tap_name {
            Some(name) if !name.is_empty() => name,
            _ => self.reference.as_str(),
        }
    }

    /// Notes one more entry of the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}
