//! The environment of children: what they may inherit, and nothing else.
//!
//! The reference passes on nearly all of its own environment. Code chosen by users must not see what the operator
//! exported, so here only what is named may pass.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Variables that children of this node inherit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

const NAMES: [&str; 8] = [
    "PATH",
    "TERM",
    "NO_COLOR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
];
const PROXIES: [&str; 5] = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"];
const PREFIXES: [&str; 1] = ["PIP_"];

impl Environment {
    /// Keeps of `variables` those that children may see.
    #[must_use]
    pub fn allowed(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().filter(|(name, _)| is_allowed(name)).collect())
    }

    /// Adds or replaces one variable.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The variables, sorted by name.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

fn is_allowed(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    NAMES.contains(&name)
        || PROXIES.contains(&name.to_ascii_lowercase().as_str())
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_variables_pass() {
        let variables =
            ["PATH", "HTTPS_PROXY", "no_proxy", "PIP_INDEX_URL", "SECRET", "PYTHONPATH", "LANG", "TMPDIR"]
                .map(|name| (OsString::from(name), OsString::from("value")));

        let environment = Environment::allowed(variables);

        let names: Vec<_> = environment.variables().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(names, ["HTTPS_PROXY", "PATH", "PIP_INDEX_URL", "no_proxy"]);
    }
}
