//! One partition in one pass: from what was decided to what the master is told.

use std::time::Duration;

use camino::Utf8PathBuf;
use host::files;
use slap::{Partition, RequestedState};

use super::error::InstanceError;
use super::log::InstanceLog;
use super::plan::{Decision, Observed, decide};
use super::{Options, certificate, install};
use crate::Node;
use crate::build::tail;
use crate::intended;
use crate::outcome::{Problem, with_causes};
use crate::progress::Event;
use crate::promise::{Check, Mode, Report};
use crate::supervisor::Supervisor;

/// Between two checks of promises while a service is starting: doubled from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

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
            Ok(report) => report,
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

    fn process(&self, partition: &Partition) -> Result {
        let node = self.node;
        let directory = self.directory(partition);
        let begun = node.clock.now();
        node.tell(Event::PartitionStarted {
            partition: partition.id.to_string(),
            title: partition.title.clone(),
            state: partition.requested_state.to_string(),
        });
        let outcome = self.process_with_log(partition, &directory);
        let error = match outcome {
            Ok(()) => {
                let seconds = node.clock.now().duration_since(begun).as_secs_f64();
                node.tell(Event::PartitionFinished {
                    partition: partition.id.to_string(),
                    state: partition.requested_state.to_string(),
                    seconds,
                });
                return Result { processed: true, ..Result::default() };
            }
            Err(error) => error,
        };
        // A forced pass that fails must not leave the partition looking up to date.
        self.forget_success(partition);
        if error.is_master_away() {
            tracing::warn!(partition.id = %partition.id, "{}", with_causes(&error));
            return Result { processed: true, master_away: true, ..Result::default() };
        }
        let problem = Some(self.report(partition, &error));
        Result { processed: true, problem, ..Result::default() }
    }

    fn process_with_log(
        &self,
        partition: &Partition,
        directory: &Utf8PathBuf,
    ) -> std::result::Result<(), InstanceError> {
        let mut log = InstanceLog::open(directory, self.node.clock.as_ref()).map_err(|source| {
            InstanceError::File { what: "open the log of", path: directory.clone(), source }
        })?;
        self.announce(partition, directory, &mut log);
        let error_file = directory.join(format!(".slapgrid-{}-error.log", partition.id));
        let outcome = files::remove_if_present(&error_file)
            .map_err(|source| InstanceError::File { what: "remove", path: error_file.clone(), source })
            .and_then(|()| certificate::refresh(self.node, partition))
            .and_then(|()| self.reach(partition, &mut log))
            .and_then(|()| self.note_success(partition, directory));
        if let Err(error) = &outcome {
            let text = with_causes(error);
            log.error(&text);
            if !error.is_promise() {
                let text =
                    if error.output().is_empty() { text } else { format!("{error}:\n{}\n", error.output()) };
                if let Err(error) = files::replace(&error_file, text, 0o644) {
                    tracing::warn!(partition.id = %partition.id, %error, "the error file cannot be written");
                }
                if partition.requested_state == RequestedState::Started {
                    // Only refreshes the results: what still runs is seen although the processing failed.
                    if let Err(error) = self.check(partition, Mode::Test, true) {
                        tracing::debug!(partition.id = %partition.id, "{}", with_causes(&error));
                    }
                }
            }
        }
        outcome
    }

    fn announce(&self, partition: &Partition, directory: &Utf8PathBuf, log: &mut InstanceLog<'_>) {
        let url = partition.release.as_ref().map_or("(none)", |url| url.as_str());
        let release = self.release(partition).map_or_else(|| "(none)".to_owned(), Utf8PathBuf::into_string);
        for line in [
            format!("Processing Computer Partition {}.", partition.id),
            format!("  Software URL: {url}"),
            format!("  Software path: {release}"),
            format!("  Instance path: {directory}"),
            format!("  Instance status: {}", partition.requested_state),
        ] {
            tracing::info!("{line}");
            log.info(&line);
        }
    }

    /// Brings the partition into the state asked for and tells the master.
    fn reach(
        &self,
        partition: &Partition,
        log: &mut InstanceLog<'_>,
    ) -> std::result::Result<(), InstanceError> {
        let id = partition.id.as_str();
        let directory = self.directory(partition);
        match partition.requested_state {
            RequestedState::Started => {
                self.install(partition, log)?;
                if self.options.force_stop {
                    self.supervisor.stop(id)?;
                    return self.finish_requests(partition);
                }
                self.supervisor.start(id, &directory)?;
                log.info(&format!("Requested start of {id}..."));
                self.await_promises(partition)?;
                self.report_started(partition)?;
                self.finish_requests(partition)
            }
            RequestedState::Stopped => {
                // The children must be told before, but a failure to tell them keeps nothing running.
                let installed = self.install(partition, log);
                self.supervisor.stop(id)?;
                log.info(&format!("Requested stop of {id}..."));
                installed?;
                self.report_stopped(partition);
                self.finish_requests(partition)
            }
            RequestedState::Destroyed => {
                self.supervisor.stop(id)?;
                log.info(&format!("Requested stop of {id}..."));
                self.report_stopped(partition);
                Ok(())
            }
        }
    }

    fn install(
        &self,
        partition: &Partition,
        log: &mut InstanceLog<'_>,
    ) -> std::result::Result<(), InstanceError> {
        let requests = self.requests_file(partition);
        files::remove_if_present(&requests).map_err(|source| InstanceError::File {
            what: "remove",
            path: requests,
            source,
        })?;
        install::install(self.node, partition, self.options, log)
    }

    /// Checks the promises of a partition that was just started, again and again while its grace lasts.
    fn await_promises(&self, partition: &Partition) -> std::result::Result<(), InstanceError> {
        let deadline = self.node.clock.now() + self.options.grace;
        let mut pause = FIRST_PAUSE;
        loop {
            let report = self.check(partition, Mode::Test, true)?;
            let Some(text) = report.error_text() else { return Ok(()) };
            if self.node.clock.now() + pause > deadline || host::process::is_ending() {
                return Err(InstanceError::Promise(text));
            }
            self.node.clock.sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn check(
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
        let report = self.node.promises.check(&check).map_err(|source| InstanceError::File {
            what: "check the promises of",
            path: directory.clone(),
            source,
        })?;
        for result in &report.checked {
            self.node.tell(Event::PromiseChecked {
                partition: partition.id.to_string(),
                promise: result.name.clone(),
                failed: result.failed,
                message: result.message.clone(),
            });
        }
        Ok(report)
    }

    fn report_started(&self, partition: &Partition) -> std::result::Result<(), InstanceError> {
        self.node
            .client
            .started(&self.node.configuration.computer_id, &partition.id)
            .map_err(|source| InstanceError::Master { what: "report that the instance is started", source })
    }

    fn report_stopped(&self, partition: &Partition) {
        if let Err(error) = self.node.client.stopped(&self.node.configuration.computer_id, &partition.id) {
            tracing::warn!(partition.id = %partition.id, "the master was not told of the stop: {}", with_causes(&error));
        }
    }

    fn requests_file(&self, partition: &Partition) -> Utf8PathBuf {
        self.directory(partition).join(format!(".slapos-request-transaction-{}", partition.id))
    }

    /// Tells the master which instances this one requested, so that it can destroy those it requests no longer.
    fn finish_requests(&self, partition: &Partition) -> std::result::Result<(), InstanceError> {
        let path = self.requests_file(partition);
        let text = files::read_text_if_present(&path).map_err(|source| InstanceError::File {
            what: "read",
            path,
            source,
        })?;
        let Some(text) = text else { return Ok(()) };
        let titles: Vec<String> = text.lines().map(str::to_owned).collect();
        match self.node.client.related_instances(&self.node.configuration.computer_id, &partition.id, &titles)
        {
            Ok(()) => Ok(()),
            Err(error) if intended::is_unknown(&error) => {
                tracing::debug!("the master does not ask which instances are requested");
                Ok(())
            }
            Err(source) => Err(InstanceError::Master { what: "tell which instances are requested", source }),
        }
    }

    fn note_success(
        &self,
        partition: &Partition,
        directory: &Utf8PathBuf,
    ) -> std::result::Result<(), InstanceError> {
        let forced_stop = self.options.force_stop && partition.requested_state == RequestedState::Started;
        let (Some(timestamp), false) = (&partition.timestamp, forced_stop) else { return Ok(()) };
        let path = directory.join(".timestamp");
        files::replace(&path, timestamp, 0o644).map_err(|source| InstanceError::File {
            what: "write",
            path,
            source,
        })
    }

    /// Tells the log, the master and whoever listens what went wrong.
    fn report(&self, partition: &Partition, error: &InstanceError) -> Problem {
        let node = self.node;
        let mut problem = Problem::of(partition.id.as_str(), error).with_code(error.code());
        problem.hint = error.hint();
        problem.is_promise = error.is_promise();
        problem.software_type = partition.software_type.as_ref().map(ToString::to_string);
        if host::process::is_ending() {
            // The build was ended with this process; that says nothing about the instance.
            return problem;
        }
        tracing::error!(partition.id = %partition.id, code = error.code(), "{}", problem.message);
        let log = match error.output() {
            "" => problem.message.clone(),
            output => format!("{error}:\n{output}\n"),
        };
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

/// How often a release wants its instances to be processed; a file that does not say is removed.
fn periodicity(path: &camino::Utf8Path) -> Option<i64> {
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
