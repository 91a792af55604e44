//! The address under which a client, or the front-end before the master, sees the master.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// Scheme, host and prefix, as the client uses them.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrl {
    scheme: &'static str,
    host: String,
    prefix: String,
}

impl PublicUrl {
    fn new(headers: &HeaderMap, authority: Option<&str>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let scheme = match text("x-forwarded-proto") {
            Some(proto) if proto.eq_ignore_ascii_case("https") => "https",
            _ => "http",
        };
        let host = authority.or_else(|| text(header::HOST.as_str())).unwrap_or_default().to_owned();
        let prefix = text("x-forwarded-prefix").unwrap_or_default().trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        Self { scheme, host, prefix }
    }

    /// The path of something below the master, which is given without its leading slash.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.prefix)
    }

    /// The absolute address of something below the master, which is given without its leading slash.
    pub(crate) fn absolute(&self, below: &str) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.path(below))
    }
}

impl<S: Sync> FromRequestParts<S> for PublicUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(&parts.headers, parts.uri.authority().map(axum::http::uri::Authority::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_end_says_how_it_is_called() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost".parse().unwrap());
        assert_eq!(PublicUrl::new(&headers, None).absolute("hateoas/"), "http://localhost/hateoas/");

        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        headers.insert("x-forwarded-prefix", "/slap/".parse().unwrap());
        assert_eq!(PublicUrl::new(&headers, None).absolute("hateoas/"), "https://localhost/slap/hateoas/");
    }
}
