//! Getting pages and files of an index: taken up again where they broke, with limits of time and size, and checked.

use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use host::files;
use shacache::{Checksum, Client, Limits, Received, Request, TransferError};
use url::Url;

use super::super::error::EggError;
use super::Places;
use super::checked::check;
use super::connection::{Hosts, clients};
use super::page::percent_decode;
use crate::download::netrc::credentials;
use crate::unfinished;

/// How long a server may be silent, unless pip's configuration says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a host that is trusted may lead elsewhere.
const MOST_REDIRECTIONS: u32 = 10;
/// What a page may take: indexes of projects with many files have some megabytes.
const PAGE: Limits =
    Limits { patience: PATIENCE, deadline: Duration::from_secs(300), largest: 256 << 20, attempts: 4 };
/// What a file may take.
const FILE: Limits =
    Limits { patience: PATIENCE, deadline: Duration::from_secs(3600), largest: 16 << 30, attempts: 4 };
/// What a server may answer a page with, the most welcome first.
const PAGES: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Gets pages and files over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: Client,
    /// Looks at no certificates, and follows no redirections.
    trusting: Option<Client>,
    trusted: Hosts,
    netrc: Option<Arc<str>>,
}

/// A page, and the address that it was found at in the end.
pub(crate) struct Page {
    /// Its text.
    pub body: String,
    /// Its address after redirections.
    pub url: Url,
}

impl Fetcher {
    /// A fetcher for these places: with their certificates, else those of the system; through their proxy, else that of
    /// the environment; with their limit for each connection and each pause within an answer.
    ///
    /// # Errors
    /// The certificates cannot be read, or the proxy is no address.
    pub(crate) fn new(places: &Places) -> Result<Self, EggError> {
        let patience = places.timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(PATIENCE);
        let (client, trusting) = clients(places, Limits { patience, ..FILE })?;
        let netrc = match &places.netrc {
            Some(path) => files::read_text_if_present(path).ok().flatten(),
            None => None,
        };
        Ok(Self { client, trusting, trusted: Hosts::new(&places.trusted_hosts), netrc: netrc.map(Arc::from) })
    }

    /// Gets a page; `None` when the server says that there is none.
    ///
    /// # Errors
    /// The server cannot be reached or answers something else.
    pub(crate) fn page(&self, url: &Url) -> Result<Option<Page>, EggError> {
        let failed = |source| EggError::Io { action: "write", path: "a temporary file".into(), source };
        let mut file = tempfile::tempfile().map_err(failed)?;
        let Some(received) = self.get(url, None, PAGE, &mut file)? else { return Ok(None) };
        let mut body = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut body)).map_err(failed)?;
        let url = Url::parse(&received.url).unwrap_or_else(|_| url.clone());
        Ok(Some(Page { body: String::from_utf8_lossy(&body).into_owned(), url }))
    }

    /// Gets a file into `target`, which appears only when it is whole and has the checksum.
    ///
    /// # Errors
    /// The server cannot be reached, does not have the file, or sends another one.
    pub(crate) fn file(
        &self,
        url: &Url,
        checksum: Option<&Checksum>,
        target: &Utf8Path,
    ) -> Result<(), EggError> {
        let directory = target.parent().unwrap_or_else(|| Utf8Path::new("."));
        let failed = |source| EggError::Io { action: "write", path: target.to_owned(), source };
        let mut is_second = false;
        let file = loop {
            let mut file = unfinished::file_in(directory).map_err(failed)?;
            let received = self.get(url, checksum, FILE, file.as_file_mut())?;
            let received =
                received.ok_or_else(|| fetch_error(url, "the server does not have it".to_owned()))?;
            match check(&redacted(url), checksum, &received.hashes) {
                Ok(()) => break file,
                // The pieces may be of two files: once more, and hopefully in one piece.
                Err(_) if received.is_resumed && !is_second => is_second = true,
                Err(error) => return Err(error),
            }
        };
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(permissions).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(target).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Gets what is behind an address into `file`, which is empty; `None` when the server says that there is nothing.
    fn get(
        &self,
        url: &Url,
        checksum: Option<&Checksum>,
        limits: Limits,
        file: &mut std::fs::File,
    ) -> Result<Option<Received>, EggError> {
        let mut place = url.clone();
        for _ in 0..MOST_REDIRECTIONS {
            let trusting = self.trusting.as_ref().filter(|_| self.trusted.hold(&place));
            let client = trusting.unwrap_or(&self.client).limited(limits);
            let mut plain = place.clone();
            // Both fail only for addresses without host, which have no credentials either.
            let _ = plain.set_username("");
            let _ = plain.set_password(None);
            // What was meant for an encrypted connection is not sent on another one.
            let is_laid_open = url.scheme() == "https" && place.scheme() != "https";
            let request = Request {
                headers: vec![("Accept", PAGES.to_owned())],
                credentials: self.credentials(&place).filter(|_| !is_laid_open),
                algorithms: checksum.map(|checksum| checksum.algorithm).into_iter().collect(),
                is_checked: checksum.is_some(),
                ..Request::new(plain.as_str())
            };
            match client.get(&request, file) {
                Ok(received) => return Ok(Some(received)),
                Err(TransferError::Status { status: 404 | 410, .. }) => return Ok(None),
                Err(TransferError::Elsewhere { location }) => match place.join(&location) {
                    Ok(next) => place = next,
                    Err(error) => return Err(fetch_error(url, error)),
                },
                Err(error) => return Err(fetch_error(url, error)),
            }
        }
        Err(fetch_error(url, TransferError::Redirects))
    }

    /// The credentials of the address, else those that are kept for its host.
    fn credentials(&self, url: &Url) -> Option<(String, String)> {
        let own = (!url.username().is_empty())
            .then(|| (percent_decode(url.username()), percent_decode(url.password().unwrap_or_default())));
        let kept = || credentials(self.netrc.as_deref()?, url.host_str()?);
        own.or_else(kept)
    }
}

fn fetch_error(url: &Url, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> EggError {
    EggError::Fetch { what: redacted(url), source: source.into() }
}

/// An address without credentials, for messages.
#[must_use]
pub(crate) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}
