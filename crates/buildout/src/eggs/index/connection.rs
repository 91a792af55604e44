//! How an index is reached: certificates, proxy, and hosts that are trusted without.

use shacache::{Client, Identity, Limits};
use url::Url;

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

/// The client for these places, and the one for hosts that are trusted, if there are any.
///
/// # Errors
/// The certificates cannot be read.
pub(super) fn clients(places: &Places, limits: Limits) -> Result<(Client, Option<Client>), EggError> {
    let identity = match &places.certificates {
        Some(path) => Identity::load(Some(path), None, None).map_err(|source| EggError::Io {
            action: "use",
            path: path.clone(),
            source,
        })?,
        None => Identity::default(),
    };
    let proxies = || places.proxies.clone();
    let trusting = (!places.trusted_hosts.is_empty()).then(|| Client::trusting(limits, proxies()));
    Ok((Client::with_identity(limits, proxies(), identity), trusting))
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
