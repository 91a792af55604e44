//! One attempt at a transfer: from the beginning, or from where the last one broke.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ureq::ResponseExt;
use ureq::http::{HeaderMap, Response};

use super::{Client, Limits, Received, Request, TransferError};
use crate::checksum::{Algorithm, Hashes};

/// What is there of a file, and what the server said of it.
pub(super) struct Partial {
    empty: Hashes,
    hashes: Hashes,
    /// The whole size that the server promised.
    total: Option<u64>,
    /// What tells this content from later content at the same address.
    validator: Option<String>,
    takes_ranges: bool,
    content_type: Option<String>,
    is_resumed: bool,
    asked_to_wait: Option<Duration>,
}

impl Partial {
    pub(super) fn new(algorithms: &[Algorithm]) -> Self {
        let empty = Hashes::new(algorithms);
        Self {
            hashes: empty.clone(),
            empty,
            total: None,
            validator: None,
            takes_ranges: true,
            content_type: None,
            is_resumed: false,
            asked_to_wait: None,
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.hashes.size()
    }

    /// How long the server wants not to be asked.
    pub(super) fn asked_to_wait(&self) -> Option<Duration> {
        self.asked_to_wait
    }

    /// Whether what is missing can be asked for: the size of the whole is known, so that a piece of another file is
    /// noticed, and the server can tell, or a hash will, whether it is still the same file.
    fn can_resume(&self, request: &Request<'_>) -> bool {
        self.takes_ranges
            && self.size() > 0
            && self.total.is_some_and(|total| self.size() < total)
            && (self.validator.is_some() || request.is_checked)
    }

    fn restart(&mut self, file: &mut File) -> Result<(), TransferError> {
        self.hashes = self.empty.clone();
        self.is_resumed = false;
        (self.total, self.validator) = (None, None);
        file.set_len(0).and_then(|()| file.rewind()).map_err(TransferError::Write)
    }

    /// Notes what the head of a whole answer says.
    fn note(&mut self, headers: &HeaderMap) {
        let text = |name| text(headers, name);
        self.total = text("content-length").and_then(|length| length.trim().parse().ok());
        // A weak tag stands for content that means the same, not for the same bytes.
        let tag = text("etag").filter(|tag| !tag.starts_with("W/"));
        self.validator = tag.or_else(|| text("last-modified")).map(str::to_owned);
        self.takes_ranges = text("accept-ranges").is_none_or(|unit| unit.eq_ignore_ascii_case("bytes"));
        self.content_type = text("content-type").map(str::to_owned);
    }
}

impl Client {
    pub(super) fn attempt(
        &self,
        request: &Request<'_>,
        partial: &mut Partial,
        file: &mut File,
        end: Instant,
    ) -> Result<Received, TransferError> {
        let resumes = partial.can_resume(request);
        let mut call = self.agent().get(request.url);
        for (name, value) in &request.headers {
            call = call.header(*name, value);
        }
        if resumes {
            call = call.header("Range", format!("bytes={}-", partial.size()));
            if let Some(validator) = &partial.validator {
                call = call.header("If-Range", validator);
            }
        }
        let left = end.saturating_duration_since(Instant::now());
        let call = call.config().timeout_global(Some(left)).build();
        let mut answer = call.call().map_err(|error| self.refused(error, end))?;
        partial.asked_to_wait = None;
        match answer.status().as_u16() {
            206 if resumes && continues(&answer, partial) => {
                file.seek(io::SeekFrom::Start(partial.size())).map_err(TransferError::Write)?;
                partial.is_resumed = true;
            }
            200 => {
                partial.restart(file)?;
                partial.note(answer.headers());
            }
            status => {
                if let (301 | 302 | 303 | 307 | 308, Some(location)) =
                    (status, text(answer.headers(), "location"))
                {
                    return Err(TransferError::Elsewhere { location: location.to_owned() });
                }
                // Another piece than the one asked for: from here on only the whole is asked for.
                if status == 206 || status == 416 {
                    partial.restart(file)?;
                    partial.takes_ranges = false;
                }
                partial.asked_to_wait = text(answer.headers(), "retry-after")
                    .and_then(|wait| wait.trim().parse().ok())
                    .map(Duration::from_secs);
                let reason = answer.status().canonical_reason().unwrap_or_default().to_owned();
                let status = if status == 206 { 416 } else { status };
                return Err(TransferError::Status { status, reason });
            }
        }
        if partial.total.is_some_and(|total| total > self.limits().largest) {
            return Err(TransferError::TooLarge { limit: self.limits().largest });
        }
        let url = answer.get_uri().to_string();
        self.read(request, partial, &mut answer.body_mut().as_reader(), file, end)?;
        Ok(Received {
            hashes: partial.hashes.clone(),
            content_type: partial.content_type.clone(),
            url,
            is_resumed: partial.is_resumed,
        })
    }

