//! Requests that a proxy carries out: it is sent the whole address, as every HTTP proxy understands it. [`ureq`] itself
//! knows only tunnels, which most proxies refuse to ports that are not for TLS.

use std::io;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

use super::proxies::Proxy;

/// An agent that sends every request to a proxy. Addresses that it is given start with `http:`; the proxy is asked for
/// the same with `scheme`.
///
/// `configuration` names no proxy and follows no redirections. `None` if the proxy has no address.
pub(super) fn agent(configuration: Config, proxy: &Proxy, scheme: &'static str) -> Option<ureq::Agent> {
    let uri = proxy.uri()?;
    let connector = Forwarding {
        proxy: uri.clone(),
        scheme,
        authorization: proxy.authorization().map(Arc::from),
        inner: DefaultConnector::new(),
    };
    let resolver = ProxyResolver { proxy: uri, inner: DefaultResolver::default() };
    Some(ureq::Agent::with_parts(configuration, connector, resolver))
}

/// Finds the proxy, whatever is asked for: the names of hosts are the proxy's business.
#[derive(Debug)]
struct ProxyResolver {
    proxy: Uri,
    inner: DefaultResolver,
}

impl Resolver for ProxyResolver {
    fn resolve(
        &self,
        _: &Uri,
        configuration: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.inner.resolve(&self.proxy, configuration, timeout)
    }
}

#[derive(Debug)]
struct Forwarding {
    proxy: Uri,
    scheme: &'static str,
    authorization: Option<Arc<str>>,
    inner: DefaultConnector,
}

impl Connector<()> for Forwarding {
    type Out = Forwarded;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Forwarded>, ureq::Error> {
        let target = details.uri.authority().filter(|_| !details.needs_tls());
        let target = target.ok_or_else(|| ureq::Error::BadUri(details.uri.to_string()))?;
        let host = target.as_str().rsplit('@').next().unwrap_or_default();
        let to_proxy = ConnectionDetails {
            uri: &self.proxy,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let inner = self.inner.connect(&to_proxy, None)?;
        Ok(inner.map(|inner| Forwarded {
            inner,
            origin: format!("{}://{host}", self.scheme),
            authorization: self.authorization.clone(),
            is_head_next: true,
        }))
    }
}

/// A connection to a proxy for one server.
#[derive(Debug)]
struct Forwarded {
    inner: Box<dyn Transport>,
    /// What goes before the path in each request.
    origin: String,
    authorization: Option<Arc<str>>,
    /// Whether what is sent next begins with the first line of a request: it is the first that is sent at all, or after
    /// an answer.
    is_head_next: bool,
}

impl Transport for Forwarded {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, mut amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if std::mem::take(&mut self.is_head_next) {
            let output = self.inner.buffers().output();
            let head = forwarded(&output[..amount], &self.origin, self.authorization.as_deref());
            let place = head.as_ref().and_then(|head| output.get_mut(..head.len()));
            let (Some(head), Some(place)) = (&head, place) else {
                let reason = "the request is too long for a proxy";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, reason).into());
            };
            place.copy_from_slice(head);
            amount = head.len();
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.is_head_next = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// The head of a request as a proxy wants it: the whole address in the first line, and who asks in the second.
fn forwarded(head: &[u8], origin: &str, authorization: Option<&str>) -> Option<Vec<u8>> {
    let path = head.iter().position(|byte| *byte == b' ')? + 1;
    let end = head.windows(2).position(|bytes| bytes == b"\r\n")? + 2;
    let (method, rest) = (head.get(..path)?, head.get(path..end)?);
    let mut changed = [method, origin.as_bytes(), rest].concat();
    if let Some(authorization) = authorization {
        changed.extend_from_slice(format!("Proxy-Authorization: {authorization}\r\n").as_bytes());
    }
    changed.extend_from_slice(&head[end..]);
    Some(changed)
}
