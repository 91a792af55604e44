//! Programs that are told of what happens to processes: supervisord's event listeners.
//!
//! A listener prints `READY`, gets one event, prints `RESULT` and its answer, and is ready again. It never makes the
//! daemon wait: what a slow one has no room for is dropped.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::super::client::ProcessState;

/// How many events wait for a listener.
const ROOM: usize = 64;

/// A process changed its state.
#[derive(Debug, Clone)]
pub(super) struct ProcessEvent {
    pub(super) process: String,
    pub(super) group: String,
    pub(super) from: ProcessState,
    pub(super) to: ProcessState,
    pub(super) tries: u32,
    /// Whether the code with which it ended was an expected one; `None` when it did not end.
    pub(super) expected: Option<bool>,
    pub(super) pid: Option<u32>,
}

impl ProcessEvent {
    fn name(&self) -> String {
        format!("PROCESS_STATE_{}", self.to.name())
    }

    fn payload(&self) -> String {
        let Self { process, group, from, .. } = self;
        let pid = self.pid.unwrap_or_default();
        let more = match self.to {
            ProcessState::Exited => {
                format!(" expected:{} pid:{pid}", i32::from(self.expected.unwrap_or(false)))
            }
            ProcessState::Starting | ProcessState::Backoff => format!(" tries:{}", self.tries),
            ProcessState::Running | ProcessState::Stopping | ProcessState::Stopped => format!(" pid:{pid}"),
            ProcessState::Fatal | ProcessState::Unknown => String::new(),
        };
        format!("processname:{process} groupname:{group} from_state:{}{more}", from.name())
    }
}

/// Everybody who is told.
#[derive(Default)]
pub(super) struct Listeners {
    pools: BTreeMap<String, (Vec<String>, mpsc::Sender<Message>)>,
    serial: u64,
}

struct Message {
    serial: u64,
    name: String,
    payload: String,
}

impl Listeners {
    /// Talks to a listener that was just started through its standard input and output.
    pub(super) fn attach(&mut self, pool: String, events: Vec<String>, stdin: OwnedFd, stdout: OwnedFd) {
        let (sender, messages) = mpsc::channel(ROOM);
        self.pools.insert(pool.clone(), (events, sender));
        tokio::task::spawn_local(async move {
            // It ended, or broke the protocol; then its pipes close and it ends too.
            let _ = talk(&pool, messages, stdin, stdout).await;
        });
    }

    pub(super) fn forget(&mut self, pool: &str) {
        self.pools.remove(pool);
    }

    /// Tells those who want to know.
    pub(super) fn tell(&mut self, event: &ProcessEvent) {
        let name = event.name();
        self.serial += 1;
        for (pool, (events, sender)) in &self.pools {
            // Its own fate is no news to it.
            let wants = events
                .iter()
                .any(|wanted| matches!(wanted.as_str(), "EVENT" | "PROCESS_STATE") || *wanted == name);
            if wants && *pool != event.group {
                let _ = sender.try_send(Message {
                    serial: self.serial,
                    name: name.clone(),
                    payload: event.payload(),
                });
            }
        }
    }
}

async fn talk(
    pool: &str,
    mut messages: mpsc::Receiver<Message>,
    stdin: OwnedFd,
    stdout: OwnedFd,
) -> io::Result<()> {
    let mut stdin = pipe::Sender::from_owned_fd(stdin)?;
    let mut stdout = BufReader::new(pipe::Receiver::from_owned_fd(stdout)?);
    let mut line = String::new();
    for pool_serial in 0_u64.. {
        loop {
            line.clear();
            if stdout.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line.trim_end() == "READY" {
                break;
            }
        }
        let Some(Message { serial, name, payload }) = messages.recv().await else { return Ok(()) };
        let head = format!(
            "ver:3.0 server:supervisor serial:{serial} pool:{pool} poolserial:{pool_serial} eventname:{name} len:{}\n",
            payload.len()
        );
        stdin.write_all(head.as_bytes()).await?;
        stdin.write_all(payload.as_bytes()).await?;
        line.clear();
        stdout.read_line(&mut line).await?;
        let length = line.trim_end().strip_prefix("RESULT ").and_then(|length| length.parse::<u64>().ok());
        let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        // Whether it says OK or FAIL: an event that it could not handle is not told again.
        tokio::io::copy(&mut (&mut stdout).take(length.min(1 << 20)), &mut tokio::io::sink()).await?;
    }
    Ok(())
}
