//! Getting a file over HTTP or FTP, whatever the network does to it: broken transfers go on where they broke, servers that are
//! out of breath are asked again, and nothing is waited for without end.

mod agents;
mod attempt;
mod client;
mod forward;
mod ftp;
mod proxies;

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use host::clock::{Clock, SystemClock};

use crate::checksum::{Algorithm, Hashes};
use attempt::{Attempt, Partial};
pub use client::{Client, Identity};
pub use proxies::Proxies;

/// More than this many bytes since the last attempt count as progress: attempts are then counted anew.
const PROGRESS: u64 = 64 * 1024;
/// Before the second attempt; three times as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest time between two attempts, also when the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What a transfer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long to wait for a connection, for an answer, and for more of an answer; in such a time at least
    /// [`Limits::SLOWEST`] bytes a second must come.
    pub patience: Duration,
    /// How long everything may take together, attempts and pauses included.
    pub deadline: Duration,
    /// The most bytes that are taken.
    pub largest: u64,
    /// How many attempts in a row may bring nothing new.
    pub attempts: u32,
}

impl Limits {
    /// A server that sends fewer bytes a second is taken for one that sends nothing.
    pub const SLOWEST: u64 = 64;
}

impl Default for Limits {
    /// Half a minute without a word, an hour in all, 64 GiB, four attempts.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            deadline: Duration::from_secs(3600),
            largest: 64 << 30,
            attempts: 4,
        }
    }
}

/// A file to get.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// Its address, `http:`, `https:` or `ftp:`.
    pub url: &'a str,
    /// Headers to send to every server, such as `Accept`.
    pub headers: Vec<(&'static str, String)>,
    /// Name and password for the server of the address and no other, unless the address has some itself.
    pub credentials: Option<(String, String)>,
    /// What to hash it with on the way.
    pub algorithms: Vec<Algorithm>,
    /// Whether what comes will be checked against a known hash: a broken transfer is then taken up again although the
    /// server cannot say that the file is still the same.
    pub is_checked: bool,
    /// Ends the transfer when it becomes true.
    pub cancelled: Option<&'a AtomicBool>,
}

impl<'a> Request<'a> {
    /// A request for a file of which nothing is known.
    #[must_use]
    pub fn new(url: &'a str) -> Self {
        Self { url, ..Self::default() }
    }
}

/// What came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its hashes, by the algorithms of the request, and its size.
    pub hashes: Hashes,
    /// What the server says that it is.
    pub content_type: Option<String>,
    /// Where it was found in the end, after redirections.
    pub url: String,
    /// Whether it was put together from more than one answer.
    pub is_resumed: bool,
}

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The server answered that it does not give it.
    #[error("the server answered {status} {reason}")]
    Status {
        /// Number of the answer, such as 404.
        status: u16,
        /// Its words, such as `Not Found`.
        reason: String,
    },
    /// The address cannot be asked.
    #[error("this is no address of a file on the network")]
    Address,
    /// The proxy that the environment or a configuration names cannot be used.
    #[error("`{proxy}` is no address of a proxy that speaks HTTP")]
    Proxy {
        /// Its address, without credentials.
        proxy: String,
    },
    /// Nobody who is trusted says that the server is the one it says it is.
    #[error("the certificate of {host} is not trusted")]
    Certificate {
        /// The server.
        host: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An FTP server does not give it.
    #[error("the server answered {answer}")]
    Refused {
        /// What it says.
        answer: String,
        /// Whether it may give it later.
        is_passing: bool,
    },
    /// The connection could not be made, or broke.
    #[error(transparent)]
    Network(Box<dyn std::error::Error + Send + Sync>),
    /// It is elsewhere, and the client follows no redirections.
    #[error("it is at {location}")]
    Elsewhere {
        /// Where, perhaps relative to the address.
        location: String,
    },
    /// Too many redirections.
    #[error("the server redirects without end")]
    Redirects,
    /// An end before everything was there.
    #[error("the server broke off after {received} of {expected} bytes")]
    Short {
        /// How many bytes came.
        received: u64,
        /// How many bytes the server had promised.
        expected: u64,
    },
    /// The server says nothing.
    #[error("the server said nothing for {patience:?}")]
    Silent {
        /// How long it was waited for.
        patience: Duration,
    },
    /// The server sends next to nothing.
    #[error("the server sent less than {} bytes a second for {patience:?}", Limits::SLOWEST)]
    Stalled {
        /// How long it was waited for.
        patience: Duration,
    },
    /// Everything together takes too long.
    #[error("it takes longer than {limit:?}")]
    TooLong {
        /// The limit.
        limit: Duration,
    },
    /// There is more than is taken.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// What comes cannot be kept.
    #[error("what comes cannot be written")]
    Write(#[source] std::io::Error),
    /// It is not wanted any more.
    #[error("it is not wanted any more")]
    Cancelled,
}

impl TransferError {
    /// Whether it may go better the next time.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 416 | 425 | 429 | 500..=599),
            Self::Refused { is_passing, .. } => *is_passing,
            Self::Network(_) | Self::Short { .. } | Self::Silent { .. } | Self::Stalled { .. } => true,
            _ => false,
        }
    }

    /// What to do about it, where that is not to check the network.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Proxy { .. } => {
                Some("proxies are named as http://HOST:PORT, or as http://NAME:PASSWORD@HOST:PORT")
            }
            Self::Certificate { .. } => Some(
                "add the authority that signed it to those of this machine, or name its file in SSL_CERT_FILE",
            ),
            Self::Refused { is_passing: false, .. } => Some("check the address in the profile"),
            _ => None,
        }
    }
}

impl Client {
    /// Gets a file and writes it into `file`, which is empty.
    ///
    /// # Errors
    /// It cannot be had within the limits, or not be written. What is in `file` is then of no use.
    pub fn get(&self, request: &Request<'_>, file: &mut File) -> Result<Received, TransferError> {
        let limits = self.limits();
        let end = Instant::now() + limits.deadline;
        let mut partial = Partial::new(&request.algorithms);
        let (mut fruitless, mut progress, mut pause) = (0, 0, FIRST_PAUSE);
        loop {
            let attempt =
                Attempt { client: self, request, partial: &mut partial, file: &mut *file, end }.run();
            let error = match attempt {
                Ok(received) => return Ok(received),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            if partial.size() > progress + PROGRESS {
                (fruitless, progress, pause) = (0, partial.size(), FIRST_PAUSE);
            }
            fruitless += 1;
            tracing::debug!(url = request.url, %error, fruitless, "a transfer broke");
            let wait = partial.asked_to_wait().unwrap_or(pause).min(LONGEST_PAUSE);
            if fruitless >= limits.attempts || Instant::now() + wait >= end {
                return Err(error);
            }
            sleep(wait, request.cancelled)?;
            pause = (pause * 3).min(LONGEST_PAUSE);
        }
    }
}

/// Sleeps in small steps, so that a cancelled transfer ends soon.
fn sleep(duration: Duration, cancelled: Option<&AtomicBool>) -> Result<(), TransferError> {
    let end = Instant::now() + duration;
    loop {
        if cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
            return Err(TransferError::Cancelled);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        SystemClock.sleep(left.min(Duration::from_millis(50)));
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod ways;
