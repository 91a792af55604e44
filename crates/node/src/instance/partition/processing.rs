//! Processing one partition: it is built, started or stopped, checked, and the master is told.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use slap::{Partition, RequestedState};

use super::{Pass, Result};
use crate::build::Failure;
use crate::instance::error::InstanceError;
use crate::instance::log::InstanceLog;
use crate::instance::{certificate, install};
use crate::intended;
use crate::outcome::with_causes;
use crate::progress::Event;
use crate::promise::Mode;

/// Between two checks of promises while a service is starting: doubled from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Pass<'_> {
    /// Processes the partition and tells everybody how that went.
    pub(super) fn process(&self, partition: &Partition) -> Result {
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
        directory: &Utf8Path,
    ) -> std::result::Result<(), InstanceError> {
        let mut log = InstanceLog::open(directory, self.node.clock.as_ref()).map_err(|source| {
            InstanceError::File { what: "open the log of", path: directory.to_owned(), source }
        })?;
        self.announce(partition, directory, &mut log);
        let error_file = directory.join(format!(".slapgrid-{}-error.log", partition.id));
        let outcome = files::remove_if_present(&error_file)
            .map_err(|source| InstanceError::File { what: "remove", path: error_file.clone(), source })
            .and_then(|()| certificate::refresh(self.node, partition))
            .and_then(|()| self.reach(partition, &mut log))
            .and_then(|()| self.note_success(partition, directory));
        if let Err(error) = &outcome {
            log.error(&with_causes(error));
            if !error.is_promise() {
                self.note_failure(partition, error, &error_file);
            }
        }
        outcome
    }

    /// Leaves the failure where monitoring looks for it, and refreshes the results of the promises: what still runs is
    /// seen although the processing failed.
    fn note_failure(&self, partition: &Partition, error: &InstanceError, error_file: &Utf8Path) {
        if let Err(error) = files::replace(error_file, error.for_master(), 0o644) {
            tracing::warn!(partition.id = %partition.id, %error, "the error file cannot be written");
        }
        if partition.requested_state == RequestedState::Started {
            match self.check(partition, Mode::Test, true) {
                Ok(report) => self.tell_promises(partition, &report),
                Err(error) => tracing::debug!(partition.id = %partition.id, "{}", with_causes(&error)),
            }
        }
    }

    fn announce(&self, partition: &Partition, directory: &Utf8Path, log: &mut InstanceLog<'_>) {
        let url = partition.release.as_ref().map_or("(none)", |url| url.as_str());
        let release = self.release(partition).map_or_else(|| "(none)".to_owned(), Utf8PathBuf::into_string);
        for line in [
            format!("Processing Computer Partition {}.", partition.id),
            format!("  Software URL: {url}"),
            format!("  Software path: {release}"),
            format!("  Instance path: {directory}"),
            format!("  Instance status: {}", partition.requested_state),
        ] {
            log.say(&line);
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
                log.say(&format!("Requested start of {id}..."));
                self.await_promises(partition)?;
                self.report_started(partition)?;
                self.finish_requests(partition)
            }
            RequestedState::Stopped => {
                // The children must be told before, but a failure to tell them keeps nothing running.
                let installed = self.install(partition, log);
                self.supervisor.stop(id)?;
                log.say(&format!("Requested stop of {id}..."));
                installed?;
                self.report_stopped(partition);
                self.finish_requests(partition)
            }
            RequestedState::Destroyed => {
                self.supervisor.stop(id)?;
                log.say(&format!("Requested stop of {id}..."));
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
            let failure = report.error_text();
            // What fails while a service is starting is no news.
            let is_last = self.node.clock.now() + pause > deadline || host::process::is_ending();
            if failure.is_none() || is_last {
                self.tell_promises(partition, &report);
                return failure.map_or(Ok(()), |text| Err(InstanceError::Promise(text)));
            }
            self.node.clock.sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
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
        directory: &Utf8Path,
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
}
