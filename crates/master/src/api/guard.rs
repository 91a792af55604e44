//! Keeps pages of others out: even on loopback, a browser would carry their requests here, and a supply runs code.
//!
//! Clients that are no browsers send neither `Origin` nor `Sec-Fetch-Site`, and name the host that they connected to.

use std::collections::HashSet;
use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, Request, header};

use super::Refusal;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Knows the names under which the master may be asked.
pub(crate) struct Guard {
    port: u16,
    public_names: HashSet<String>,
}

impl Guard {
    /// A guard of a master that listens on this port and has these names beside its address.
    pub(crate) fn new(port: u16, public_names: &[String]) -> Self {
        Self { port, public_names: public_names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Refuses what a page of somebody else may have sent. `local` is the address that the client connected to.
    pub(crate) fn check<B>(&self, request: &Request<B>, local: IpAddr) -> Result<(), Refusal> {
        let headers = request.headers();
        let host = match request.uri().authority() {
            Some(authority) => authority.as_str(),
            None => text(headers, &header::HOST)?.unwrap_or_default(),
        };
        if !self.is_ours(host, headers.contains_key(&FORWARDED_PROTO), local) {
            return Err(Refusal::Foreign(format!(
                "this master is not called `{}`; add the name to its public names if it is",
                host.chars().take(100).collect::<String>()
            )));
        }
        if let Some(site) = text(headers, &SEC_FETCH_SITE)?
            && !matches!(site, "same-origin" | "none")
        {
            return Err(Refusal::Foreign("requests from pages of other sites are refused".to_owned()));
        }
        let Some(origin) = text(headers, &header::ORIGIN)? else { return Ok(()) };
        let is_same = origin.split_once("://").is_some_and(|(scheme, authority)| {
            matches!(scheme, "http" | "https") && authority.eq_ignore_ascii_case(host)
        });
        if is_same {
            Ok(())
        } else {
            Err(Refusal::Foreign("requests from pages of other sites are refused".to_owned()))
        }
    }

    fn is_ours(&self, host: &str, is_forwarded: bool, local: IpAddr) -> bool {
        let (name, port) = split_port(host);
        let name = name.to_ascii_lowercase();
        if self.public_names.contains(&name) {
            return true;
        }
        let is_port_ours = match port {
            Some(port) => port == self.port.to_string(),
            // Front-ends send the name alone when the port is that of the scheme.
            None => self.port == 80 || is_forwarded,
        };
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        let is_name_ours = match bare.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address.to_canonical() == local.to_canonical(),
            Err(_) => name == "localhost",
        };
        is_port_ours && is_name_ours
    }
}

/// Separates the port from a host, which may be an IPv6 address in brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Foreign(format!("the header `{name}` was sent twice")));
    }
    first.to_str().map(Some).map_err(|_| Refusal::Foreign(format!("the header `{name}` is not a text")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(headers: &[(&str, &str)]) -> bool {
        let guard = Guard::new(5000, &["master.example.org".to_owned()]);
        let mut request = Request::builder().uri("/getRunId");
        for (name, text) in headers {
            request = request.header(*name, *text);
        }
        guard.check(&request.body(()).unwrap(), IpAddr::from([10, 0, 0, 7])).is_ok()
    }

    #[test]
    fn clients_that_name_the_master_are_let_in() {
        for host in [
            "127.0.0.1:5000",
            "localhost:5000",
            "LOCALHOST:5000",
            "[::1]:5000",
            "127.1.2.3:5000",
            "10.0.0.7:5000",
            "master.example.org",
            "Master.Example.org:443",
        ] {
            assert!(is_let_in(&[("Host", host)]), "{host}");
        }
        assert!(is_let_in(&[("Host", "localhost"), ("X-Forwarded-Proto", "https")]));
    }

    #[test]
    fn names_that_a_page_may_have_made_point_here_are_refused() {
        for host in [
            "",
            "evil.example",
            "evil.example:5000",
            "localhost",
            "localhost:5001",
            "127.0.0.1.evil.example:5000",
            "10.0.0.8:5000",
            "[::1",
            "localhost:5000@evil",
        ] {
            assert!(!is_let_in(&[("Host", host)]), "{host}");
        }
        assert!(!is_let_in(&[]));
        assert!(!is_let_in(&[("Host", "localhost:5000"), ("Host", "evil.example")]));
    }

    #[test]
    fn requests_of_pages_are_refused_unless_the_page_is_ours() {
        let with = |name, value| is_let_in(&[("Host", "localhost:5000"), (name, value)]);

        assert!(with("Origin", "http://localhost:5000"));
        assert!(with("Sec-Fetch-Site", "same-origin"));
        assert!(with("Sec-Fetch-Site", "none"));
        for origin in [
            "null",
            "http://localhost:5001",
            "http://evil.example",
            "http://localhost",
            "",
            "file://localhost:5000",
        ] {
            assert!(!with("Origin", origin), "{origin}");
        }
        assert!(!with("Sec-Fetch-Site", "cross-site"));
        assert!(!with("Sec-Fetch-Site", "same-site"));
    }
}
