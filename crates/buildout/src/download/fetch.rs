//! Fetching one file: local file, cache, network cache, network, alternate address, in this order.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use md5::{Digest, Md5};
use shacache::{Client, ContentCache, Hashes, Limits, Request, TransferError, hexadecimal};
use tempfile::NamedTempFile;

use super::keep::{algorithms, check, check_file, deliver, keep, new_file, utf8};
use super::{Download, DownloadError, Downloaded, Place, Prefetch, mirror, netrc};
use crate::unfinished;

/// How long to wait for a word from a server, unless `socket-timeout` says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often in a row a server is asked in vain.
const ATTEMPTS: u32 = 3;

/// Where files come from. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Fetcher {
    cache: Option<Utf8PathBuf>,
    mirror: Option<Arc<dyn ContentCache>>,
    offline: bool,
    directory: Utf8PathBuf,
    /// Where files are received that have no better place.
    scratch: Option<Utf8PathBuf>,
    netrc: Option<Arc<str>>,
    client: Client,
    prefer_network: bool,
    cancelled: Option<Arc<AtomicBool>>,
    ahead: Option<Arc<Prefetch>>,
}

/// Tells what is done, for the log: who speaks, none for the engine, and what.
pub(crate) type Log<'a> = dyn FnMut(Option<&str>, String) + 'a;

/// What the network gave, not yet checked.
struct Received {
    file: NamedTempFile,
    hashes: Hashes,
    content_type: Option<String>,
    is_resumed: bool,
}

impl Fetcher {
    pub(crate) fn new(cache: Option<Utf8PathBuf>, offline: bool, client: Client) -> Self {
        Self {
            cache,
            mirror: None,
            offline,
            directory: Utf8PathBuf::new(),
            scratch: None,
            netrc: None,
            client,
            prefer_network: false,
            cancelled: None,
            ahead: None,
        }
    }

    /// What transfers may take when a server may be silent for so long.
    pub(crate) fn limits(patience: Option<Duration>) -> Limits {
        let patience = patience.filter(|patience| !patience.is_zero()).unwrap_or(PATIENCE);
        Limits { patience, attempts: ATTEMPTS, ..Limits::default() }
    }

    /// Relative paths start here.
    pub(crate) fn base_directory(&mut self, directory: &Utf8Path) {
        self.directory = directory.to_owned();
    }

    /// Files that have no better place are received here.
    pub(crate) fn scratch(&mut self, directory: Utf8PathBuf) {
        self.scratch = Some(directory);
    }

    /// Where `.netrc` is.
    pub(crate) fn home(&mut self, home: &str) {
        let file = Utf8Path::new(home).join(".netrc");
        self.netrc = host::files::read_text_if_present(&file).ok().flatten().map(Arc::from);
    }

    /// The network cache to ask, if any.
    pub(crate) fn mirror(&mut self, mirror: Option<Arc<dyn ContentCache>>) {
        self.mirror = mirror;
    }

    /// The network is asked first, and the cache serves only what it does not give.
    pub(crate) fn prefer_network(&mut self, prefer: bool) {
        self.prefer_network = prefer;
    }

    /// Transfers end when this becomes true.
    pub(crate) fn cancelled_by(&mut self, cancelled: Arc<AtomicBool>) {
        self.cancelled = Some(cancelled);
    }

    /// What is being fetched already.
    pub(crate) fn ahead(&mut self, ahead: Option<Arc<Prefetch>>) {
        self.ahead = ahead;
    }

    /// Begins to fetch more of what will be asked for, if anything is fetched ahead at all.
    pub(crate) fn fetch_ahead(&self, downloads: Vec<Download>) {
        if let Some(ahead) = &self.ahead {
            ahead.add(downloads);
        }
    }

    /// Whether the network has to be asked for a file.
    pub(crate) fn needs_network(&self, download: &Download) -> bool {
        let is_local = !matches!(self.local_path(&download.url), Ok(None));
        let is_cached =
            || !self.prefer_network && self.cached_path(download).is_some_and(|path| path.exists());
        !is_local && !download.offline.unwrap_or(self.offline) && !is_cached()
    }

    /// Gives the file; `log` is told what is fetched from the network.
    pub(crate) fn fetch(&self, download: &Download, log: &mut Log<'_>) -> Result<Downloaded, DownloadError> {
        if let Some(fetched) = self.ahead.as_ref().and_then(|ahead| ahead.take(download, log)) {
            return fetched;
        }
        if let Some(path) = self.local_path(&download.url)? {
            check_file(download, &path, Place::Local(path.clone()))?;
            return deliver(download, path);
        }
        let cached = self.cached_path(download).filter(|path| path.exists());
        if !self.prefer_network
            && let Some(path) = cached
        {
            return cached_copy(download, path);
        }
        let failed = match self.network_copy(download, log) {
            Err(error) if !matches!(error, DownloadError::Checksum(_)) => error,
            done => return done,
        };
        match cached {
            Some(path) => cached_copy(download, path),
            None => Err(failed),
        }
    }

