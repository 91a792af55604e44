//! Talks to a running supervisor, ours or supervisord: XML-RPC in HTTP over its socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::xml_rpc::{self, Fault, NotationError, Value, code};

/// A supervisor's address. Each call is a connection of its own.
#[derive(Debug, Clone)]
pub struct Client {
    socket: Utf8PathBuf,
    timeout: Duration,
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers on the socket.
    #[error("no supervisor answers on `{socket}`")]
    Unreachable {
        /// The socket.
        socket: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The supervisor refused.
    #[error("supervisor refused `{method}`")]
    Refused {
        /// The method called.
        method: String,
        /// Its answer.
        #[source]
        fault: Fault,
    },
    /// The answer is not one of a supervisor.
    #[error("`{socket}` gave an answer that is not a supervisor's")]
    Nonsense {
        /// The socket.
        socket: Utf8PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ClientError {
    /// The number of the fault, when the supervisor refused.
    #[must_use]
    pub fn fault_code(&self) -> Option<i64> {
        if let Self::Refused { fault, .. } = self { Some(fault.code) } else { None }
    }
}

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
        if self.group == self.name { self.name.clone() } else { format!("{}:{}", self.group, self.name) }
    }

    fn read(value: &Value) -> Option<Self> {
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
    /// [`code::SUCCESS`], or the number of a fault.
    pub status: i64,
    /// `OK`, or the text of a fault.
    pub description: String,
}

impl ProcessOutcome {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.member(name).and_then(Value::as_text).map(str::to_owned);
        Some(Self {
            name: text("name")?,
            group: text("group")?,
            status: value.member("status").and_then(Value::as_integer)?,
            description: text("description").unwrap_or_default(),
        })
    }
}

/// What differs between the files and what the supervisor has loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigurationDifference {
    /// Groups only in the files.
    pub added: Vec<String>,
    /// Groups that differ.
    pub changed: Vec<String>,
    /// Groups that are in no file.
    pub removed: Vec<String>,
}

impl Client {
    /// A client of the supervisor on `socket`.
    #[must_use]
    pub fn new(socket: impl Into<Utf8PathBuf>) -> Self {
        Self { socket: socket.into(), timeout: Duration::from_secs(30) }
    }

