//! The client: how servers are reached, and as whom.

use std::io;
use std::sync::Arc;

use camino::Utf8Path;
use fs_err as fs;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::AgentScope;

use super::Limits;

/// A redirected request is followed so often.
const MOST_REDIRECTS: u32 = 10;

/// Gets files over HTTP. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    limits: Limits,
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
///
/// # Errors
/// The file cannot be read, or holds no certificate.
pub fn certificates(path: &Utf8Path) -> io::Result<Vec<Certificate<'static>>> {
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
    /// A client that trusts what the system trusts, and goes through the proxy that the environment names.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with_identity(limits, Identity::default())
    }

    /// A client with certificates of its own.
    #[must_use]
    pub fn with_identity(limits: Limits, identity: Identity) -> Self {
        let roots = match identity.authorities {
            Some(authorities) => RootCerts::Specific(Arc::new(authorities)),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(roots)
            .client_cert(identity.own)
            .build();
        Self::with_configuration(limits, ureq::Agent::config_builder().tls_config(tls))
    }

    /// A client with certificates and a proxy from elsewhere; what [`Limits`] say is set here.
    #[must_use]
    pub fn with_configuration(limits: Limits, configuration: ConfigBuilder<AgentScope>) -> Self {
        Self::configured(limits, configuration.max_redirects(MOST_REDIRECTS).max_redirects_will_error(true))
    }

    /// As [`Self::with_configuration`], for who must look at each address: a redirection is
    /// [`TransferError::Elsewhere`](super::TransferError::Elsewhere).
    #[must_use]
    pub fn without_redirections(limits: Limits, configuration: ConfigBuilder<AgentScope>) -> Self {
        Self::configured(limits, configuration.max_redirects(0).max_redirects_will_error(false))
    }

    fn configured(limits: Limits, configuration: ConfigBuilder<AgentScope>) -> Self {
        let patience = Some(limits.patience);
        let configuration = configuration
            .http_status_as_error(false)
            .timeout_resolve(patience)
            .timeout_connect(patience)
            .timeout_send_request(patience)
            .timeout_recv_response(patience)
            .timeout_per_read(patience)
            .timeout_per_write(patience)
            .accept_encoding("identity")
            .user_agent(concat!("slapos/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: configuration.new_agent(), limits }
    }

    /// What its transfers may take.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same client with other limits of size and time; how long it waits for a word stays.
    #[must_use]
    pub fn limited(&self, limits: Limits) -> Self {
        Self { agent: self.agent.clone(), limits: Limits { patience: self.limits.patience, ..limits } }
    }

    /// What makes the requests.
    pub(crate) fn agent(&self) -> &ureq::Agent {
        &self.agent
    }
}
