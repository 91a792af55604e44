//! Runs one plugin: asks a warm interpreter for it, follows what it says, and ends it when its time is up.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use host::children::{signal_process, signal_process_group, signals};
use host::inhabitants::Inhabitant;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cache::Schedule;
use super::result::Kind;
use super::server::{Server, line};

/// How long a promise that was asked to end may take.
const TERMINATION: Duration = Duration::from_secs(1);

/// The longest thing that a promise may say at once, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// What came of one run.
#[derive(Debug)]
pub(super) enum Ended {
    /// It gave a result.
    Result { kind: Kind, failed: bool, date: Timestamp, message: String },
    /// It does not run in this mode.
    Empty,
    /// It ended without a result, for a reason that may be known.
    Silent(Option<String>),
    /// Its time was up.
    OutOfTime,
}

/// What a promise may ask for while it runs.
pub(super) trait Host {
    /// It tells when it wants to run.
    fn scheduled(&self, schedule: Schedule);
    /// It asks whether it may bang the master by itself.
    fn may_bang(&self) -> bool;
    /// It wants the master to be banged; returns whether it was.
    fn bang(&self, message: &str) -> Result<bool, String>;
}

/// One line of what a promise says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    pid: Option<u32>,
    schedule: Option<Schedule>,
    may_bang: bool,
    bang: Option<String>,
    result: Option<SaidResult>,
    empty: bool,
    error: Option<String>,
    traceback: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SaidResult {
    #[serde(rename = "type")]
    kind: Kind,
    failed: bool,
    date: String,
    message: Option<String>,
}

/// Runs the plugin that `request` describes, for at most `limit`.
pub(super) fn run(server: &Server, request: &Value, limit: Duration, host: &dyn Host) -> io::Result<Ended> {
    let mut connection = server.connect()?;
    connection.set_write_timeout(Some(limit))?;
    connection.write_all(&line(request))?;
    let mut conversation = Conversation {
        reader: BufReader::new(connection.try_clone()?),
        connection,
        deadline: Instant::now() + limit,
        pid: None,
        outcome: Ended::Silent(None),
    };
    match conversation.follow(host) {
        Ok(()) => Ok(conversation.outcome),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            conversation.end(server.pid());
            // What it said before its time was up counts: it only failed to end.
            Ok(if matches!(conversation.outcome, Ended::Silent(_)) {
                Ended::OutOfTime
            } else {
                conversation.outcome
            })
        }
        Err(error) => Ok(Ended::Silent(Some(error.to_string()))),
    }
}

struct Conversation {
    reader: BufReader<UnixStream>,
    connection: UnixStream,
    deadline: Instant,
    pid: Option<u32>,
    outcome: Ended,
}

impl Conversation {
    /// Follows until the promise's process has closed the connection; the error of a time-out is that of the socket.
    fn follow(&mut self, host: &dyn Host) -> io::Result<()> {
        while let Some(said) = self.next()? {
            if said.pid.is_some() {
                self.pid = said.pid;
            }
            if let Some(schedule) = said.schedule {
                host.scheduled(schedule);
            }
            if said.may_bang {
                self.connection.write_all(&line(&json!({ "granted": host.may_bang() })))?;
            }
            if let Some(message) = said.bang {
                let answer = match host.bang(&message) {
                    Ok(granted) => json!({ "granted": granted }),
                    Err(error) => json!({ "granted": false, "error": error }),
                };
                self.connection.write_all(&line(&answer))?;
            }
            if said.empty {
                self.outcome = Ended::Empty;
            }
            if let Some(error) = said.error {
                tracing::debug!("{}", said.traceback.unwrap_or_default());
                self.outcome = Ended::Silent(Some(error));
            }
            if let Some(SaidResult { kind, failed, date, message }) = said.result {
                let date = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &date)
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                self.outcome = Ended::Result { kind, failed, date, message: message.unwrap_or_default() };
            }
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Said>> {
        let mut text = Vec::new();
        while !text.ends_with(b"\n") {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.connection.set_read_timeout(Some(left))?;
            let room = LONGEST_LINE - text.len() as u64;
            if room == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the promise says too much"));
            }
            if self.reader.by_ref().take(room).read_until(b'\n', &mut text)? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(serde_json::from_slice(&text)?))
    }

    /// Asks the process to end, and everything that it started, and does not ask twice.
    fn end(&mut self, parent: u32) {
        // The number comes from code that we do not trust; only a child of its interpreter is signalled.
        let child = self.pid.and_then(Inhabitant::find).filter(|process| process.parent == parent);
        let Some(process) = child else { return };
        let send = |signal| {
            let sent = if process.group == process.pid {
                signal_process_group(process.pid, signal)
            } else {
                signal_process(process.pid, signal)
            };
            if let Err(error) = sent {
                tracing::warn!("failed to end the promise's process {}: {error}", process.pid);
            }
        };
        send(signals::TERM);
        self.deadline = Instant::now() + TERMINATION;
        while matches!(self.next(), Ok(Some(_))) {}
        let is_same = Inhabitant::find(process.pid).is_some_and(|found| found.started == process.started);
        if is_same {
            send(signals::KILL);
        }
    }
}
