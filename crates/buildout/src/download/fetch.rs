//! Fetching one file: local file, cache, network, alternate address, in this order.

use std::io::{self, Read, Write};
use std::time::Duration;

use base64::Engine as _;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use md5::{Digest, Md5};

use super::{Download, DownloadError, Downloaded, Mismatch, Place, netrc};
use crate::engine::hexadecimal;

/// A server that sends nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// A file that takes longer than this in all is given up.
const LONGEST: Duration = Duration::from_secs(3600);
/// How often a server is asked again when the connection breaks.
const ATTEMPTS: u32 = 3;

/// Where files come from.
pub(crate) struct Fetcher {
    cache: Option<Utf8PathBuf>,
    offline: bool,
    directory: Utf8PathBuf,
    home: Option<Utf8PathBuf>,
    timeout: Duration,
    prefer_network: bool,
}

/// What the network gave, not yet checked.
struct Received {
    file: tempfile::NamedTempFile,
    md5: String,
    size: u64,
    content_type: Option<String>,
}

impl Fetcher {
    pub(crate) fn new(cache: Option<Utf8PathBuf>, offline: bool) -> Self {
        Self {
            cache,
            offline,
            directory: Utf8PathBuf::new(),
            home: None,
            timeout: PATIENCE,
            prefer_network: false,
        }
    }

    /// Relative paths start here.
    pub(crate) fn base_directory(&mut self, directory: &Utf8Path) {
        self.directory = directory.to_owned();
    }

    /// Where `.netrc` is.
    pub(crate) fn home(&mut self, home: &str) {
        self.home = Some(Utf8PathBuf::from(home));
    }

    pub(crate) fn timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The network is asked first, and the cache serves only what it does not give.
    pub(crate) fn prefer_network(&mut self, prefer: bool) {
        self.prefer_network = prefer;
    }

    /// Gives the file; `log` is told what is fetched from the network.
    pub(crate) fn fetch(
        &self,
        download: &Download,
        log: &mut dyn FnMut(String),
    ) -> Result<Downloaded, DownloadError> {
        if let Some(path) = self.local_path(&download.url)? {
            let found = md5_of(&path)?;
            check(download, Place::Local(path.clone()), found.0, found.1, None)?;
            return self.deliver(download, path);
        }
        let cached = self.cached_path(download).filter(|path| path.exists());
        if !self.prefer_network
            && let Some(path) = cached
        {
            return self.cached_copy(download, path);
        }
        let failed = match self.network_copy(download, log) {
            Err(error) if !matches!(error, DownloadError::Checksum(_)) => error,
            done => return done,
        };
        match cached {
            Some(path) => self.cached_copy(download, path),
            None => Err(failed),
        }
    }

    fn cached_copy(&self, download: &Download, path: Utf8PathBuf) -> Result<Downloaded, DownloadError> {
        let found = md5_of(&path)?;
        check(download, Place::Cache(path.clone()), found.0, found.1, None)?;
        self.deliver(download, path)
    }

