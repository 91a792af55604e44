//! What a supervisor tells about processes.

use crate::supervisor::xml_rpc::Value;

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessState {
    /// Ended on request, or never started.
    Stopped,
    /// Started, and not yet up for as long as configured.
    Starting,
    /// Up.
    Running,
    /// Did not start, and is tried again.
    Backoff,
    /// Asked to end.
    Stopping,
    /// Ended by itself.
    Exited,
    /// Did not start, and is not tried again.
    Fatal,
    /// Something a supervisor should never say.
    Unknown,
}

impl ProcessState {
    const ALL: [(Self, i64, &'static str); 8] = [
        (Self::Stopped, 0, "STOPPED"),
        (Self::Starting, 10, "STARTING"),
        (Self::Running, 20, "RUNNING"),
        (Self::Backoff, 30, "BACKOFF"),
        (Self::Stopping, 40, "STOPPING"),
        (Self::Exited, 100, "EXITED"),
        (Self::Fatal, 200, "FATAL"),
        (Self::Unknown, 1000, "UNKNOWN"),
    ];

    /// Its number.
    #[must_use]
    pub fn number(self) -> i64 {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or(1000, |(_, number, _)| *number)
    }

    /// Its name, in capitals.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("UNKNOWN", |(.., name)| *name)
    }

    /// The state of that number.
    #[must_use]
    pub fn of_number(number: i64) -> Self {
        Self::ALL.iter().find(|(_, known, _)| *known == number).map_or(Self::Unknown, |(state, ..)| *state)
    }

    /// Whether a process in this state is up or being brought up.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Backoff)
    }

    /// Whether there is no process, nor will be without somebody's asking.
    #[must_use]
    pub fn is_stopped(self) -> bool {
        matches!(self, Self::Stopped | Self::Exited | Self::Fatal | Self::Unknown)
    }
}

/// What a supervisor tells about one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Name of the process inside its group.
    pub name: String,
    /// Name of the group.
    pub group: String,
    /// When it was last started, in seconds since 1970; 0 for never.
    pub start: i64,
    /// When it last ended, likewise.
    pub stop: i64,
    /// The supervisor's present, likewise.
    pub now: i64,
    /// Its state.
    pub state: ProcessState,
    /// Why it could not be started; empty when it could.
    pub spawn_error: String,
    /// The code with which it last ended.
    pub exit_status: i64,
    /// Process number; 0 when there is none.
    pub pid: u32,
    /// The file of its standard output; empty when there is none.
    pub stdout_log: String,
    /// The file of its standard error; empty when there is none, or it is that of the output.
    pub stderr_log: String,
    /// What `status` prints after the state.
    pub description: String,
}

impl ProcessInfo {
    /// `group:name`, or the name alone for the only process of a group of the same name.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_name(&self.group, &self.name)
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.member(name).and_then(Value::as_text).map(str::to_owned);
        let number = |name: &str| value.member(name).and_then(Value::as_integer);
        Some(Self {
            name: text("name")?,
            group: text("group")?,
            start: number("start")?,
            stop: number("stop")?,
            now: number("now")?,
            state: ProcessState::of_number(number("state")?),
            spawn_error: text("spawnerr").unwrap_or_default(),
            exit_status: number("exitstatus").unwrap_or_default(),
            pid: number("pid").and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default(),
            stdout_log: text("stdout_logfile").unwrap_or_default(),
            stderr_log: text("stderr_logfile").unwrap_or_default(),
            description: text("description").unwrap_or_default(),
        })
    }
}

/// What became of one process of a call about several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessOutcome {
    /// Name of the process.
    pub name: String,
    /// Name of its group.
    pub group: String,
    /// [`code::SUCCESS`](crate::supervisor::xml_rpc::code::SUCCESS), or the number of a fault.
    pub status: i64,
    /// `OK`, or the text of a fault.
    pub description: String,
}

impl ProcessOutcome {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.member(name).and_then(Value::as_text).map(str::to_owned);
        Some(Self {
            name: text("name")?,
            group: text("group")?,
            status: value.member("status").and_then(Value::as_integer)?,
            description: text("description").unwrap_or_default(),
        })
    }
}

/// `group:name`, or the name alone for the only process of a group of the same name.
pub(in crate::supervisor) fn full_name(group: &str, name: &str) -> String {
    if group == name { name.to_owned() } else { format!("{group}:{name}") }
}
