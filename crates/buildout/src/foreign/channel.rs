//! The Python worker: one process per interpreter of a build, and the socket over which both sides ask each other.

use std::collections::BTreeMap;
use std::io::{PipeReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8Path;
use host::process::{Followed, Guardian, Program, end_group, followed};
use host::readable::readable;
use serde_json::{Value, json};

use crate::BuildError;
use crate::jobs::Jobs;

const WORKER: &str = include_str!("../../../../python/slapos_bridge/worker.py");
/// Modules of the worker, in the order in which they are needed.
const MODULES: [(&str, &str); 3] = [
    ("distributions", include_str!("../../../../python/slapos_bridge/distributions.py")),
    ("recipe", include_str!("../../../../python/slapos_bridge/recipe.py")),
    ("stand_ins", include_str!("../../../../python/slapos_bridge/stand_ins.py")),
];
const PROTOCOL: u32 = 1;
/// How long the worker may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A line that is longer than this is told in pieces.
const LONGEST_LINE: usize = 1024 * 1024;

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

/// Where what recipes print goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// To whoever asks the worker, line by line.
    Followed,
    /// Where the output of this program goes.
    Passed,
}

/// A running worker. Each method holds its lock only for one message, so calls may nest.
pub(super) struct Channel {
    connection: Mutex<Connection>,
}

struct Connection {
    socket: UnixStream,
    /// What came over the socket and is not a whole message yet.
    received: Vec<u8>,
    /// What the worker and its children write, when that is followed and not at its end.
    output: Option<PipeReader>,
    /// The beginning of a line of it.
    begun: Vec<u8>,
    child: Child,
    /// An interrupted build ends what recipes run.
    followed: Option<Followed>,
    /// Ends what recipes have started when this process is killed.
    _guardian: Guardian,
    /// The environment as the worker has it.
    environment: BTreeMap<String, String>,
    /// Errors of the engine that the worker was told of, by number: when one comes back it is the same error.
    errors: Vec<Option<BuildError>>,
}

impl Channel {
    /// Starts a worker with this environment in this directory and waits until it answers. Makes that its recipes start
    /// share `jobs`.
    pub(super) fn start(
        python: &Utf8Path,
        environment: &BTreeMap<String, String>,
        directory: &Utf8Path,
        output: Output,
        jobs: Option<&Jobs>,
    ) -> Result<Self, WorkerError> {
        let (ours, theirs) = UnixStream::pair().map_err(WorkerError::Start)?;
        let (output, stdout, stderr) = match output {
            Output::Passed => (None, Stdio::inherit(), Stdio::inherit()),
            Output::Followed => {
                let (reader, writer) = std::io::pipe().map_err(WorkerError::Start)?;
                let again = writer.try_clone().map_err(WorkerError::Start)?;
                (Some(reader), Stdio::from(writer), Stdio::from(again))
            }
        };
        let program = Program::new(python)
            .args(["-I", "-W", "ignore", "-c", WORKER])
            .envs(environment)
            .directory(directory);
        let program = match jobs {
            Some(jobs) => jobs.lend(program),
            None => program,
        };
        let child =
            program.spawn(Stdio::from(OwnedFd::from(theirs)), stdout, stderr).map_err(WorkerError::Start)?;
        let followed = Some(followed(&child));
        let guardian = Guardian::of(&child).map_err(WorkerError::Start)?;
        let connection = Connection {
            _guardian: guardian,
            socket: ours,
            received: Vec::new(),
            output,
            begun: Vec::new(),
            child,
            followed,
            environment: environment.clone(),
            errors: Vec::new(),
        };
        let channel = Self { connection: Mutex::new(connection) };
        channel.send(&json!({"ask": "hello", "protocol": PROTOCOL, "sources": MODULES}))?;
        let mut said = String::new();
        let answer = channel.locked(|connection| {
            connection.receive(Some(START_LIMIT), &mut |line| {
                said.push('\n');
                said.push_str(line);
            })
        })?;
        match answer.get("error").and_then(|error| error.get("traceback")).and_then(Value::as_str) {
            Some(trace) => Err(WorkerError::Ended(format!(" at its start: {trace}{said}"))),
            None => Ok(channel),
        }
    }

    pub(super) fn send(&self, message: &Value) -> Result<(), WorkerError> {
        let mut line = message.to_string();
        line.push('\n');
        self.locked(|connection| {
            let sent = connection.socket.write_all(line.as_bytes());
            sent.map_err(|error| connection.why_ended(error, &mut |_| {}))
        })
    }

    /// Waits for a message; `on_line` gets each line that recipes have printed before it.
    pub(super) fn receive(&self, on_line: &mut dyn FnMut(&str)) -> Result<Value, WorkerError> {
        self.locked(|connection| connection.receive(None, on_line))
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
    fn receive(
        &mut self,
        limit: Option<Duration>,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Value, WorkerError> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                // What was printed before the message comes before what the message says.
                self.take_output(on_line);
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let message: Value = serde_json::from_slice(&line).map_err(WorkerError::Message)?;
                if message.get("ask").is_none() {
                    self.end_line(on_line);
                }
                return Ok(message);
            }
            let [has_message, has_output] = match &self.output {
                Some(output) => readable([self.socket.as_fd(), output.as_fd()], limit),
                None => readable([self.socket.as_fd()], limit).map(|[socket]| [socket, false]),
            }
            .map_err(WorkerError::Broken)?;
            if has_output {
                self.take_output(on_line);
            }
            if has_message {
                match self.socket.read(&mut buffer) {
                    Ok(0) => return Err(self.why_ended(std::io::ErrorKind::UnexpectedEof.into(), on_line)),
                    Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                    Err(error) => return Err(self.why_ended(error, on_line)),
                }
            } else if !has_output {
                return Err(WorkerError::Broken(std::io::ErrorKind::TimedOut.into()));
            }
        }
    }

    /// Takes what has been printed so far.
    fn take_output(&mut self, on_line: &mut dyn FnMut(&str)) {
        let mut buffer = [0; 16 * 1024];
        while let Some(output) = &mut self.output {
            if !matches!(readable([output.as_fd()], Some(Duration::ZERO)), Ok([true])) {
                return;
            }
            match output.read(&mut buffer) {
                Ok(count) if count > 0 => self.begun.extend_from_slice(&buffer[..count]),
                // The last one who could print has ended.
                _ => self.output = None,
            }
            while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.begun.drain(..=end).collect();
                on_line(&String::from_utf8_lossy(&line[..end]));
            }
            if self.begun.len() > LONGEST_LINE {
                self.end_line(on_line);
            }
        }
    }

    /// Takes what was printed without a line break behind it.
    fn end_line(&mut self, on_line: &mut dyn FnMut(&str)) {
        if !self.begun.is_empty() {
            let line = std::mem::take(&mut self.begun);
            on_line(&String::from_utf8_lossy(&line));
        }
    }

    /// Turns a broken connection into how the worker ended, if it did.
    fn why_ended(&mut self, error: std::io::Error, on_line: &mut dyn FnMut(&str)) -> WorkerError {
        use std::os::unix::process::ExitStatusExt;
        self.take_output(on_line);
        self.end_line(on_line);
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
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        end_group(&self.child);
        // Before the wait: afterwards the number may belong to somebody else.
        self.followed = None;
        let _ = self.child.wait();
    }
}
