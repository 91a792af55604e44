//! One process of the daemon: what it is meant to be, what it is, and what is to happen to it without anybody's asking.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use host::inhabitants::Inhabitant;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::client::ProcessState;
use super::super::lifecycle::Deaths;
use super::super::settings::{ProgramSettings, Role};
use super::super::xml_rpc::Value;
use super::log_file::LogFile;

/// A log that a process's output is copied into, by a task of its own.
pub(super) type SharedLog = Rc<RefCell<LogFile>>;

/// How often what a stopping process leaves behind is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

pub(super) struct Process {
    pub(super) settings: ProgramSettings,
    pub(super) state: ProcessState,
    /// The process itself, while it lives or was not collected.
    pub(super) pid: Option<u32>,
    /// When that one started, in ticks of the machine.
    pub(super) ticks: u64,
    pub(super) started: Option<Timestamp>,
    pub(super) stopped: Option<Timestamp>,
    /// When it was started, by the clock that only goes forward.
    pub(super) alive_since: Instant,
    pub(super) exit_status: i32,
    pub(super) spawn_error: Option<String>,
    /// Whether it is to run whenever the supervisor does.
    pub(super) wanted: bool,
    /// Starts that failed, one after the other.
    pub(super) retries: u32,
    pub(super) deaths: Deaths,
    /// When it is started again by itself, in the states `BACKOFF` and `EXITED`.
    pub(super) restart_at: Option<Instant>,
    pub(super) stopping: Option<Stopping>,
    pub(super) stdin: Option<OwnedFd>,
    pub(super) logs: [Option<SharedLog>; 2],
}

/// What a process that was asked to end is waited for.
pub(super) struct Stopping {
    /// When it is killed.
    pub(super) deadline: Instant,
    pub(super) killed: bool,
    /// The process group that it led, of which something may be left when it is gone itself.
    pub(super) group: Option<u32>,
    /// What it started and moved out of that group.
    pub(super) escaped: Vec<Inhabitant>,
    /// Whether to start it when it is gone.
    pub(super) start_again: bool,
}

impl Process {
    pub(super) fn new(settings: ProgramSettings) -> Self {
        Self {
            settings,
            state: ProcessState::Stopped,
            pid: None,
            ticks: 0,
            started: None,
            stopped: None,
            alive_since: Instant::now(),
            exit_status: 0,
            spawn_error: None,
            wanted: false,
            retries: 0,
            deaths: Deaths::default(),
            restart_at: None,
            stopping: None,
            stdin: None,
            logs: [None, None],
        }
    }

    /// The watchdog, which runs inside the daemon whenever it has somebody to tell.
    pub(super) fn is_builtin(&self) -> bool {
        matches!(self.settings.role, Role::Watchdog(_))
    }

    /// Whether something is to be done about it by itself.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.state == ProcessState::Stopping || self.due().is_some_and(|due| now >= due)
    }

    /// When something is to be done about it by itself.
    pub(super) fn due(&self) -> Option<Instant> {
        match (self.state, &self.stopping) {
            (ProcessState::Starting, _) => Some(self.alive_since + self.settings.start_seconds),
            (ProcessState::Backoff | ProcessState::Exited, _) => self.restart_at,
            (ProcessState::Stopping, Some(stopping)) if self.pid.is_none() => {
                Some(Instant::now() + LOOK_INTERVAL)
            }
            (ProcessState::Stopping, Some(stopping)) if stopping.killed => {
                Some(Instant::now() + LOOK_INTERVAL)
            }
            (ProcessState::Stopping, Some(stopping)) => Some(stopping.deadline),
            _ => None,
        }
    }

    /// The file of its output (0) or error output (1).
    pub(super) fn log_path(&self, output: usize) -> Option<&Utf8PathBuf> {
        match output {
            0 => self.settings.stdout.file.as_ref(),
            // Compatibility: merged error output has no file, whatever the configuration names.
            _ => self.settings.stderr.file.as_ref().filter(|_| !self.settings.merge_output),
        }
    }

    /// What clients are told of it.
    pub(super) fn info(&self, group: &str, now: Timestamp) -> Value {
        let seconds = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_second);
        let text = |text: &str| Value::Text(text.to_owned());
        let log = |output| text(self.log_path(output).map(|path| path.as_str()).unwrap_or_default());
        let members = [
            ("name", text(&self.settings.name)),
            ("group", text(group)),
            ("start", seconds(self.started).into()),
            ("stop", seconds(self.stopped).into()),
            ("now", now.as_second().into()),
            ("state", self.state.number().into()),
            ("statename", text(self.state.name())),
            ("spawnerr", text(self.spawn_error.as_deref().unwrap_or_default())),
            ("exitstatus", i64::from(self.exit_status).into()),
            ("logfile", log(0)),
            ("stdout_logfile", log(0)),
            ("stderr_logfile", log(1)),
            ("pid", i64::from(self.pid.unwrap_or_default()).into()),
            ("description", Value::Text(self.description(now))),
        ];
        Value::Struct(members.map(|(name, value)| (name.to_owned(), value)).to_vec())
    }

    fn description(&self, now: Timestamp) -> String {
        match self.state {
            ProcessState::Running => {
                let up = now.as_second() - self.started.map_or(0, Timestamp::as_second);
                format!("pid {}, uptime {}", self.pid.unwrap_or_default(), python_duration(up.max(0)))
            }
            ProcessState::Fatal | ProcessState::Backoff => match &self.spawn_error {
                Some(error) => error.clone(),
                None => format!("unknown error (try \"tail {}\")", self.settings.name),
            },
            ProcessState::Stopped | ProcessState::Exited => match (self.started, self.stopped) {
                (Some(_), stopped) => {
                    let stopped = stopped.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
                    stopped.strftime("%b %d %I:%M %p").to_string()
                }
                (None, _) => "Not started".to_owned(),
            },
            ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => String::new(),
        }
    }
}

/// A duration as Python prints one: `0:02:47`, `1 day, 0:00:00`.
fn python_duration(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        days => format!("{days} days, {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_pythons() {
        assert_eq!(python_duration(167), "0:02:47");
        assert_eq!(python_duration(86_400 + 3_661), "1 day, 1:01:01");
        assert_eq!(python_duration(2 * 86_400 + 36_000), "2 days, 10:00:00");
    }
}
