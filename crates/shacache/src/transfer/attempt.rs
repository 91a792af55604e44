//! One attempt at a transfer: from the beginning, or from where the last one broke.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use ureq::http::{HeaderMap, Response, Uri};
use url::Url;

use super::agents::Way;
use super::ftp;
use super::{Client, Limits, Received, Request, TransferError};
use crate::checksum::{Algorithm, Hashes};

/// A redirected request is followed so often.
const MOST_REDIRECTS: u32 = 10;

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
    pub(super) fn can_resume(&self, request: &Request<'_>) -> bool {
        self.takes_ranges
            && self.size() > 0
            && self.total.is_some_and(|total| self.size() < total)
            && (self.validator.is_some() || request.is_checked)
    }

    pub(super) fn restart(&mut self, file: &mut File) -> Result<(), TransferError> {
        self.hashes = self.empty.clone();
        self.is_resumed = false;
        (self.total, self.validator) = (None, None);
        file.set_len(0).and_then(|()| file.rewind()).map_err(TransferError::Write)
    }

    /// Goes on where `file` ends.
    pub(super) fn resume(&mut self, file: &mut File) -> Result<(), TransferError> {
        file.seek(io::SeekFrom::Start(self.size())).map_err(TransferError::Write)?;
        self.is_resumed = true;
        Ok(())
    }

    /// The whole size and the state of the content that the server promised, if any.
    pub(super) fn promised(&self) -> (Option<u64>, Option<&str>) {
        (self.total, self.validator.as_deref())
    }

    /// Notes what the server promises.
    pub(super) fn promise(&mut self, total: Option<u64>, validator: Option<String>) {
        (self.total, self.validator) = (total, validator);
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

/// What one address answers.
enum Answer {
    /// The content, which is in the file.
    Whole,
    /// Another address, perhaps relative.
    Elsewhere(String),
}

/// One attempt.
pub(super) struct Attempt<'a, 'r> {
    pub(super) client: &'a Client,
    pub(super) request: &'a Request<'r>,
    pub(super) partial: &'a mut Partial,
    pub(super) file: &'a mut File,
    /// When everything has to be done.
    pub(super) end: Instant,
}

impl Attempt<'_, '_> {
    /// Asks, and goes where the servers send it.
    pub(super) fn run(&mut self) -> Result<Received, TransferError> {
        let mut place = self.request.url.to_owned();
        let mut credentials = self.request.credentials.clone();
        if place.contains('@')
            && let Ok(url) = Url::parse(&place)
        {
            credentials = credentials_of(&url).or(credentials);
            place = without_credentials(&place);
        }
        for _ in 0..=MOST_REDIRECTS {
            let answer = match self.client.way(&place)? {
                Way::Http(agent, uri) => self.ask(&agent, &uri, credentials.as_ref())?,
                Way::Ftp(uri) => ftp::receive(self, &uri, credentials.as_ref()).map(|()| Answer::Whole)?,
            };
            let location = match answer {
                Answer::Elsewhere(location) if self.client.follows() => location,
                Answer::Elsewhere(location) => return Err(TransferError::Elsewhere { location }),
                Answer::Whole => {
                    return Ok(Received {
                        hashes: self.partial.hashes.clone(),
                        content_type: self.partial.content_type.clone(),
                        url: place,
                        is_resumed: self.partial.is_resumed,
                    });
                }
            };
            let base = Url::parse(&place).map_err(|_| TransferError::Address)?;
            let next = base.join(&location).map_err(|_| TransferError::Address)?;
            // What one server may know another one may not, nor anybody who listens where it is not encrypted.
            if next.origin() != base.origin() {
                credentials = None;
            }
            credentials = credentials_of(&next).or(credentials);
            place = without_credentials(next.as_str());
        }
        Err(TransferError::Redirects)
    }

    /// Asks one address over HTTP.
    fn ask(
        &mut self,
        agent: &ureq::Agent,
        uri: &Uri,
        credentials: Option<&(String, String)>,
    ) -> Result<Answer, TransferError> {
        let resumes = self.partial.can_resume(self.request);
        let mut call = agent.get(uri);
        for (name, value) in &self.request.headers {
            call = call.header(*name, value);
        }
        if let Some((name, password)) = credentials {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
            call = call.header("Authorization", format!("Basic {pair}"));
        }
        if resumes {
            call = call.header("Range", format!("bytes={}-", self.partial.size()));
            if let Some(validator) = &self.partial.validator {
                call = call.header("If-Range", validator);
            }
        }
        let left = self.end.saturating_duration_since(Instant::now());
        let call = call.config().timeout_global(Some(left)).build();
        let mut answer = call.call().map_err(|error| self.refused(error, uri))?;
        self.partial.asked_to_wait = None;
        match answer.status().as_u16() {
            206 if resumes && continues(&answer, self.partial) => self.partial.resume(self.file)?,
            200 => {
                self.partial.restart(self.file)?;
                self.partial.note(answer.headers());
            }
            status => {
                let location = text(answer.headers(), "location");
                return match (status, location) {
                    (301 | 302 | 303 | 307 | 308, Some(place)) => Ok(Answer::Elsewhere(place.to_owned())),
                    _ => Err(self.denied(&answer)?),
                };
            }
        }
        self.read(&mut answer.body_mut().as_reader())?;
        Ok(Answer::Whole)
    }

    /// The error for an answer that does not give what was asked for.
    fn denied(&mut self, answer: &Response<ureq::Body>) -> Result<TransferError, TransferError> {
        let status = answer.status().as_u16();
        // Another piece than the one asked for: from here on only the whole is asked for.
        if status == 206 || status == 416 {
            self.partial.restart(self.file)?;
            self.partial.takes_ranges = false;
        }
        self.partial.asked_to_wait = text(answer.headers(), "retry-after")
            .and_then(|wait| wait.trim().parse().ok())
            .map(Duration::from_secs);
        let reason = answer.status().canonical_reason().unwrap_or_default().to_owned();
        Ok(TransferError::Status { status: if status == 206 { 416 } else { status }, reason })
    }

    /// Reads what comes to its end.
    pub(super) fn read(&mut self, body: &mut dyn Read) -> Result<(), TransferError> {
        let Limits { patience, largest, .. } = *self.client.limits();
        if self.partial.total.is_some_and(|total| total > largest) {
            return Err(TransferError::TooLarge { limit: largest });
        }
        let mut pace = Pace::new(patience);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if self.request.cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
                return Err(TransferError::Cancelled);
            }
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(error)),
            };
            self.partial.hashes.update(&buffer[..count]);
            if self.partial.size() > largest {
                return Err(TransferError::TooLarge { limit: largest });
            }
            self.file.write_all(&buffer[..count]).map_err(TransferError::Write)?;
            if pace.is_too_slow(count as u64) {
                return Err(TransferError::Stalled { patience });
            }
            if Instant::now() >= self.end {
                return Err(TransferError::TooLong { limit: self.client.limits().deadline });
            }
        }
        match self.partial.total {
            Some(expected) if expected > self.partial.size() => {
                Err(TransferError::Short { received: self.partial.size(), expected })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn broken(&self, error: io::Error) -> TransferError {
        match self.partial.total {
            Some(expected) if error.kind() == io::ErrorKind::UnexpectedEof => {
                TransferError::Short { received: self.partial.size(), expected }
            }
            _ if is_timeout(&error) => self.late(),
            _ => TransferError::Network(error.into()),
        }
    }

    fn refused(&self, error: ureq::Error, uri: &Uri) -> TransferError {
        match error {
            ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => TransferError::Address,
            ureq::Error::Timeout(_) => self.late(),
            error if is_about_certificates(&error) => TransferError::Certificate {
                host: uri.host().unwrap_or_default().to_owned(),
                source: error.into(),
            },
            error => TransferError::Network(error.into()),
        }
    }

    /// Time ran out: that of the whole transfer, or that of one step.
    fn late(&self) -> TransferError {
        let limits = self.client.limits();
        if Instant::now() >= self.end {
            return TransferError::TooLong { limit: limits.deadline };
        }
        TransferError::Silent { patience: limits.patience }
    }
}

/// The name and password in an address, if any.
fn credentials_of(url: &Url) -> Option<(String, String)> {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let is_named = !url.username().is_empty() || url.password().is_some();
    is_named.then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())))
}

/// An address without name and password, and otherwise as it is written.
fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

/// Whether an error is that the certificate of a server is not good enough.
fn is_about_certificates(error: &ureq::Error) -> bool {
    let tls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
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
