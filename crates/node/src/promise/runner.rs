//! Runs the promises of a partition that are due, and keeps what they say.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use host::beneath::Directory;
use host::users::{Account, is_root};
use jiff::Timestamp;
use serde_json::json;

use super::cache::{self, Cache, Schedule};
use super::discovery::{self, Promise};
use super::plugin::{self, Host};
use super::schedule::{Decision, decide, judge_silence};
use super::server::{Purpose, Server, Servers};
use super::{
    Check, Kind, Mode, PromiseFailure, PromiseResult, Report, RunnerSettings, history, interpreter, legacy,
    result,
};
use crate::watchdog;

/// Runs promises, and keeps interpreters warm between two checks.
pub struct Runner {
    settings: RunnerSettings,
    servers: Servers,
}

/// What is the same for all promises of one check.
struct Round<'a> {
    settings: &'a RunnerSettings,
    check: &'a Check<'a>,
    account: Account,
    folders: Folders,
    servers: &'a Servers,
    interpreter: Option<Utf8PathBuf>,
    /// Whether a promise has banged, or is about to.
    has_banged: Mutex<bool>,
}

struct Folders {
    partition: Directory,
    cache: Directory,
    log: Directory,
    result: Directory,
}

/// What became of one promise.
#[derive(Default)]
struct Outcome {
    result: Option<PromiseResult>,
    failure: Option<PromiseFailure>,
    is_skipped: bool,
}

impl Runner {
    /// A runner; nothing is started yet.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn new(settings: RunnerSettings) -> io::Result<Self> {
        let servers = Servers::new(settings.idle)?;
        Ok(Self { settings, servers })
    }

    /// Runs the promises of a partition that are due.
    ///
    /// # Errors
    /// The partition's directory or its owner cannot be used. A promise that cannot be run is one that fails.
    pub fn check(&self, check: &Check<'_>) -> io::Result<Report> {
        let mut promises = discovery::promises(check.directory)?;
        if let Some(only) = check.only {
            promises.retain(|promise| promise.is_plugin && only.contains(&promise.name));
        }
        if promises.is_empty() {
            return Ok(Report::default());
        }
        let partition = Directory::open(check.directory)?;
        let now = self.settings.clock.now();
        let decided: Vec<_> =
            promises.iter().map(|promise| self.decide(promise, check, &partition, now)).collect();
        let mut outcomes: Vec<Outcome> = promises.iter().map(|_| Outcome::default()).collect();
        let mut due = VecDeque::new();
        for (at, decision) in decided.into_iter().enumerate() {
            match decision {
                Decision::Run => due.push_back(at),
                Decision::Skip => outcomes[at].is_skipped = true,
                Decision::StillFails(result) => {
                    outcomes[at].is_skipped = true;
                    outcomes[at].failure = Some(failure(&result));
                }
            }
        }
        if !due.is_empty() {
            let round = self.round(check, partition, &promises)?;
            round.run_all(&promises, due, &mut outcomes);
        }
        Ok(report(outcomes))
    }

    fn decide(
        &self,
        promise: &Promise,
        check: &Check<'_>,
        partition: &Directory,
        now: Timestamp,
    ) -> Decision {
        let title = promise.title();
        let cache = Cache::load(partition, title);
        decide(
            cache.as_ref(),
            || PromiseResult::load(partition, title),
            (check.mode, check.force),
            seconds(now),
        )
    }

    fn round<'a>(
        &'a self,
        check: &'a Check<'a>,
        partition: Directory,
        promises: &[Promise],
    ) -> io::Result<Round<'a>> {
        let account = Account::owner_of(check.directory)?;
        if is_root() && account.uid == 0 {
            let text = format!("partition {} belongs to root, who runs no promises", check.directory);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        partition.ensure(".slapgrid/promise", 0o755)?;
        let folder = |path| partition.ensure(path, 0o700);
        remove_deprecated(&partition, promises)?;
        let folders = Folders {
            cache: folder(cache::FOLDER)?,
            log: folder(history::FOLDER)?,
            result: folder(result::FOLDER)?,
            partition,
        };
        let interpreter =
            check.release.and_then(interpreter::of_release).or_else(|| self.settings.python.clone());
        Ok(Round {
            settings: &self.settings,
            check,
            account,
            folders,
            servers: &self.servers,
            interpreter,
            has_banged: Mutex::new(false),
        })
    }
}

