//! What a running agent says of itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its process.
    pub pid: u32,
    /// Since when it runs.
    pub since: Timestamp,
    /// What it knows of the master.
    pub master: MasterStatus,
    /// Address of the release that is being built.
    pub building: Option<String>,
    /// Partitions that wait for their release.
    pub waiting: Vec<String>,
    /// Releases that failed and are tried again.
    pub failed_releases: Vec<Attempt>,
    /// Partitions that failed and are tried again.
    pub failed_partitions: Vec<Attempt>,
}

/// What an agent knows of its master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterStatus {
    /// Its address.
    pub url: String,
    /// Whether it answered the last time it was asked.
    pub answers: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Since when it is away.
    pub since: Option<Timestamp>,
}

/// Something that failed and is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The release's address or the partition's name.
    pub subject: String,
    /// How often it failed in a row.
    pub failures: u32,
    /// When it is tried again.
    pub next: Timestamp,
    /// Why it failed.
    pub message: String,
}
