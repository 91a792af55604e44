//! The client: how servers are reached, and as whom.

use std::io;
use std::sync::Arc;

use camino::Utf8Path;
use fs_err as fs;
use ureq::http::Uri;
use ureq::tls::TlsConfigBuilder;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use super::agents::{Agents, Way};
use super::proxies::Proxies;
use super::{Limits, TransferError};

/// Gets files over HTTP and FTP. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    agents: Arc<Agents>,
    limits: Limits,
    follows: bool,
}

/// Whom to trust, and who we are; the certificates of the system and nobody by default.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Certificates of authorities to trust instead of those of the system.
    authorities: Option<Vec<Certificate<'static>>>,
    /// What to show to servers that ask who we are.
    own: Option<ClientCert>,
}

impl Identity {
    /// Reads certificates and key from PEM files; an absent path means the default.
    ///
    /// # Errors
    /// A file that cannot be read or does not hold what it should.
    pub fn load(
        authorities: Option<&Utf8Path>,
        certificate: Option<&Utf8Path>,
        key: Option<&Utf8Path>,
    ) -> io::Result<Self> {
        let authorities = authorities.map(certificates).transpose()?;
        let own = match (certificate, key) {
            (Some(certificate), Some(path)) => {
                let key = PrivateKey::from_pem(&fs::read(path)?).map_err(|error| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {error}"))
                })?;
                Some(ClientCert::new_with_certs(&certificates(certificate)?, key))
            }
            _ => None,
        };
        Ok(Self { authorities, own })
    }
}

/// Reads certificates from a PEM file.
fn certificates(path: &Utf8Path) -> io::Result<Vec<Certificate<'static>>> {
    let pem = fs::read(path)?;
    let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{path} holds no certificate")));
    }
    Ok(certificates)
}

impl Client {
    /// A client that trusts what the system trusts.
    #[must_use]
    pub fn new(limits: Limits, proxies: Proxies) -> Self {
        Self::with_identity(limits, proxies, Identity::default())
    }

    /// A client with certificates of its own.
    #[must_use]
    pub fn with_identity(limits: Limits, proxies: Proxies, identity: Identity) -> Self {
        let roots = match identity.authorities {
            Some(authorities) => RootCerts::Specific(Arc::new(authorities)),
            None => RootCerts::PlatformVerifier,
        };
        let tls = tls().root_certs(roots).client_cert(identity.own).build();
        Self { agents: Arc::new(Agents::new(limits.patience, tls, proxies)), limits, follows: true }
    }

    /// A client that looks at no certificates. It follows no redirections, for where those lead to is not trusted for
    /// that: they are [`TransferError::Elsewhere`].
    #[must_use]
    pub fn trusting(limits: Limits, proxies: Proxies) -> Self {
        let tls = tls().disable_verification(true).build();
        Self { agents: Arc::new(Agents::new(limits.patience, tls, proxies)), limits, follows: false }
    }

    /// What its transfers may take.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same client with other limits of size and time; how long it waits for a word stays.
    #[must_use]
    pub fn limited(&self, limits: Limits) -> Self {
        Self { limits: Limits { patience: self.limits.patience, ..limits }, ..self.clone() }
    }

    /// Whether it goes where servers send it.
    pub(super) fn follows(&self) -> bool {
        self.follows
    }

    /// How an address is asked.
    pub(super) fn way(&self, address: &str) -> Result<Way, TransferError> {
        self.agents.way(address)
    }

    /// What makes a request that is none of [`Client::get`], and the address to make it to.
    pub(crate) fn agent(&self, address: &str) -> Result<(ureq::Agent, Uri), TransferError> {
        match self.way(address)? {
            Way::Http(agent, uri) => Ok((agent, uri)),
            Way::Ftp(_) => Err(TransferError::Address),
        }
    }
}

fn tls() -> TlsConfigBuilder {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}