impl Round<'_> {
    /// Runs what is due, a few at a time, and puts the outcomes in their places.
    fn run_all(&self, promises: &[Promise], due: VecDeque<usize>, outcomes: &mut [Outcome]) {
        let workers = self.settings.parallel.clamp(1, due.len().max(1));
        let (due, done) = (Mutex::new(due), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let Some(at) = due.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                            return;
                        };
                        let outcome = self.run_one(&promises[at]);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
                    }
                });
            }
        });
        for (at, outcome) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
            outcomes[at] = outcome;
        }
    }

    fn run_one(&self, promise: &Promise) -> Outcome {
        tracing::info!("Checking promise {}...", promise.name);
        let started = Instant::now();
        let ended = if promise.is_plugin { self.run_plugin(promise) } else { self.run_legacy(promise) };
        let ended = ended.unwrap_or_else(|error| plugin::Ended::Silent(Some(error.to_string())));
        let limit = self.settings.timeout.as_secs();
        let (kind, failed, date, message) = match ended {
            plugin::Ended::Empty => return Outcome { is_skipped: true, ..Outcome::default() },
            plugin::Ended::Result { kind, failed, date, message } => (kind, failed, date, message),
            plugin::Ended::OutOfTime => {
                self.silent(promise, format!("Error: Promise timed out after {limit} seconds"))
            }
            plugin::Ended::Silent(None) => {
                self.silent(promise, "Error: No output returned by the promise".to_owned())
            }
            plugin::Ended::Silent(Some(why)) => {
                self.silent(promise, format!("Error: No output returned by the promise\n{why}"))
            }
        };
        let result = PromiseResult {
            title: promise.title().to_owned(),
            name: promise.name.clone(),
            path: promise.path.clone(),
            execution_time: (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            kind,
            failed,
            date,
            message: result::shortened(&message),
        };
        if failed {
            tracing::error!("{}", result.message);
        }
        if let Err(error) = result.store(&self.folders.result) {
            tracing::error!("failed to keep the result of promise {}: {error}", promise.name);
        }
        Outcome { failure: failed.then(|| failure(&result)), result: Some(result), is_skipped: false }
    }

    fn silent(&self, promise: &Promise, message: String) -> (Kind, bool, Timestamp, String) {
        let previous = PromiseResult::load(&self.folders.partition, promise.title());
        let (kind, failed) = judge_silence(self.check.mode, previous.as_ref());
        (kind, failed, self.settings.clock.now(), message)
    }

    fn run_legacy(&self, promise: &Promise) -> io::Result<plugin::Ended> {
        let now = self.settings.clock.now();
        Cache::new(cache::of_program(&promise.path), seconds(now), true)
            .store(&self.folders.cache, promise.title())?;
        let place = (self.check.directory, &self.account);
        let how = (self.check.mode, self.settings.timeout);
        Ok(match legacy::run(promise, place, how, &self.folders.log, now)? {
            legacy::Ended::OutOfTime => plugin::Ended::OutOfTime,
            // Its word is never enough to bang.
            legacy::Ended::Result { failed, message } => {
                plugin::Ended::Result { kind: Kind::Test, failed, date: self.settings.clock.now(), message }
            }
        })
    }

    fn run_plugin(&self, promise: &Promise) -> io::Result<plugin::Ended> {
        let server = self.server(promise)?;
        let master = self.settings.master.as_ref();
        let certificate = |extension: &str| {
            let directory = master.and_then(|master| master.certificate_repository.as_ref());
            directory.map(|directory| directory.join(format!("{}.{extension}", self.check.partition)))
        };
        let request = json!({
            "name": promise.name,
            "path": promise.path,
            "anomaly": self.check.mode == Mode::Anomaly,
            "may_bang": master.is_some(),
            "configuration": {
                "log-folder": self.folders.log.path(),
                "partition-folder": self.check.directory,
                "debug": false,
                "promise-timeout": self.settings.timeout.as_secs(),
                "master-url": master.map(|master| &master.url),
                "partition-cert": certificate("crt"),
                "partition-key": certificate("key"),
                "partition-id": self.check.partition,
                "computer-id": master.map(|master| &master.computer_id),
                "slapgrid-version": self.settings.version,
            },
        });
        plugin::run(&server, &request, self.settings.timeout, &Asked { round: self, promise })
    }

    fn server(&self, promise: &Promise) -> io::Result<Arc<Server>> {
        let interpreter = self.interpreter.clone().ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "no Python interpreter is known for promise plugins")
        })?;
        let purpose =
            Purpose { interpreter, account: self.account.clone(), path_line: path_line(&promise.path)? };
        self.servers.get(&purpose, promise.path.as_str())
    }
}

