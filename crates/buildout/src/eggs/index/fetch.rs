//! Getting pages and files, with retries, a limit of time, and their checksums verified.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;
use host::clock::{Clock, SystemClock};
use host::files;
use md5::Md5;
use sha2::{Digest, Sha256};
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider};
use url::Url;

use super::super::error::EggError;
use super::super::install::hex;
use super::Places;
use super::page::Checksum;
use crate::download::netrc::credentials;

/// How long a connection or a pause within an answer may last, unless pip's configuration says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a host that is trusted may lead elsewhere.
const MOST_REDIRECTIONS: u32 = 10;
/// Attempts for one page or file.
const ATTEMPTS: u32 = 4;
/// The longest page that is read.
const LONGEST_PAGE: u64 = 256 << 20;
/// What a server may answer a page with, the most welcome first.
const PAGES: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Gets pages and files over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    agent: ureq::Agent,
    /// Looks at no certificates, and follows no redirections.
    trusting: Option<ureq::Agent>,
    trusted_hosts: Vec<String>,
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
        let timeout = places.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let proxy = match &places.proxy {
            Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|error| EggError::Fetch {
                what: "anything through the proxy of pip's configuration".to_owned(),
                source: error.into(),
            })?),
            None => ureq::Proxy::try_from_env(),
        };
        let roots = match &places.certificates {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let pem = fs::read(path).map_err(|source| EggError::Io {
                    action: "read",
                    path: path.to_owned(),
                    source,
                })?;
                let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
                    .filter_map(|item| match item {
                        Ok(PemItem::Certificate(certificate)) => Some(certificate),
                        _ => None,
                    })
                    .collect();
                if certificates.is_empty() {
                    let source = io::Error::new(io::ErrorKind::InvalidData, "it holds no certificate");
                    return Err(EggError::Io { action: "use", path: path.to_owned(), source });
                }
                RootCerts::Specific(Arc::new(certificates))
            }
        };
        let agent = |trusting: bool| {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let tls = TlsConfig::builder()
                .provider(TlsProvider::Rustls)
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(roots.clone())
                .disable_verification(trusting)
                .build();
            let config = ureq::Agent::config_builder()
                .tls_config(tls)
                .proxy(proxy.clone())
                .http_status_as_error(false)
                .timeout_connect(Some(timeout))
                .timeout_recv_response(Some(timeout))
                .timeout_per_read(Some(timeout))
                .max_idle_connections_per_host(super::super::at_once::AT_ONCE)
                .user_agent(concat!("slapos/", env!("CARGO_PKG_VERSION")));
            // Where a host that is trusted leads to is not trusted for that.
            let config =
                if trusting { config.max_redirects(0).max_redirects_will_error(false) } else { config };
            config.build().new_agent()
        };
        let netrc = match &places.netrc {
            Some(path) => files::read_text_if_present(path).ok().flatten(),
            None => None,
        };
        Ok(Self {
            trusting: (!places.trusted_hosts.is_empty()).then(|| agent(true)),
            agent: agent(false),
            trusted_hosts: places.trusted_hosts.iter().map(|host| host.to_lowercase()).collect(),
            netrc: netrc.map(Arc::from),
        })
    }

    /// Gets a page; `None` when the server says that there is none.
    ///
    /// # Errors
    /// The server cannot be reached or answers something else.
    pub(crate) fn page(&self, url: &Url) -> Result<Option<Page>, EggError> {
        self.attempt(url, |response| {
            let mut body = Vec::new();
            let address = ureq::ResponseExt::get_uri(&response).to_string();
            response.into_body().into_reader().take(LONGEST_PAGE).read_to_end(&mut body)?;
            let url = Url::parse(&address).unwrap_or_else(|_| url.clone());
            Ok(Page { body: String::from_utf8_lossy(&body).into_owned(), url })
        })
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
        let found = self.attempt(url, |response| {
            let mut file = crate::unfinished::file_in(directory)?;
            let found = copy_and_hash(&mut response.into_body().into_reader(), &mut file, checksum)?;
            Ok((file, found))
        })?;
        let (file, found) = found.ok_or_else(|| EggError::Fetch {
            what: redacted(url),
            source: "the server does not have it".into(),
        })?;
        check(&redacted(url), checksum, found)?;
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(permissions).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(target).map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn attempt<T>(
        &self,
        url: &Url,
        read: impl Fn(ureq::http::Response<ureq::Body>) -> io::Result<T>,
    ) -> Result<Option<T>, EggError> {
        let mut pause = Duration::from_millis(250);
        let mut tried = 1;
        loop {
            let error: Box<dyn std::error::Error + Send + Sync> = match self.request(url) {
                Ok(response) => match response.status().as_u16() {
                    200 => match read(response) {
                        Ok(value) => return Ok(Some(value)),
                        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                            return Err(fetch_error(url, error));
                        }
                        Err(error) => error.into(),
                    },
                    404 | 410 => return Ok(None),
                    status @ (408 | 429 | 500..=599) => format!("the server answered {status}").into(),
                    status => return Err(fetch_error(url, format!("the server answered {status}"))),
                },
                Err(
                    error @ (ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::TooManyRedirects),
                ) => {
                    return Err(fetch_error(url, error));
                }
                Err(error) => error.into(),
            };
            if tried == ATTEMPTS {
                return Err(fetch_error(url, error));
            }
            SystemClock.sleep(pause);
            pause *= 3;
            tried += 1;
        }
    }

    fn request(&self, url: &Url) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let mut url = url.clone();
        for _ in 0..MOST_REDIRECTIONS {
            let trusting = self.trusting.as_ref().filter(|_| self.is_trusted(&url));
            let response = self.request_once(trusting.unwrap_or(&self.agent), &url)?;
            let location = response.headers().get("Location").and_then(|location| location.to_str().ok());
            match location.map(|location| url.join(location)) {
                Some(Ok(next)) if trusting.is_some() && response.status().is_redirection() => url = next,
                _ => return Ok(response),
            }
        }
        Err(ureq::Error::TooManyRedirects)
    }

    fn is_trusted(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port = url.port_or_known_default().unwrap_or_default();
        self.trusted_hosts.iter().any(|trusted| *trusted == host || *trusted == format!("{host}:{port}"))
    }

    fn request_once(
        &self,
        agent: &ureq::Agent,
        url: &Url,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let mut plain = url.clone();
        let decode = super::page::percent_decode;
        let own = (!url.username().is_empty())
            .then(|| (decode(url.username()), decode(url.password().unwrap_or_default())));
        let kept = || credentials(self.netrc.as_deref()?, url.host_str()?);
        let authorization = own.or_else(kept).map(|(name, password)| {
            use base64::Engine;
            let pair = format!("{name}:{password}");
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        });
        // Both fail only for addresses without host, which have no credentials either.
        let _ = plain.set_username("");
        let _ = plain.set_password(None);
        let mut request = agent.get(plain.as_str()).header("Accept", PAGES);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        request.call()
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

/// Verifies a file on disk.
///
/// # Errors
/// It cannot be read or is not the one that was promised.
pub(crate) fn verify(path: &Utf8Path, checksum: Option<&Checksum>) -> Result<(), EggError> {
    let failed = |source| EggError::Io { action: "read", path: path.to_owned(), source };
    if checksum.is_none() {
        return Ok(());
    }
    let mut file = fs::File::open(path).map_err(failed)?;
    let found = copy_and_hash(&mut file, &mut io::sink(), checksum).map_err(failed)?;
    check(path.as_str(), checksum, found)
}

/// Copies a file of this machine; the copy appears only when it is whole.
///
/// # Errors
/// It cannot be read, or the copy cannot be written.
pub(crate) fn copy(path: &Utf8Path, target: &Utf8Path) -> Result<(), EggError> {
    let directory = target.parent().unwrap_or_else(|| Utf8Path::new("."));
    let copied = || -> io::Result<()> {
        let mut file = crate::unfinished::file_in(directory)?;
        io::copy(&mut fs::File::open(path)?, &mut file)?;
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(target).map(drop).map_err(|error| error.error)
    };
    copied().map_err(|source| EggError::Io { action: "write", path: target.to_owned(), source })
}

/// Copies, and gives the checksum of what was copied in the algorithm of the one expected.
fn copy_and_hash(
    from: &mut dyn Read,
    to: &mut dyn Write,
    expected: Option<&Checksum>,
) -> io::Result<Option<Checksum>> {
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    let mut buffer = vec![0_u8; 64 * 1024];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match expected {
            Some(Checksum::Sha256(_)) => sha256.update(&buffer[..count]),
            Some(Checksum::Md5(_)) => md5.update(&buffer[..count]),
            None => {}
        }
        to.write_all(&buffer[..count])?;
    }
    Ok(expected.map(|expected| match expected {
        Checksum::Sha256(_) => Checksum::Sha256(hex(&sha256.finalize())),
        Checksum::Md5(_) => Checksum::Md5(hex(&md5.finalize())),
    }))
}

