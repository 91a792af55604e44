//! Promises: small programs of a partition that say whether what it promised still holds.
//!
//! [`Runner::check`] runs those of one partition that are due and keeps their results, their history and when they
//! are due next in the files that the monitoring stack reads, under `.slapgrid/promise` of the partition.

pub mod discovery;
pub mod result;

mod cache;
mod history;
mod interpreter;
mod legacy;
mod pass;
mod plugin;
mod runner;
mod schedule;
mod server;

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::clock::Clock;

pub use pass::pass;
pub use result::{Kind, PromiseResult};
pub use runner::Runner;

/// What a check is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A partition was just processed: every promise has to hold.
    Test,
    /// A partition is as it was: a promise that fails for long enough bangs.
    Anomaly,
}

/// What to check.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// The partition's id.
    pub partition: &'a str,
    /// Its directory; its owner runs the promises.
    pub directory: &'a Utf8Path,
    /// The directory of its release, whose interpreter runs the plugins.
    pub release: Option<&'a Utf8Path>,
    /// What for.
    pub mode: Mode,
    /// Whether promises run that are not due.
    pub force: bool,
    /// Names of the plugins to run, and nothing else; `None` for all.
    pub only: Option<&'a [String]>,
}

/// How promises are run.
#[derive(Clone)]
pub struct RunnerSettings {
    /// How long one promise may take.
    pub timeout: Duration,
    /// How many run at once.
    pub parallel: usize,
    /// The interpreter for plugins whose release has none.
    pub python: Option<Utf8PathBuf>,
    /// Who is told when one fails for long enough; nobody, when `None`.
    pub master: Option<BangMaster>,
    /// How long an interpreter that has nothing to do is kept.
    pub idle: Duration,
    /// The version of this program, which plugins may ask for.
    pub version: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The master that a failing promise bangs.
#[derive(Debug, Clone)]
pub struct BangMaster {
    /// Its address.
    pub url: String,
    /// The computer's id.
    pub computer_id: String,
    /// Directory with the certificate and key of each partition.
    pub certificate_repository: Option<Utf8PathBuf>,
}

/// A promise that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseFailure {
    /// File name of the promise.
    pub name: String,
    /// What it said.
    pub message: String,
}

/// The outcome of one check.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Results of those that ran, in listing order: plugins, then legacy ones.
    pub checked: Vec<PromiseResult>,
    /// How many did not have to run.
    pub skipped: usize,
    /// Those that count as failing, in listing order; one that was not due counts with its last result.
    pub failures: Vec<PromiseFailure>,
}

impl Report {
    /// What to say of the partition when a promise fails: the first one's message.
    #[must_use]
    pub fn error_text(&self) -> Option<String> {
        let failure = self.failures.first()?;
        Some(format!("Promise '{}' failed with output: {}", failure.name, failure.message))
    }
}
