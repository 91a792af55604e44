//! What every pass is given: the choices, the master, the clock, and who wants to know how it goes.

use std::io;
use std::sync::Arc;

use host::clock::Clock;

use crate::configuration::Configuration;
use crate::environment::Environment;
use crate::progress::{Event, Progress};
use crate::promise::{Check, Report};
use crate::supervisor::{Layout, Supervisor, WatchdogArguments};

/// One node, as its passes see it. Clones share everything.
#[derive(Clone)]
pub struct Node {
    /// The operator's choices.
    pub configuration: Arc<Configuration>,
    /// The master, spoken to as the computer.
    pub client: slap::client::Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told what happens.
    pub progress: Arc<dyn Progress>,
    /// What children inherit.
    pub environment: Arc<Environment>,
    /// Who runs promises.
    pub promises: Arc<dyn Promises>,
}

/// Runs the promises of a partition.
pub trait Promises: Send + Sync {
    /// Runs those that are due, keeps their results, and tells which fail.
    ///
    /// # Errors
    /// They could not be found or run at all.
    fn check(&self, check: &Check<'_>) -> io::Result<Report>;
}

impl Promises for crate::promise::Runner {
    fn check(&self, check: &Check<'_>) -> io::Result<Report> {
        self.check(check)
    }
}

impl Node {
    /// Tells whoever listens.
    pub(crate) fn tell(&self, event: Event) {
        self.progress.event(event);
    }

    /// The supervisor of this node's partitions.
    #[must_use]
    pub fn supervisor(&self) -> Supervisor {
        let start = self.configuration.launch_supervisor.then(|| self.configuration.supervisor.clone());
        Supervisor::new(Layout::new(&self.configuration.instance_root), start)
    }

    /// How the supervisor's watchdog reaches the master.
    #[must_use]
    pub fn watchdog(&self) -> WatchdogArguments {
        WatchdogArguments {
            program: self.configuration.watchdog.clone(),
            master_url: self.configuration.master_url.clone(),
            certificate_repository: self.configuration.credentials.partition_directory.clone(),
            computer_id: self.configuration.computer_id.to_string(),
            instance_root: Some(self.configuration.instance_root.clone()),
        }
    }
}
