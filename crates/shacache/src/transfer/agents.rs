//! What makes the requests: one agent for servers that are reached directly, and one for each way through a proxy.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;

use super::TransferError;
use super::forward;
use super::proxies::{Proxies, Proxy, redacted};

/// So many connections to a server are kept for the next request.
const IDLE: usize = 8;

/// How an address is asked.
pub(crate) enum Way {
    /// Over HTTP: with this agent, under this address.
    Http(Agent, Uri),
    /// Over FTP, directly.
    Ftp(Uri),
}

/// The agents of a client. They follow no redirections: each address has its own way.
pub(super) struct Agents {
    tls: TlsConfig,
    patience: Duration,
    proxies: Proxies,
    direct: Agent,
    /// By proxy and scheme.
    through: Mutex<HashMap<(String, &'static str), Agent>>,
}

impl fmt::Debug for Agents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Agents").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}

impl Agents {
    pub(super) fn new(patience: Duration, tls: TlsConfig, proxies: Proxies) -> Self {
        let direct = configuration(patience, &tls, None).new_agent();
        Self { tls, patience, proxies, direct, through: Mutex::default() }
    }

    /// The way to an address.
    ///
    /// # Errors
    /// There is none, or the proxy that stands in it cannot be used.
    pub(super) fn way(&self, address: &str) -> Result<Way, TransferError> {
        let uri: Uri = address.parse().map_err(|_| TransferError::Address)?;
        let scheme = match uri.scheme_str() {
            Some("http") => "http",
            Some("https") => "https",
            Some("ftp") => "ftp",
            _ => return Err(TransferError::Address),
        };
        let Some(proxy) = self.proxies.of(&uri) else {
            return Ok(if scheme == "ftp" { Way::Ftp(uri) } else { Way::Http(self.direct.clone(), uri) });
        };
        let mut through = self.through.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (proxy.to_owned(), scheme);
        let agent = match through.get(&key) {
            Some(agent) => agent.clone(),
            None => {
                let agent = self.agent(proxy, scheme);
                let agent = agent.ok_or_else(|| TransferError::Proxy { proxy: redacted(proxy) })?;
                through.insert(key, agent.clone());
                agent
            }
        };
        if scheme != "ftp" {
            return Ok(Way::Http(agent, uri));
        }
        let plain = address.replacen("ftp", "http", 1).parse().map_err(|_| TransferError::Address)?;
        Ok(Way::Http(agent, plain))
    }

    fn agent(&self, proxy: &str, scheme: &'static str) -> Option<Agent> {
        let proxy = Proxy::parse(proxy)?;
        let configuration = |tunnel| configuration(self.patience, &self.tls, tunnel);
        match scheme {
            "https" => Some(configuration(Some(proxy.tunnel()?)).new_agent()),
            _ => forward::agent(configuration(None), &proxy, scheme),
        }
    }
}

fn configuration(patience: Duration, tls: &TlsConfig, tunnel: Option<ureq::Proxy>) -> Config {
    let patience = Some(patience);
    Agent::config_builder()
        .tls_config(tls.clone())
        .proxy(tunnel)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections_per_host(IDLE)
        .http_status_as_error(false)
        .timeout_resolve(patience)
        .timeout_connect(patience)
        .timeout_send_request(patience)
        .timeout_recv_response(patience)
        .timeout_per_read(patience)
        .timeout_per_write(patience)
        .accept_encoding("identity")
        .user_agent(concat!("slapos/", env!("CARGO_PKG_VERSION")))
        .build()
}
