//! Talks to a running supervisor, ours or supervisord: XML-RPC in HTTP over its socket.

mod process;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

pub(super) use self::process::full_name;
pub use self::process::{ProcessInfo, ProcessOutcome, ProcessState};
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
