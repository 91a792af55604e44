//! How an index is reached: certificates, proxy, and hosts that are trusted without.

use std::sync::Arc;

use shacache::{Client, Limits};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use url::Url;

use super::super::at_once::AT_ONCE;
use super::super::error::EggError;
use super::Places;

/// Hosts whose certificates are not looked at.
#[derive(Debug, Clone)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// Hosts, some with a port.
    pub(super) fn new(written: &[String]) -> Self {
        Self(written.iter().map(|host| host.to_lowercase()).collect())
    }

    /// Whether the host of an address is one of them.
    pub(super) fn hold(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port = url.port_or_known_default().unwrap_or_default();
        self.0.iter().any(|trusted| *trusted == host || *trusted == format!("{host}:{port}"))
    }
}

/// The client for these places, and the one for hosts that are trusted, if there are any: where those lead to is not
/// trusted for that, so that it follows no redirections.
///
/// # Errors
/// The certificates cannot be read, or the proxy is no address.
pub(super) fn clients(places: &Places, limits: Limits) -> Result<(Client, Option<Client>), EggError> {
    let proxy = match &places.proxy {
        Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|error| EggError::Fetch {
            what: "anything through the proxy of pip's configuration".to_owned(),
            source: error.into(),
        })?),
        None => ureq::Proxy::try_from_env(),
    };
    let roots = roots(places)?;
    let configuration = |is_trusting: bool| {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(roots.clone())
            .disable_verification(is_trusting)
            .build();
        ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy.clone())
            .max_idle_connections_per_host(AT_ONCE)
    };
    let trusting =
        (!places.trusted_hosts.is_empty()).then(|| Client::without_redirections(limits, configuration(true)));
    Ok((Client::with_configuration(limits, configuration(false)), trusting))
}

/// The certificates to trust.
fn roots(places: &Places) -> Result<RootCerts, EggError> {
    let Some(path) = &places.certificates else { return Ok(RootCerts::PlatformVerifier) };
    let certificates = shacache::certificates(path).map_err(|source| EggError::Io {
        action: "use",
        path: path.clone(),
        source,
    })?;
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_trusted_with_every_port_or_with_one() {
        let hosts = Hosts::new(&["One.example", "two.example:8443"].map(str::to_owned));
        let hold = |address: &str| hosts.hold(&Url::parse(address).unwrap());

        assert!(hold("https://one.example/simple/") && hold("https://one.example:444/"));
        assert!(hold("https://two.example:8443/"));
        assert!(!hold("https://two.example/") && !hold("https://one.example.net/"));
    }

    #[test]
    fn without_hosts_that_are_trusted_every_certificate_is_looked_at() {
        assert!(clients(&Places::default(), Limits::default()).unwrap().1.is_none());
    }
}