    fn network_copy(&self, download: &Download, log: &mut Log<'_>) -> Result<Downloaded, DownloadError> {
        if download.offline.unwrap_or(self.offline) {
            return Err(DownloadError::Offline { url: download.url.clone() });
        }
        let keep_at = self.cached_path(download);
        let beside = keep_at.as_deref().or(download.destination.as_deref()).and_then(Utf8Path::parent);
        let beside = beside.or(self.scratch.as_deref());
        if let Some(cache) = keep_at.as_deref().and_then(Utf8Path::parent) {
            unfinished::sweep(cache);
        }
        let file = self.receive(download, beside, log)?;
        match (keep_at, &download.destination) {
            (Some(path), _) => {
                keep(file, &path)?;
                deliver(download, path)
            }
            (None, Some(path)) => {
                keep(file, path)?;
                Ok(Downloaded { path: path.clone(), temporary: None })
            }
            (None, None) => {
                let temporary = file.into_temp_path();
                let path = utf8(&temporary)?;
                Ok(Downloaded { path, temporary: Some(temporary) })
            }
        }
    }

    /// The path that a `file:` address, or a plain path, means.
    fn local_path(&self, address: &str) -> Result<Option<Utf8PathBuf>, DownloadError> {
        if !is_url(address) {
            return Ok(Some(self.directory.join(address)));
        }
        if !address.starts_with("file:") {
            return Ok(None);
        }
        let path = url::Url::parse(address).ok().and_then(|url| url.to_file_path().ok());
        let path = path.and_then(|path| Utf8PathBuf::try_from(path).ok());
        path.map(Some).ok_or_else(|| DownloadError::Address { url: address.to_owned() })
    }

    fn cached_path(&self, download: &Download) -> Option<Utf8PathBuf> {
        let cache = self.cache.as_ref().filter(|_| download.use_cache)?;
        Some(cache.join(hexadecimal(&Md5::digest(download.url.as_bytes()))))
    }

    /// What the network has, checked: from the network cache, the address, or the alternate address.
    fn receive(
        &self,
        download: &Download,
        beside: Option<&Utf8Path>,
        log: &mut Log<'_>,
    ) -> Result<NamedTempFile, DownloadError> {
        let mirror = self.mirror.as_deref().filter(|_| download.use_cache);
        let mut tell = |message| log(Some("networkcache"), message);
        if let Some(mirror) = mirror {
            let mut file = new_file(beside, &download.url)?;
            if mirror::fetch(mirror, download, file.as_file_mut(), &mut tell).is_some() {
                return Ok(file);
            }
        }
        let mut received = self.receive_from(&download.url, download, beside, log);
        if let (Err(DownloadError::Status { .. } | DownloadError::Network { .. }), Some(url)) =
            (&received, &download.alternate_url)
        {
            received = self.receive_from(url, download, beside, log);
        }
        let mut file = received?;
        if let Some(mirror) = mirror {
            mirror::add(mirror, download, file.as_file_mut(), &mut |message| {
                log(Some("networkcache"), message);
            });
        }
        Ok(file)
    }

    fn receive_from(
        &self,
        url: &str,
        download: &Download,
        beside: Option<&Utf8Path>,
        log: &mut Log<'_>,
    ) -> Result<NamedTempFile, DownloadError> {
        log(None, format!("Downloading {url}"));
        let mut is_second = false;
        loop {
            let received = self.transfer(url, download, beside)?;
            match check(download, Place::Network, &received.hashes, received.content_type) {
                // The pieces may be of two files: once more, and hopefully in one piece.
                Err(_) if received.is_resumed && !is_second => is_second = true,
                checked => return checked.map(|()| received.file),
            }
        }
    }

    fn transfer(
        &self,
        url: &str,
        download: &Download,
        beside: Option<&Utf8Path>,
    ) -> Result<Received, DownloadError> {
        if !["http://", "https://", "ftp://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(DownloadError::Address { url: url.to_owned() });
        }
        let mut file = new_file(beside, url)?;
        let request = Request {
            credentials: self.credentials(url),
            algorithms: algorithms(download),
            is_checked: download.is_checked(),
            cancelled: Some(self.cancelled.as_deref().unwrap_or_else(|| host::process::ending())),
            ..Request::new(url)
        };
        let url = || url.to_owned();
        match self.client.get(&request, file.as_file_mut()) {
            Ok(received) => Ok(Received {
                file,
                hashes: received.hashes,
                content_type: received.content_type,
                is_resumed: received.is_resumed,
            }),
            Err(TransferError::Status { status, reason }) => {
                Err(DownloadError::Status { url: url(), status, reason })
            }
            Err(TransferError::TooLarge { limit }) => Err(DownloadError::TooLarge { url: url(), limit }),
            Err(TransferError::Address) => Err(DownloadError::Address { url: url() }),
            Err(TransferError::Write(source)) => {
                let place = beside.map_or_else(String::new, |directory| format!(" in {directory}"));
                Err(DownloadError::File { doing: format!("keep what {} sends{place}", url()), source })
            }
            Err(error) => Err(DownloadError::Network { url: url(), source: error.into() }),
        }
    }

    /// The credentials of `~/.netrc` for the host of `url`.
    fn credentials(&self, url: &str) -> Option<(String, String)> {
        let url = url::Url::parse(url).ok()?;
        netrc::credentials(self.netrc.as_deref()?, url.host_str()?)
    }
}

fn cached_copy(download: &Download, path: Utf8PathBuf) -> Result<Downloaded, DownloadError> {
    check_file(download, &path, Place::Cache(path.clone()))?;
    deliver(download, path)
}

/// Whether an address has a scheme with two slashes, as the engine tells addresses from paths.
pub(crate) fn is_url(address: &str) -> bool {
    address.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '.' | '-'))
    }) || address.starts_with("file:/")
}