fn check(what: &str, expected: Option<&Checksum>, found: Option<Checksum>) -> Result<(), EggError> {
    match (expected, found) {
        (Some(expected), Some(found)) if *expected != found => {
            let digits = |checksum: &Checksum| match checksum {
                Checksum::Sha256(digits) => ("sha256", digits.clone()),
                Checksum::Md5(digits) => ("md5", digits.clone()),
            };
            let (algorithm, expected) = digits(expected);
            Err(EggError::Checksum {
                what: what.to_owned(),
                algorithm: algorithm.to_owned(),
                expected,
                found: digits(&found).1,
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_trusted_with_every_port_or_with_one() {
        let hosts = ["One.example", "two.example:8443"].map(str::to_owned);
        let fetcher = Fetcher::new(&Places { trusted_hosts: hosts.into(), ..Places::default() }).unwrap();
        let is_trusted = |address: &str| fetcher.is_trusted(&Url::parse(address).unwrap());

        assert!(is_trusted("https://one.example/simple/") && is_trusted("https://one.example:444/"));
        assert!(is_trusted("https://two.example:8443/"));
        assert!(!is_trusted("https://two.example/") && !is_trusted("https://one.example.net/"));
        assert!(Fetcher::new(&Places::default()).unwrap().trusting.is_none());
    }
}