    fn network_copy(
        &self,
        download: &Download,
        log: &mut dyn FnMut(String),
    ) -> Result<Downloaded, DownloadError> {
        if download.offline.unwrap_or(self.offline) {
            return Err(DownloadError::Offline { url: download.url.clone() });
        }
        let keep_at = self.cached_path(download);
        let beside = keep_at.as_deref().or(download.destination.as_deref()).and_then(Utf8Path::parent);
        let received = self.receive(download, beside, log)?;
        check(download, Place::Network, received.md5, received.size, received.content_type)?;
        match (keep_at, &download.destination) {
            (Some(path), _) => {
                keep(received.file, &path)?;
                self.deliver(download, path)
            }
            (None, Some(path)) => {
                keep(received.file, path)?;
                Ok(Downloaded { path: path.clone(), temporary: None })
            }
            (None, None) => {
                let temporary = received.file.into_temp_path();
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

    /// Puts a file that stays where it is at the destination, if there is one.
    fn deliver(&self, download: &Download, path: Utf8PathBuf) -> Result<Downloaded, DownloadError> {
        let Some(destination) = &download.destination else {
            return Ok(Downloaded { path, temporary: None });
        };
        let doing = || format!("put {path} at {destination}");
        let file_error = |source| DownloadError::File { doing: doing(), source };
        if same_file(&path, destination) {
            return Ok(Downloaded { path: destination.clone(), temporary: None });
        }
        host::files::remove_if_present(destination).map_err(file_error)?;
        if fs::hard_link(&path, destination).is_err() {
            // Another file system, or one without links.
            fs::copy(&path, destination).map_err(file_error)?;
        }
        Ok(Downloaded { path: destination.clone(), temporary: None })
    }

    fn receive(
        &self,
        download: &Download,
        beside: Option<&Utf8Path>,
        log: &mut dyn FnMut(String),
    ) -> Result<Received, DownloadError> {
        let mut result = self.receive_from(&download.url, beside, log);
        if let (Err(DownloadError::Status { .. } | DownloadError::Network { .. }), Some(url)) =
            (&result, &download.alternate_url)
        {
            result = self.receive_from(url, beside, log);
        }
        result
    }

    fn receive_from(
        &self,
        url: &str,
        beside: Option<&Utf8Path>,
        log: &mut dyn FnMut(String),
    ) -> Result<Received, DownloadError> {
        log(format!("Downloading {url}"));
        let mut attempt = 1;
        loop {
            match self.receive_once(url, beside) {
                Err(DownloadError::Network { .. }) if attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }

    fn receive_once(&self, url: &str, beside: Option<&Utf8Path>) -> Result<Received, DownloadError> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(DownloadError::Address { url: url.to_owned() });
        }
        let network = |source: Box<dyn std::error::Error + Send + Sync>| DownloadError::Network {
            url: url.to_owned(),
            source,
        };
        let mut request = self.agent().get(url);
        if let Some(authorization) = self.authorization(url) {
            request = request.header("Authorization", authorization);
        }
        let mut answer = request.call().map_err(|error| network(error.into()))?;
        let status = answer.status();
        if !status.is_success() {
            let reason = status.canonical_reason().unwrap_or_default().to_owned();
            return Err(DownloadError::Status { url: url.to_owned(), status: status.as_u16(), reason });
        }
        let content_type =
            answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let file = match beside {
            Some(directory) => tempfile::Builder::new().prefix(".download-").tempfile_in(directory),
            None => tempfile::Builder::new().prefix("download-").tempfile(),
        };
        let file_error = |source| DownloadError::File { doing: format!("keep what {url} sends"), source };
        let mut file = file.map_err(file_error)?;
        let mut hash = Md5::new();
        let mut size = 0;
        let mut body = answer.body_mut().as_reader();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(network(error.into())),
            };
            hash.update(&buffer[..count]);
            size += count as u64;
            file.write_all(&buffer[..count]).map_err(file_error)?;
        }
        Ok(Received { file, md5: hexadecimal(&hash.finalize()), size, content_type })
    }

    fn agent(&self) -> ureq::Agent {
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(self.timeout))
            .timeout_connect(Some(self.timeout))
            .timeout_recv_response(Some(self.timeout))
            .timeout_recv_body(Some(LONGEST))
            .accept_encoding("identity")
            .tls_config(tls)
            .build()
            .new_agent()
    }

    /// The credentials of `~/.netrc` for the host of `url`.
    fn authorization(&self, url: &str) -> Option<String> {
        let url = url::Url::parse(url).ok()?;
        let file = self.home.as_ref()?.join(".netrc");
        let text = host::files::read_text_if_present(&file).ok()??;
        let (login, password) = netrc::credentials(&text, url.host_str()?)?;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
        Some(format!("Basic {encoded}"))
    }
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

fn check(
    download: &Download,
    place: Place,
    actual: String,
    size: u64,
    content_type: Option<String>,
) -> Result<(), DownloadError> {
    match &download.md5 {
        Some(expected) if *expected != actual => Err(DownloadError::Checksum(Box::new(Mismatch {
            url: download.url.clone(),
            place,
            expected: expected.clone(),
            actual,
            content_type,
            size,
        }))),
        _ => Ok(()),
    }
}

/// The MD5 and the size of a file.
fn md5_of(path: &Utf8Path) -> Result<(String, u64), DownloadError> {
    let mut hash = Md5::new();
    let copied = fs::File::open(path).and_then(|mut file| io::copy(&mut file, &mut Writer(&mut hash)));
    let size = copied.map_err(|source| DownloadError::File { doing: format!("read {path}"), source })?;
    Ok((hexadecimal(&hash.finalize()), size))
}

struct Writer<'a>(&'a mut Md5);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn keep(file: tempfile::NamedTempFile, path: &Utf8Path) -> Result<(), DownloadError> {
    use std::os::unix::fs::PermissionsExt;
    let error = |source| DownloadError::File { doing: format!("write {path}"), source };
    let permissions = std::fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(permissions).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

fn same_file(left: &Utf8Path, right: &Utf8Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(left), fs::symlink_metadata(right)) {
        (Ok(left), Ok(right)) => left.ino() == right.ino() && left.dev() == right.dev(),
        _ => false,
    }
}

fn utf8(path: &std::path::Path) -> Result<Utf8PathBuf, DownloadError> {
    Utf8PathBuf::from_path_buf(path.to_owned()).map_err(|path| DownloadError::File {
        doing: format!("use {}", path.display()),
        source: io::Error::from(io::ErrorKind::InvalidData),
    })
}
