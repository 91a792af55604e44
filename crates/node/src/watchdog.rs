//! The watchdog: when a service ends by itself, the master is asked to have its partition processed again ("bang").
//!
//! Inside the supervisor it is a thread that never makes anybody wait; as the program `slapos-watchdog` it is a
//! listener of supervisord's events.

mod protocol;
mod rule;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use slap::client::{Client, ClientError, Endpoint};
use slap::{ComputerId, PartitionId};

use crate::supervisor::WatchdogArguments;
pub use protocol::{ProtocolError, serve};

/// The first and the longest wait before a master that did not answer is asked again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Why a bang was not sent.
#[derive(Debug, thiserror::Error)]
pub enum BangError {
    /// The computer or the partition has a name that none can have.
    #[error("`{0}` is not the name of a computer or partition")]
    Name(String),
    /// The master did not take it.
    #[error("failed to bang the master")]
    Master(#[from] ClientError),
}

impl BangError {
    /// Whether the same bang may succeed later.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Master(ClientError::Status { status, .. }) => *status >= 500,
            Self::Master(error) => matches!(
                error,
                ClientError::Unreachable { .. } | ClientError::NotReady | ClientError::Certificate { .. }
            ),
        }
    }
}

/// A bang that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bang {
    partition: String,
    process: String,
}

/// A watchdog that works in a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Watchdog {
    bangs: Sender<Bang>,
}

impl Watchdog {
    /// Starts it.
    #[must_use]
    pub fn start(arguments: WatchdogArguments) -> Self {
        let (bangs, received) = channel();
        // Its stack is small because the supervisor's memory counts.
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).stack_size(512 << 10);
        if let Err(error) = thread.spawn(move || work(&arguments, &received)) {
            tracing::error!("failed to start the watchdog: {error}");
        }
        Self { bangs }
    }

    /// A process of a partition ended by itself, or cannot be started.
    pub fn notice(&self, partition: &str, process: &str) {
        let bang = Bang { partition: partition.to_owned(), process: process.to_owned() };
        // Without the thread there is nobody to tell; that was said when it could not be started.
        let _ = self.bangs.send(bang);
    }
}

/// Sends bangs as they come; those that the master did not take wait and are sent again.
fn work(arguments: &WatchdogArguments, received: &Receiver<Bang>) {
    let mut waiting: Vec<Bang> = Vec::new();
    let mut delay = RETRY.0;
    let mut next_try = Instant::now();
    loop {
        let left = next_try.saturating_duration_since(Instant::now());
        let arrived = if waiting.is_empty() {
            received.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            received.recv_timeout(left)
        };
        match arrived {
            Ok(bang) => {
                if !waiting.iter().any(|present| present.partition == bang.partition)
                    && !deliver(arguments, &bang)
                {
                    waiting.push(bang);
                    next_try = Instant::now() + delay;
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                waiting.retain(|bang| !deliver(arguments, bang));
                delay = if waiting.is_empty() { RETRY.0 } else { (delay * 2).min(RETRY.1) };
                next_try = Instant::now() + delay;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Sends a bang unless it was sent since the last deployment; returns whether nothing is left to do.
fn deliver(arguments: &WatchdogArguments, bang: &Bang) -> bool {
    match bang_once(arguments, bang) {
        Ok(()) => true,
        Err(error) if error.is_temporary() => {
            tracing::warn!(partition.id = bang.partition, "{error}: trying again later");
            false
        }
        Err(error) => {
            tracing::error!(partition.id = bang.partition, "{error}");
            true
        }
    }
}

fn bang_once(arguments: &WatchdogArguments, bang: &Bang) -> Result<(), BangError> {
    let directory = arguments.instance_root.as_ref().map(|root| root.join(&bang.partition));
    if directory.as_deref().is_some_and(rule::was_sent) {
        return Ok(());
    }
    let message = format!("{} process in partition {} encountered a problem", bang.process, bang.partition);
    send(
        &arguments.master_url,
        arguments.certificate_repository.as_deref(),
        (&arguments.computer_id, &bang.partition),
        &message,
    )?;
    if let Some(directory) = directory
        && let Err(error) = rule::note_sent(&directory)
    {
        tracing::error!("failed to note the bang of {directory}: {error}");
    }
    Ok(())
}

/// Bangs a partition of a computer as that partition.
///
/// # Errors
/// The master did not take it.
pub(crate) fn send(
    master_url: &str,
    certificates: Option<&Utf8Path>,
    (computer, partition): (&str, &str),
    message: &str,
) -> Result<(), BangError> {
    let computer_id: ComputerId = computer.parse().map_err(|_| BangError::Name(computer.to_owned()))?;
    let partition_id: PartitionId = partition.parse().map_err(|_| BangError::Name(partition.to_owned()))?;
    let file =
        |extension: &str| certificates.map(|directory| directory.join(format!("{partition}.{extension}")));
    let endpoint = Endpoint { key_file: file("key"), cert_file: file("crt"), ..Endpoint::new(master_url) };
    Ok(Client::new(&endpoint)?.bang_instance(&computer_id, &partition_id, message)?)
}