/// What one plugin asks for while it runs.
struct Asked<'a> {
    round: &'a Round<'a>,
    promise: &'a Promise,
}

impl Host for Asked<'_> {
    fn scheduled(&self, schedule: Schedule) {
        let runs = match self.round.check.mode {
            Mode::Test => schedule.is_tested,
            Mode::Anomaly => schedule.is_anomaly_detected,
        };
        let cache = Cache::new(schedule, seconds(self.round.settings.clock.now()), runs);
        if let Err(error) = cache.store(&self.round.folders.cache, self.promise.title()) {
            tracing::error!("failed to keep the schedule of promise {}: {error}", self.promise.name);
        }
    }

    fn may_bang(&self) -> bool {
        let mut has_banged = self.round.has_banged.lock().unwrap_or_else(PoisonError::into_inner);
        self.round.settings.master.is_some()
            && self.round.check.mode == Mode::Anomaly
            && !std::mem::replace(&mut *has_banged, true)
    }

    fn bang(&self, message: &str) -> Result<bool, String> {
        let Some(master) = &self.round.settings.master else { return Ok(false) };
        if !self.may_bang() {
            return Ok(false);
        }
        let certificates = master.certificate_repository.as_deref();
        let sent = watchdog::send(
            &master.url,
            certificates,
            (&master.computer_id, self.round.check.partition),
            message,
        );
        sent.map(|()| true).map_err(|error| {
            // Another promise of this check may have more luck.
            *self.round.has_banged.lock().unwrap_or_else(PoisonError::into_inner) = false;
            error.to_string()
        })
    }
}

fn report(outcomes: Vec<Outcome>) -> Report {
    let mut report = Report::default();
    for outcome in outcomes {
        report.checked.extend(outcome.result);
        report.failures.extend(outcome.failure);
        report.skipped += usize::from(outcome.is_skipped);
    }
    if report.skipped > 0 {
        tracing::info!("{} promises didn't need to be checked.", report.skipped);
    }
    report
}

fn failure(result: &PromiseResult) -> PromiseFailure {
    PromiseFailure { name: result.name.clone(), message: result.message.clone() }
}

fn seconds(time: Timestamp) -> f64 {
    Duration::try_from(time.duration_since(Timestamp::UNIX_EPOCH)).map_or(0.0, |since| since.as_secs_f64())
}

/// The line with which a plugin sets its path; plugins with the same one share an interpreter. Empty when it has none.
fn path_line(plugin: &Utf8Path) -> io::Result<String> {
    let text = fs_err::read(plugin)?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().find(|line| line.starts_with("sys.path[0:0]")).unwrap_or_default().to_owned())
}

/// Removes what older versions kept.
fn remove_deprecated(partition: &Directory, promises: &[Promise]) -> io::Result<()> {
    let Some(folder) = partition.enter(".slapgrid/promise")? else { return Ok(()) };
    for name in promises.iter().map(|promise| &promise.name) {
        folder.remove(&format!("{name}.timestamp"))?;
        folder.remove(&format!("{name}.periodicity"))?;
    }
    for name in ["promise_stats.json", "promise_status.json", "global.json", "public.json"] {
        folder.remove(name)?;
    }
    Ok(())
}