    /// Reads the body of an answer to its end.
    fn read(
        &self,
        request: &Request<'_>,
        partial: &mut Partial,
        body: &mut dyn Read,
        file: &mut File,
        end: Instant,
    ) -> Result<(), TransferError> {
        let Limits { patience, largest, .. } = *self.limits();
        let mut pace = Pace::new(patience);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if request.cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
                return Err(TransferError::Cancelled);
            }
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(error, partial, end)),
            };
            partial.hashes.update(&buffer[..count]);
            if partial.size() > largest {
                return Err(TransferError::TooLarge { limit: largest });
            }
            file.write_all(&buffer[..count]).map_err(TransferError::Write)?;
            if pace.is_too_slow(count as u64) {
                return Err(TransferError::Stalled { patience });
            }
            if Instant::now() >= end {
                return Err(TransferError::TooLong { limit: self.limits().deadline });
            }
        }
        match partial.total {
            Some(expected) if expected > partial.size() => {
                Err(TransferError::Short { received: partial.size(), expected })
            }
            _ => Ok(()),
        }
    }

    fn broken(&self, error: io::Error, partial: &Partial, end: Instant) -> TransferError {
        match partial.total {
            Some(expected) if error.kind() == io::ErrorKind::UnexpectedEof => {
                TransferError::Short { received: partial.size(), expected }
            }
            _ if is_timeout(&error) => self.late(end),
            _ => TransferError::Network(error.into()),
        }
    }

    fn refused(&self, error: ureq::Error, end: Instant) -> TransferError {
        match error {
            ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => TransferError::Address,
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => TransferError::Redirects,
            ureq::Error::Timeout(_) => self.late(end),
            error => TransferError::Network(error.into()),
        }
    }

    /// Time ran out: that of the whole transfer, or that of one step.
    fn late(&self, end: Instant) -> TransferError {
        if Instant::now() >= end {
            return TransferError::TooLong { limit: self.limits().deadline };
        }
        TransferError::Silent { patience: self.limits().patience }
    }
}

/// A header, if it is text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_timeout(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    error.kind() == io::ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_)))
}

/// Whether a partial answer goes on where the file ends, and is of the same whole: `bytes 100-199/200`.
fn continues(answer: &Response<ureq::Body>, partial: &Partial) -> bool {
    let pieces = text(answer.headers(), "content-range")
        .and_then(|range| range.trim().strip_prefix("bytes "))
        .and_then(|range| {
            let (piece, total) = range.split_once('/')?;
            Some((piece.split_once('-')?.0.trim().parse::<u64>().ok()?, total.trim().parse::<u64>().ok()?))
        });
    pieces.is_some_and(|(start, total)| start == partial.size() && partial.total == Some(total))
}

/// How fast bytes come: counted anew after each time of patience.
struct Pace {
    patience: Duration,
    since: Instant,
    came: u64,
}

impl Pace {
    fn new(patience: Duration) -> Self {
        Self { patience, since: Instant::now(), came: 0 }
    }

    fn is_too_slow(&mut self, count: u64) -> bool {
        self.came += count;
        let time = self.since.elapsed();
        if time < self.patience {
            return false;
        }
        let is_too_slow = (self.came as f64) < Limits::SLOWEST as f64 * time.as_secs_f64();
        (self.since, self.came) = (Instant::now(), 0);
        is_too_slow
    }
}
