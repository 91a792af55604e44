//! What happens on a node, told while it happens.
//!
//! Events are facts, never prose: whoever shows them chooses the words. They carry no parameters, no connection values
//! and no credentials.

mod journal;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use journal::{Follower, Journal};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The agent began its work.
    AgentStarted {
        /// Its process.
        pid: u32,
    },
    /// The agent ends in good order.
    AgentStopped,
    /// The master does not answer; the node goes on with the last answer.
    MasterLost {
        /// Why.
        reason: String,
    },
    /// The master answers again.
    MasterFound,
    /// The machine is formatted and the master knows it.
    Formatted {
        /// Number of partitions.
        partitions: usize,
    },
    /// A release begins to be built.
    ReleaseStarted {
        /// Its address.
        url: String,
    },
    /// A release is available.
    ReleaseFinished {
        /// Its address.
        url: String,
        /// How long it took.
        seconds: f64,
    },
    /// A release could not be built.
    ReleaseFailed {
        /// Its address.
        url: String,
        /// Why, for a person.
        message: String,
        /// Stable code, when there is one.
        code: Option<String>,
        /// What to do next, when there is something to say.
        hint: Option<String>,
        /// The last lines that the build wrote.
        tail: Vec<String>,
    },
    /// A release was removed.
    ReleaseRemoved {
        /// Its address.
        url: String,
    },
    /// A part of a profile begins to be installed, updated or removed.
    PartStarted {
        /// The release's address or the partition's name.
        subject: String,
        /// The part's section.
        part: String,
        /// What is done to it.
        action: PartAction,
    },
    /// A part is done.
    PartFinished {
        /// The release's address or the partition's name.
        subject: String,
        /// The part's section.
        part: String,
        /// How long it took.
        seconds: f64,
    },
    /// A line that a build wrote.
    Output {
        /// The release's address or the partition's name.
        subject: String,
        /// The line, without its end.
        line: String,
    },
    /// A partition begins to be processed.
    PartitionStarted {
        /// The partition.
        partition: String,
        /// Title of its instance, when known.
        title: Option<String>,
        /// The state asked for.
        state: String,
    },
    /// A partition is as asked.
    PartitionFinished {
        /// The partition.
        partition: String,
        /// The state reached.
        state: String,
        /// How long it took.
        seconds: f64,
    },
    /// A partition waits for its release.
    PartitionWaiting {
        /// The partition.
        partition: String,
        /// Address of the release.
        url: String,
    },
    /// A partition could not be processed, or its promises fail.
    PartitionFailed {
        /// The partition.
        partition: String,
        /// Whether only a promise failed.
        is_promise: bool,
        /// Why, for a person.
        message: String,
        /// Stable code, when there is one.
        code: Option<String>,
        /// What to do next, when there is something to say.
        hint: Option<String>,
        /// The last lines that the build wrote.
        tail: Vec<String>,
    },
    /// A partition and everything in it was destroyed.
    PartitionDestroyed {
        /// The partition.
        partition: String,
    },
    /// A promise was checked.
    PromiseChecked {
        /// The partition.
        partition: String,
        /// File name of the promise.
        promise: String,
        /// Whether it fails.
        failed: bool,
        /// What it said.
        message: String,
    },
    /// A supervised process was started.
    ProcessStarted {
        /// The partition.
        partition: String,
        /// Name of the process.
        process: String,
        /// Its number.
        pid: u32,
    },
    /// A supervised process ended without being asked to.
    ProcessExited {
        /// The partition.
        partition: String,
        /// Name of the process.
        process: String,
        /// Exit code, or negative number of the signal.
        status: i32,
    },
}

/// What is done to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartAction {
    /// It is new, or its options changed.
    Install,
    /// Its options are as before.
    Update,
    /// It is no longer wanted, or about to be installed again.
    Uninstall,
}

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Someone who wants to know.
pub trait Progress: Send + Sync {
    /// Takes notice of `event`. Must neither block for long nor fail: work goes on whoever listens.
    fn event(&self, event: Event);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event) {}
}

/// Several listeners at once.
#[derive(Clone, Default)]
pub struct Several(pub Vec<Arc<dyn Progress>>);

impl Progress for Several {
    fn event(&self, event: Event) {
        for listener in &self.0 {
            listener.event(event.clone());
        }
    }
}