    /// The same with another limit for one answer; stopping waits longer by itself.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Utf8Path {
        &self.socket
    }

    /// The state of the supervisor itself: 1 when it runs, -1 when it is ending.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn state(&self) -> Result<i64, ClientError> {
        let answer = self.call("supervisor.getState", &[])?;
        answer
            .member("statecode")
            .and_then(Value::as_integer)
            .ok_or_else(|| self.nonsense("a state without code"))
    }

    /// The supervisor's process number.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn pid(&self) -> Result<u32, ClientError> {
        let answer = self.call("supervisor.getPID", &[])?;
        let pid = answer.as_integer().and_then(|pid| u32::try_from(pid).ok());
        pid.ok_or_else(|| self.nonsense("a process number that is none"))
    }

    /// All processes, sorted by group and name.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn processes(&self) -> Result<Vec<ProcessInfo>, ClientError> {
        let answer = self.call("supervisor.getAllProcessInfo", &[])?;
        let read: Option<Vec<_>> = answer.elements().iter().map(ProcessInfo::read).collect();
        read.ok_or_else(|| self.nonsense("an incomplete process"))
    }

    /// One process, by its full name.
    ///
    /// # Errors
    /// As [`Client::call`]; an unknown name is a fault [`code::BAD_NAME`].
    pub fn process(&self, name: &str) -> Result<ProcessInfo, ClientError> {
        let answer = self.call("supervisor.getProcessInfo", &[name.into()])?;
        ProcessInfo::read(&answer).ok_or_else(|| self.nonsense("an incomplete process"))
    }

    /// Starts what is not running of a group, without waiting; a group that does not exist has nothing to start.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn start_group(&self, group: &str) -> Result<Vec<ProcessOutcome>, ClientError> {
        match self.call("supervisor.startProcessGroup", &[group.into(), false.into()]) {
            Err(error) if error.fault_code() == Some(code::BAD_NAME) => Ok(Vec::new()),
            answer => self.outcomes(&answer?),
        }
    }

    /// Stops a group and waits until nothing of it runs; a group that does not exist is stopped.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn stop_group(&self, group: &str) -> Result<Vec<ProcessOutcome>, ClientError> {
        match self.call_patiently("supervisor.stopProcessGroup", &[group.into(), true.into()]) {
            Err(error) if error.fault_code() == Some(code::BAD_NAME) => Ok(Vec::new()),
            answer => self.outcomes(&answer?),
        }
    }

    /// Stops everything and waits.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn stop_all(&self) -> Result<Vec<ProcessOutcome>, ClientError> {
        let answer = self.call_patiently("supervisor.stopAllProcesses", &[true.into()])?;
        self.outcomes(&answer)
    }

    /// Reads the files again and tells what differs, changing nothing.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn reload_configuration(&self) -> Result<ConfigurationDifference, ClientError> {
        let answer = self.call("supervisor.reloadConfig", &[])?;
        let names = |index: usize| -> Vec<String> {
            let lists = answer.elements().first().map(Value::elements).unwrap_or_default();
            let list = lists.get(index).map(Value::elements).unwrap_or_default();
            list.iter().filter_map(Value::as_text).map(str::to_owned).collect()
        };
        Ok(ConfigurationDifference { added: names(0), changed: names(1), removed: names(2) })
    }

    /// Loads a group that is in the files.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn add_group(&self, group: &str) -> Result<(), ClientError> {
        self.call("supervisor.addProcessGroup", &[group.into()]).map(drop)
    }

    /// Unloads a group of which nothing runs.
    ///
    /// # Errors
    /// As [`Client::call`]; something running is a fault [`code::STILL_RUNNING`].
    pub fn remove_group(&self, group: &str) -> Result<(), ClientError> {
        self.call("supervisor.removeProcessGroup", &[group.into()]).map(drop)
    }

    /// Makes a loaded group be what its file says, program by program: those that are gone or differ are stopped, new
    /// ones are loaded, the others are left alone; nothing is started. `false` when the supervisor cannot do that,
    /// because it is supervisord.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn update_group(&self, group: &str) -> Result<bool, ClientError> {
        match self.call_patiently("slapos.updateProcessGroup", &[group.into()]) {
            Err(error) if error.fault_code() == Some(code::UNKNOWN_METHOD) => Ok(false),
            answer => answer.map(|_| true),
        }
    }

    /// Makes the supervisor stop everything and end.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn shutdown(&self) -> Result<(), ClientError> {
        self.call("supervisor.shutdown", &[]).map(drop)
    }

    /// Calls any method.
    ///
    /// # Errors
    /// Nobody answers, the answer is nonsense, or it is a fault.
    pub fn call(&self, method: &str, parameters: &[Value]) -> Result<Value, ClientError> {
        self.call_within(method, parameters, self.timeout)
    }

    /// A call that stops processes, each of which may take a minute to end.
    pub(super) fn call_patiently(&self, method: &str, parameters: &[Value]) -> Result<Value, ClientError> {
        self.call_within(method, parameters, self.timeout + Duration::from_secs(300))
    }

    fn call_within(&self, method: &str, parameters: &[Value], limit: Duration) -> Result<Value, ClientError> {
        let body = xml_rpc::write_call(method, parameters);
        let answer = self
            .exchange(&body, limit)
            .map_err(|source| ClientError::Unreachable { socket: self.socket.clone(), source })?;
        let document = body_of(&answer).ok_or_else(|| self.nonsense("no successful HTTP answer"))?;
        let answer = xml_rpc::read_answer(document).map_err(|error: NotationError| self.nonsense(error))?;
        answer.map_err(|fault| ClientError::Refused { method: method.to_owned(), fault })
    }

    fn exchange(&self, body: &str, limit: Duration) -> io::Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        let head = format!(
            "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn outcomes(&self, answer: &Value) -> Result<Vec<ProcessOutcome>, ClientError> {
        let read: Option<Vec<_>> = answer.elements().iter().map(ProcessOutcome::read).collect();
        read.ok_or_else(|| self.nonsense("an incomplete outcome"))
    }

    fn nonsense(&self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
        ClientError::Nonsense { socket: self.socket.clone(), source: why.into() }
    }
}

/// The body of an answer with status 200 and a length, which is the only form that a supervisor gives.
fn body_of(answer: &str) -> Option<&str> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    (head.split_whitespace().nth(1)? == "200").then_some(body)
}
