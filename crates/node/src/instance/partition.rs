//! One partition in one pass: what is there, what is decided, and who does it.

mod processing;
mod reporting;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use slap::{Partition, RequestedState};

use super::error::InstanceError;
use super::plan::{Decision, Observed, decide};
use super::{Options, certificate};
use crate::Node;
use crate::outcome::{Problem, with_causes};
use crate::promise::Mode;
use crate::supervisor::Supervisor;

/// What a pass shares between its partitions.
pub(super) struct Pass<'a> {
    pub(super) node: &'a Node,
    pub(super) options: &'a Options,
    pub(super) supervisor: Supervisor,
}

/// What became of one partition.
#[derive(Debug, Default)]
pub(super) struct Result {
    /// Whether something was done, a failed attempt included.
    pub(super) processed: bool,
    /// Whether it waits for its release.
    pub(super) waits: bool,
    /// What went wrong and counts.
    pub(super) problem: Option<Problem>,
    /// Whether the master turned out to be away.
    pub(super) master_away: bool,
}

impl Pass<'_> {
    /// Does what is to be done for `partition`.
    pub(super) fn run(&self, partition: &Partition) -> Result {
        let configuration = &self.node.configuration;
        let observed = self.observe(partition);
        let decision = decide(
            partition,
            &observed,
            self.options,
            configuration.maximum_periodicity,
            self.node.clock.now(),
        );
        match decision {
            Decision::Missing => self.missing(partition),
            Decision::Free => {
                self.clean_free(partition);
                Result::default()
            }
            Decision::NotSelected => Result::default(),
            Decision::Waiting => Result { waits: true, ..Result::default() },
            Decision::UpToDate => self.up_to_date(partition),
            Decision::Process { forget } => {
                if forget {
                    self.forget_success(partition);
                }
                self.process(partition)
            }
        }
    }

    fn directory(&self, partition: &Partition) -> Utf8PathBuf {
        self.node.configuration.partition_directory(&partition.id)
    }

    fn release(&self, partition: &Partition) -> Option<Utf8PathBuf> {
        partition.release.as_ref().map(|url| self.node.configuration.release_directory(url))
    }

    fn observe(&self, partition: &Partition) -> Observed {
        let directory = self.directory(partition);
        let release = self.release(partition);
        let note = directory.join(".timestamp");
        let success = files::read_text_if_present(&note).ok().flatten().and_then(|text| {
            let time = fs_err::metadata(&note).and_then(|metadata| metadata.modified()).ok()?;
            Some((text, jiff::Timestamp::try_from(time).ok()?))
        });
        Observed {
            exists: directory.is_dir(),
            success,
            periodicity: release.as_ref().and_then(|release| periodicity(&release.join("periodicity"))),
            is_release_complete: release.is_some_and(|release| release.join(".completed").exists()),
        }
    }

    fn missing(&self, partition: &Partition) -> Result {
        let error = InstanceError::Missing { path: self.directory(partition) };
        let problem = self.report(partition, &error);
        // A free partition that was never made harms nobody yet.
        Result { problem: partition.is_busy().then_some(problem), ..Result::default() }
    }

    /// Removes what the node itself left in a partition whose instance was destroyed.
    fn clean_free(&self, partition: &Partition) {
        let directory = self.directory(partition);
        for name in [".slapgrid", ".timestamp"] {
            if let Err(error) = files::remove_tree(&directory.join(name)) {
                tracing::warn!(partition.id = %partition.id, %error, "a free partition cannot be cleaned");
            }
        }
        let Ok(entries) = directory.read_dir_utf8() else { return };
        let left: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_owned())
            .filter(|name| name != ".slapos-resource")
            .collect();
        if !left.is_empty() {
            tracing::warn!(partition.id = %partition.id, "Free partition {} contains {}", partition.id, left.join(", "));
        }
    }

    fn forget_success(&self, partition: &Partition) {
        if let Err(error) = files::remove_if_present(&self.directory(partition).join(".timestamp")) {
            tracing::warn!(partition.id = %partition.id, %error, "the note of the last success cannot be removed");
        }
    }

    /// Looks at the promises that are due, and corrects what the master believes.
    fn up_to_date(&self, partition: &Partition) -> Result {
        if partition.requested_state != RequestedState::Started || self.options.force_stop {
            return Result::default();
        }
        let report = match self.check(partition, Mode::Anomaly, false) {
            Ok(report) => {
                self.tell_promises(partition, &report);
                report
            }
            Err(error) => {
                tracing::error!(partition.id = %partition.id, "{}", with_causes(&error));
                return Result::default();
            }
        };
        let believes_error = partition.access_status.as_ref().map(|status| status.starts_with("#error"));
        let node = self.node;
        let told = match report.error_text() {
            Some(text) => {
                tracing::error!(partition.id = %partition.id, "{text}");
                if believes_error == Some(true) {
                    return Result::default();
                }
                certificate::refresh(node, partition).and_then(|()| {
                    node.client
                        .instance_error(&node.configuration.computer_id, &partition.id, &text)
                        .map_err(|source| InstanceError::Master { what: "report a failing promise", source })
                })
            }
            None if believes_error == Some(false) => return Result::default(),
            None => certificate::refresh(node, partition).and_then(|()| self.report_started(partition)),
        };
        match told {
            Ok(()) => Result::default(),
            Err(error) => {
                tracing::warn!(partition.id = %partition.id, "{}", with_causes(&error));
                Result { master_away: error.is_master_away(), ..Result::default() }
            }
        }
    }
}

/// How often a release wants its instances to be processed; a file that does not say is removed.
fn periodicity(path: &Utf8Path) -> Option<i64> {
    let text = files::read_text_if_present(path).ok().flatten()?;
    let periodicity = text.trim().parse().ok();
    if periodicity.is_none() {
        tracing::warn!("{path} holds no number of seconds; it is removed");
        if let Err(error) = files::remove_if_present(path) {
            tracing::debug!(%error, "it stays");
        }
    }
    periodicity
}
