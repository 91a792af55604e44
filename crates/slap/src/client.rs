//! The client of a master: one synchronous HTTP client for the classic interface and the few HATEOAS reads that the
//! command line needs. Cloning is cheap, and clones share their connections.

mod classic;
mod error;
mod hateoas;
mod template;
mod tls;
mod watch;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use camino::Utf8PathBuf;
use ureq::Agent;
use ureq::http::Response;
use url::Url;

pub use classic::KeyPair;
pub use error::ClientError;

/// Nothing that a master answers is honestly larger.
const MAXIMUM_ANSWER: u64 = 256 * 1024 * 1024;

const USER_AGENT: &str = concat!("slapos/", env!("CARGO_PKG_VERSION"));

/// Where a master is and how to prove who asks.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its address; a missing final slash is added.
    pub url: String,
    /// The private key of the client certificate, in PEM.
    pub key_file: Option<Utf8PathBuf>,
    /// The client certificate, in PEM.
    pub cert_file: Option<Utf8PathBuf>,
    /// The authorities to trust instead of those of the system, in PEM.
    pub ca_file: Option<Utf8PathBuf>,
    /// Where its HATEOAS interface is, when it is not to be asked.
    pub rest_url: Option<String>,
    /// How long one exchange may take.
    pub timeout: Duration,
}

impl Endpoint {
    /// A master at this address, without client certificate, with a minute for each exchange.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            key_file: None,
            cert_file: None,
            ca_file: None,
            rest_url: None,
            timeout: Duration::from_mins(1),
        }
    }
}

/// A connection to one master.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: Url,
    rest_url: Option<String>,
    timeout: Duration,
}

impl Client {
    /// Prepares a client. Nothing is sent.
    ///
    /// # Errors
    /// An address that is none, certificates that cannot be read or do not fit their key.
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let base = base_url(&endpoint.url)?;
        let mut settings = Agent::config_builder()
            .tls_config(tls::configuration(endpoint)?)
            .timeout_global(Some(endpoint.timeout))
            .user_agent(USER_AGENT)
            .http_status_as_error(false);
        if is_loopback(&base) {
            // A proxy named in the environment cannot reach this machine's loopback interface.
            settings = settings.proxy(None);
        }
        let agent = settings.build().new_agent();
        Ok(Self { agent, base, rest_url: endpoint.rest_url.clone(), timeout: endpoint.timeout })
    }

    /// The address of the master, with its final slash.
    #[must_use]
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// Reads `name` below the address of the master.
    fn get(&self, name: &str, query: &[(&str, &str)]) -> Result<String, ClientError> {
        self.get_within(name, query, self.timeout)
    }

    fn get_within(&self, name: &str, query: &[(&str, &str)], limit: Duration) -> Result<String, ClientError> {
        let mut url = self.method_url(name);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.agent.get(url.as_str()).config().timeout_global(Some(limit)).build();
        self.answer(name, request.header("Accept", "*/*").call())
    }

    /// Sends a form to `name` below the address of the master.
    fn post(&self, name: &str, form: &[(&str, &str)]) -> Result<String, ClientError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.agent.post(self.method_url(name).as_str());
        let request =
            request.header("Accept", "*/*").header("Content-Type", "application/x-www-form-urlencoded");
        self.answer(name, request.send(body))
    }

    /// Reads an absolute address that the master gave.
    fn get_url(&self, url: &str) -> Result<String, ClientError> {
        self.answer(url, self.agent.get(url).header("Cache-Control", "no-cache").call())
    }

    fn method_url(&self, name: &str) -> Url {
        self.base.join(name).expect("the names of methods are relative addresses")
    }

    fn answer(
        &self,
        name: &str,
        outcome: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<String, ClientError> {
        let mut response = outcome.map_err(|source| ClientError::from_transport(self.url(), source))?;
        let status = response.status();
        let body = response
            .body_mut()
            .with_config()
            .limit(MAXIMUM_ANSWER)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(|source| ClientError::from_transport(self.url(), source))?;
        match status.as_u16() {
            200..=299 => Ok(body),
            code => Err(ClientError::from_status(code, name, &body)),
        }
    }
}

/// Reads an address as leniently as the Python client: a final slash and brackets around IPv6 addresses are added.
fn base_url(text: &str) -> Result<Url, ClientError> {
    let address_error = |reason: String| ClientError::Address { url: text.to_owned(), reason };
    let trimmed = text.trim();
    let Some((scheme, rest)) = trimmed.split_once("://") else {
        return Err(address_error("it does not begin with http:// or https://".to_owned()));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let bracketed = bracket(authority).unwrap_or_else(|| authority.to_owned());
    let slash = if path.is_empty() || path.ends_with('/') { "" } else { "/" };
    let url = Url::parse(&format!("{scheme}://{bracketed}/{path}{slash}"))
        .map_err(|e| address_error(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(address_error("it does not begin with http:// or https://".to_owned()));
    }
    Ok(url)
}

/// Puts brackets around a bare IPv6 address, which may be followed by a port.
fn bracket(authority: &str) -> Option<String> {
    if authority.contains('[') || authority.matches(':').count() < 2 {
        return None;
    }
    // A port is recognised first: with `::1:8080`, the port is what people mean.
    if let Some((address, port)) = authority.rsplit_once(':')
        && address.parse::<Ipv6Addr>().is_ok()
        && port.parse::<u16>().is_ok()
    {
        return Some(format!("[{address}]:{port}"));
    }
    authority.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_leniently() {
        let cases = [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("https://master.example.org/slap", "https://master.example.org/slap/"),
            ("http://::1:5000/", "http://[::1]:5000/"),
            ("http://2001:db8:0:1:2:3:4:5", "http://[2001:db8:0:1:2:3:4:5]/"),
            ("http://[::1]:5000", "http://[::1]:5000/"),
        ];
        for (given, read) in cases {
            assert_eq!(base_url(given).unwrap().as_str(), read);
        }
        for wrong in ["", "master.example.org", "ftp://a/", "http://"] {
            assert!(base_url(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_master_that_is_not_there_is_unreachable() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = Client::new(&Endpoint::new(format!("http://{address}"))).unwrap();

        let error = client.run_id().unwrap_err();

        assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
        assert_eq!(error.code(), "E-master-unreachable");
    }
}
