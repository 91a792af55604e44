//! What is told of a partition: to the master, to the log, to whoever listens.

use slap::Partition;

use super::Pass;
use crate::build::{Failure, tail};
use crate::instance::error::InstanceError;
use crate::outcome::{Problem, with_causes};
use crate::progress::Event;
use crate::promise::{Check, Mode, Report};

impl Pass<'_> {
    /// Checks the promises.
    pub(super) fn check(
        &self,
        partition: &Partition,
        mode: Mode,
        force: bool,
    ) -> std::result::Result<Report, InstanceError> {
        let directory = self.directory(partition);
        let release = self.release(partition);
        let check = Check {
            partition: partition.id.as_str(),
            directory: &directory,
            release: release.as_deref(),
            mode,
            force,
            only: None,
        };
        self.node.promises.check(&check).map_err(|source| InstanceError::File {
            what: "check the promises of",
            path: directory.clone(),
            source,
        })
    }

    /// Tells whoever listens of each promise that was checked.
    pub(super) fn tell_promises(&self, partition: &Partition, report: &Report) {
        for result in &report.checked {
            self.node.tell(Event::PromiseChecked {
                partition: partition.id.to_string(),
                promise: result.name.clone(),
                failed: result.failed,
                message: result.message.clone(),
            });
        }
    }

    pub(super) fn report_started(&self, partition: &Partition) -> std::result::Result<(), InstanceError> {
        self.node
            .client
            .started(&self.node.configuration.computer_id, &partition.id)
            .map_err(|source| InstanceError::Master { what: "report that the instance is started", source })
    }

    pub(super) fn report_stopped(&self, partition: &Partition) {
        if let Err(error) = self.node.client.stopped(&self.node.configuration.computer_id, &partition.id) {
            tracing::warn!(partition.id = %partition.id, "the master was not told of the stop: {}", with_causes(&error));
        }
    }

    /// Tells the log, the master and whoever listens what went wrong.
    pub(super) fn report(&self, partition: &Partition, error: &InstanceError) -> Problem {
        let node = self.node;
        let mut problem = Problem::of(partition.id.as_str(), error).with_code(error.code());
        problem.message = error.for_people();
        problem.hint = error.hint();
        problem.is_promise = error.is_promise();
        problem.software_type = partition.software_type.as_ref().map(|kind| kind.as_str().into());
        if host::process::is_ending() {
            // The build was ended with this process; that says nothing about the instance.
            return problem;
        }
        tracing::error!(partition.id = %partition.id, code = error.code(), "{}", problem.message);
        let log = error.for_master();
        if let Err(error) = node.client.instance_error(&node.configuration.computer_id, &partition.id, &log) {
            tracing::warn!(partition.id = %partition.id, "the master was not told of the failure: {}", with_causes(&error));
        }
        node.tell(Event::PartitionFailed {
            partition: partition.id.to_string(),
            is_promise: problem.is_promise,
            message: problem.message.clone(),
            code: problem.code.clone(),
            hint: problem.hint.clone(),
            tail: tail(error.output(), 20),
        });
        problem
    }
}
