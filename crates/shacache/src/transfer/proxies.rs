//! Which proxy a server is reached through, as Python reads the environment.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use ureq::http::Uri;

/// The end of the names of variables that name a proxy.
const SUFFIX: &str = "_proxy";

/// The proxies to go through, by the scheme of the address; none by default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// As they are written. `all` stands for the schemes that have none of their own.
    by_scheme: BTreeMap<String, String>,
    /// Hosts that are reached without, separated by commas.
    bypassed: Option<String>,
}

impl fmt::Debug for Proxies {
    /// The addresses may hold passwords.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.by_scheme.keys()).finish()
    }
}

impl Proxies {
    /// The proxies that an environment names: `http_proxy`, `https_proxy`, `ftp_proxy`, `all_proxy` and `no_proxy`. Names
    /// in lower case hold over others; an empty one takes the other back.
    #[must_use]
    pub fn from_environment(variables: &BTreeMap<String, String>) -> Self {
        let mut named: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in variables {
            if let Some(scheme) = name.to_ascii_lowercase().strip_suffix(SUFFIX)
                && !value.is_empty()
            {
                named.insert(scheme.to_owned(), value.clone());
            }
        }
        // A program that a web server runs gets the header `Proxy` of any request as `HTTP_PROXY`.
        if variables.contains_key("REQUEST_METHOD") {
            named.remove("http");
        }
        for (name, value) in variables {
            let Some(scheme) = name.strip_suffix(SUFFIX) else { continue };
            let scheme = scheme.to_ascii_lowercase();
            match value.is_empty() {
                true => named.remove(&scheme),
                false => named.insert(scheme, value.clone()),
            };
        }
        // Python does not know `all_proxy`; where it names what nobody here can use, it is left alone as there.
        if named.get("all").is_some_and(|proxy| Proxy::parse(proxy).is_none()) {
            named.remove("all");
        }
        let bypassed = named.remove("no");
        Self { by_scheme: named, bypassed }
    }

    /// One proxy for every host.
    #[must_use]
    pub fn always(proxy: &str) -> Self {
        Self { by_scheme: [("all".to_owned(), proxy.to_owned())].into(), bypassed: None }
    }

    /// The proxy for an address, as it is written.
    pub(super) fn of(&self, uri: &Uri) -> Option<&str> {
        let proxy = self.by_scheme.get(uri.scheme_str()?).or_else(|| self.by_scheme.get("all"))?;
        (!self.bypasses(uri)).then_some(proxy)
    }

    fn bypasses(&self, uri: &Uri) -> bool {
        let (Some(bypassed), Some(host)) = (&self.bypassed, uri.host()) else { return false };
        if bypassed == "*" {
            return true;
        }
        let host = host.to_lowercase();
        let with_port = uri.port().map(|port| format!("{host}:{port}"));
        bypassed.split(',').any(|name| {
            let name = name.trim().trim_start_matches('.').to_lowercase();
            let is_below = |host: &str| {
                host.strip_suffix(&name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            !name.is_empty() && (is_below(&host) || with_port.as_deref().is_some_and(is_below))
        })
    }
}

/// A proxy that is spoken to in HTTP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Whether TLS is spoken to it.
    is_secure: bool,
    /// Name and password, as they are written.
    user: Option<String>,
    /// Its host, and its port if that is written.
    host: String,
}

impl Proxy {
    /// Reads the address of a proxy: with or without scheme, name and password. `None` if it is none, or one of another
    /// kind.
    pub(super) fn parse(written: &str) -> Option<Self> {
        let written = written.trim();
        let (scheme, rest) = written.split_once("://").unwrap_or(("http", written));
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        // A password may hold a slash.
        let after_user = rest.find('@').unwrap_or(0);
        let end = rest[after_user..].find('/').map_or(rest.len(), |slash| after_user + slash);
        let (user, host) = match rest[..end].rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, &rest[..end]),
        };
        let proxy = Self { is_secure, user, host: host.to_owned() };
        proxy.uri().map(|_| proxy)
    }

    /// Its address without credentials.
    pub(super) fn uri(&self) -> Option<Uri> {
        let uri: Uri = format!("{}://{}/", self.scheme(), self.host).parse().ok()?;
        uri.host().filter(|host| !host.is_empty())?;
        Some(uri)
    }

    /// What [`ureq`] needs to go through it.
    pub(super) fn tunnel(&self) -> Option<ureq::Proxy> {
        let uri = self.uri()?;
        let protocol = if self.is_secure { ureq::ProxyProtocol::Https } else { ureq::ProxyProtocol::Http };
        let mut proxy = ureq::Proxy::builder(protocol).host(uri.host()?);
        if let Some(port) = uri.port_u16() {
            proxy = proxy.port(port);
        }
        if let Some((name, password)) = self.credentials() {
            proxy = proxy.username(&name).password(&password);
        }
        proxy.build().ok()
    }

    /// The header that says who asks. Without password there is none.
    pub(super) fn authorization(&self) -> Option<String> {
        let (name, password) = self.credentials()?;
        Some(format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"))
        ))
    }

    fn credentials(&self) -> Option<(String, String)> {
        let (name, password) = self.user.as_deref()?.split_once(':')?;
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        (!name.is_empty() && !password.is_empty()).then(|| (decoded(name), decoded(password)))
    }

    fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
}

