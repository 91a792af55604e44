//! What a person sees of services and computers: the answers of the HATEOAS interface.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::SoftwareUrl;
use crate::value::Parameters;

/// A line of the list of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSummary {
    /// What its owner calls it.
    pub title: String,
    /// The release it runs.
    pub release: Option<SoftwareUrl>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceInfo {
    /// Its reference.
    pub reference: String,
    /// The release it runs.
    pub release: Option<SoftwareUrl>,
    /// The kind of instance.
    pub software_type: Option<String>,
    /// Whether it lives in somebody else's instance.
    pub shared: bool,
    /// What is asked of it, as the master spells it: `started`, `start_requested`, `unused`.
    pub requested_state: String,
    /// Its parameters.
    pub parameters: Parameters,
    /// What it published.
    pub connection: BTreeMap<String, String>,
    /// The status texts of its instances, where the master has them.
    pub news: Option<Vec<String>>,
}

/// A line of the list of computers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputerSummary {
    /// Its id.
    pub reference: String,
    /// What its owner calls it.
    pub title: String,
}

/// One computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputerInfo {
    /// Its id.
    pub reference: String,
    /// What its owner calls it.
    pub title: String,
    /// Its status text, where the master has one.
    pub news: Option<String>,
}
