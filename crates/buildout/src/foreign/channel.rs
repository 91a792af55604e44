//! The Python worker: one process per interpreter of a build, and the socket over which both sides ask each other.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8Path;
use host::process::{Program, end_group};
use serde_json::{Value, json};

use crate::BuildError;

const WORKER: &str = include_str!("../../../../python/slapos_bridge/worker.py");
/// Modules of the worker, in the order in which they are needed.
const MODULES: [(&str, &str); 2] = [
    ("recipe", include_str!("../../../../python/slapos_bridge/recipe.py")),
    ("stand_ins", include_str!("../../../../python/slapos_bridge/stand_ins.py")),
];
const PROTOCOL: u32 = 1;
/// How long the worker may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Why the worker did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    /// It could not be started.
    #[error("the Python worker could not be started")]
    Start(#[source] std::io::Error),
    /// It ended.
    #[error("the Python worker ended{0}")]
    Ended(String),
    /// It could not be spoken to.
    #[error("the connection to the Python worker broke")]
    Broken(#[source] std::io::Error),
    /// It said something that is no message.
    #[error("the Python worker sent what is no message")]
    Message(#[source] serde_json::Error),
}

/// A running worker. Each method holds its lock only for one message, so calls may nest.
pub(super) struct Channel {
    connection: Mutex<Connection>,
}

struct Connection {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    child: Child,
    /// The environment as the worker has it.
    environment: BTreeMap<String, String>,
    /// Errors of the engine that the worker was told of, by number: when one comes back it is the same error.
    errors: Vec<Option<BuildError>>,
}

impl Channel {
    /// Starts a worker with this environment in this directory and waits until it answers.
    pub(super) fn start(
        python: &Utf8Path,
        environment: &BTreeMap<String, String>,
        directory: &Utf8Path,
    ) -> Result<Self, WorkerError> {
        let (ours, theirs) = UnixStream::pair().map_err(WorkerError::Start)?;
        let child = Program::new(python)
            .args(["-I", "-W", "ignore", "-c", WORKER])
            .envs(environment)
            .directory(directory)
            .spawn(Stdio::from(OwnedFd::from(theirs)), Stdio::inherit(), Stdio::inherit())
            .map_err(WorkerError::Start)?;
        let reader = BufReader::new(ours.try_clone().map_err(WorkerError::Start)?);
        let environment = environment.clone();
        let connection = Connection { reader, writer: ours, child, environment, errors: Vec::new() };
        let channel = Self { connection: Mutex::new(connection) };
        channel.limit(Some(START_LIMIT))?;
        channel.send(&json!({"ask": "hello", "protocol": PROTOCOL, "sources": MODULES}))?;
        let answer = channel.receive()?;
        channel.limit(None)?;
        match answer.get("error").and_then(|error| error.get("traceback")).and_then(Value::as_str) {
            Some(trace) => Err(WorkerError::Ended(format!(" at its start: {trace}"))),
            None => Ok(channel),
        }
    }

    fn limit(&self, limit: Option<Duration>) -> Result<(), WorkerError> {
        self.locked(|connection| connection.writer.set_read_timeout(limit).map_err(WorkerError::Broken))
    }

    pub(super) fn send(&self, message: &Value) -> Result<(), WorkerError> {
        let mut line = message.to_string();
        line.push('\n');
        self.locked(|connection| {
            connection.writer.write_all(line.as_bytes()).map_err(|error| connection.why_ended(error))
        })
    }

    pub(super) fn receive(&self) -> Result<Value, WorkerError> {
        self.locked(|connection| {
            let mut line = Vec::new();
            match connection.reader.read_until(b'\n', &mut line) {
                Ok(0) => Err(connection.why_ended(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))),
                Ok(_) => serde_json::from_slice(&line).map_err(WorkerError::Message),
                Err(error) => Err(connection.why_ended(error)),
            }
        })
    }

    /// What has to change in the worker's environment for it to be `wanted`; it counts as changed then.
    pub(super) fn environment_changes(&self, wanted: &BTreeMap<String, String>) -> Value {
        self.locked(|connection| {
            let known = std::mem::replace(&mut connection.environment, wanted.clone());
            let set = wanted.iter().filter(|(name, value)| known.get(*name) != Some(value));
            let mut changes: serde_json::Map<String, Value> =
                set.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
            let removed = known.into_keys().filter(|name| !wanted.contains_key(name));
            changes.extend(removed.map(|name| (name, Value::Null)));
            Value::Object(changes)
        })
    }

    /// Notes what the worker changed in its environment, and does the same to `environment`.
    pub(super) fn take_environment(&self, changes: &Value, environment: &mut BTreeMap<String, String>) {
        let Some(changes) = changes.as_object() else { return };
        self.locked(|connection| {
            for (name, value) in changes {
                for target in [&mut connection.environment, &mut *environment] {
                    match value.as_str() {
                        Some(value) => target.insert(name.clone(), value.to_owned()),
                        None => target.remove(name),
                    };
                }
            }
        });
    }

    /// Keeps an error that the worker is told of; gives its number.
    pub(super) fn keep_error(&self, error: BuildError) -> usize {
        self.locked(|connection| {
            connection.errors.push(Some(error));
            connection.errors.len() - 1
        })
    }

    /// The error of that number, once.
    pub(super) fn take_error(&self, number: usize) -> Option<BuildError> {
        self.locked(|connection| connection.errors.get_mut(number).and_then(Option::take))
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        work(&mut self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Connection {
    /// Turns a broken connection into how the worker ended, if it did.
    fn why_ended(&mut self, error: std::io::Error) -> WorkerError {
        use std::os::unix::process::ExitStatusExt;
        if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) {
            return WorkerError::Broken(error);
        }
        // The socket ends a moment before the process does.
        end_group(&self.child);
        match self.child.wait() {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => WorkerError::Ended(format!(" with exit code {code}")),
                (None, Some(signal)) => WorkerError::Ended(format!(" by signal {signal}")),
                (None, None) => WorkerError::Ended(String::new()),
            },
            Err(_) => WorkerError::Broken(error),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without its socket the worker ends by itself; what recipes left running in its group ends with it.
        let _ = self.writer.shutdown(std::net::Shutdown::Both);
        end_group(&self.child);
        let _ = self.child.wait();
    }
}