/// A proxy as it is written, for messages.
pub(super) fn redacted(written: &str) -> String {
    match (written.rfind('@'), written.find("://")) {
        (Some(at), Some(slashes)) if slashes < at => {
            format!("{}{}", &written[..slashes + 3], &written[at + 1..])
        }
        (Some(at), _) => written[at + 1..].to_owned(),
        (None, _) => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Proxies::from_environment(&variables.collect())
    }

    fn of(variables: &[(&str, &str)], uri: &str) -> Option<String> {
        proxies(variables).of(&uri.parse().unwrap()).map(str::to_owned)
    }

    #[test]
    fn each_scheme_has_its_own_proxy_and_lower_case_holds() {
        let variables = [("HTTP_PROXY", "one:1"), ("http_proxy", "two:2"), ("Https_Proxy", "three:3")];

        assert_eq!(of(&variables, "http://a/").as_deref(), Some("two:2"));
        assert_eq!(of(&variables, "https://a/").as_deref(), Some("three:3"));
        assert_eq!(of(&variables, "ftp://a/"), None);
        assert_eq!(of(&[("HTTP_PROXY", "one:1"), ("http_proxy", "")], "http://a/"), None);
        assert_eq!(of(&[("HTTP_PROXY", "")], "http://a/"), None);
    }

    #[test]
    fn a_request_to_a_web_server_does_not_set_the_proxy() {
        let variables = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1"), ("HTTPS_PROXY", "two:2")];

        assert_eq!(of(&variables, "http://a/"), None);
        assert_eq!(of(&variables, "https://a/").as_deref(), Some("two:2"));
        assert_eq!(
            of(&[("REQUEST_METHOD", "GET"), ("http_proxy", "one:1")], "http://a/").as_deref(),
            Some("one:1")
        );
    }

    #[test]
    fn a_proxy_for_all_serves_schemes_without_their_own_if_it_speaks_http() {
        let variables = [("ALL_PROXY", "http://one:1"), ("https_proxy", "two:2")];

        assert_eq!(of(&variables, "http://a/").as_deref(), Some("http://one:1"));
        assert_eq!(of(&variables, "https://a/").as_deref(), Some("two:2"));
        assert_eq!(of(&[("ALL_PROXY", "socks5h://one:1")], "http://a/"), None);
        assert!(Proxies::always("one:1").of(&"ftp://a/".parse().unwrap()).is_some());
    }

    #[test]
    fn hosts_without_proxy_are_named_by_the_ends_of_their_names() {
        let bypassed =
            |no_proxy: &str, uri: &str| of(&[("http_proxy", "one:1"), ("no_proxy", no_proxy)], uri).is_none();

        assert!(bypassed(" a.example , .B.Example,", "http://a.example/"));
        assert!(bypassed("a.example,.b.example", "http://x.y.B.example:8080/"));
        assert!(bypassed(".b.example", "http://b.example/"));
        assert!(!bypassed("b.example", "http://ab.example/"));
        assert!(!bypassed("", "http://b.example/") && !bypassed(" , ", "http://b.example/"));
        assert!(bypassed("*", "http://anything/") && !bypassed("*,x", "http://anything/"));
        assert!(bypassed("b.example:81", "http://a.b.example:81/"));
        assert!(!bypassed("b.example:81", "http://b.example:82/"));
        assert!(!bypassed("b.example:80", "http://b.example/"));
        assert!(bypassed("127.0.0.1,[::1]", "http://[::1]:8080/"));
    }

    #[test]
    fn addresses_of_proxies_are_read_with_and_without_scheme_and_credentials() {
        let proxy = |written| Proxy::parse(written).unwrap();

        assert_eq!(proxy("one:3128").uri().unwrap(), "http://one:3128/");
        assert_eq!(proxy("https://one/path").uri().unwrap(), "https://one/");
        assert_eq!(proxy("one").authorization(), None);
        // anna:p@:w
        assert_eq!(proxy("http://anna:p%40:w@one:1/").authorization().as_deref(), Some("Basic YW5uYTpwQDp3"));
        assert_eq!(proxy("anna@one:1").authorization(), None);
        assert_eq!(proxy("anna:w@[::1]:1").uri().unwrap(), "http://[::1]:1/");
        assert_eq!(proxy("anna:p/w@one").tunnel().unwrap().password(), Some("p/w"));
        for written in ["socks5://one:1", "", "http://", "on e", "http:///x"] {
            assert_eq!(Proxy::parse(written), None, "{written}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redacted("socks5://anna:secret@one:1"), "socks5://one:1");
        assert_eq!(redacted("anna:secret@one:1"), "one:1");
        assert_eq!(redacted("one:1"), "one:1");
        assert_eq!(format!("{:?}", proxies(&[("http_proxy", "anna:secret@one")])), r#"{"http"}"#);
    }
}
