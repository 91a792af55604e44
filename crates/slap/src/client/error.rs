//! Why a master could not be asked, or what it refused.

use std::error::Error;

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::wire::WireError;

/// A request that was not answered as hoped.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The configured address is none.
    #[error("`{url}` cannot be the address of a master: {reason}")]
    Address {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A configured certificate or key cannot be used.
    #[error("failed to use the certificate file `{path}`")]
    Certificate {
        /// Which file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// There was no answer: no connection, or not in time.
    #[error("no answer from the master at {url}")]
    Unreachable {
        /// Who was asked.
        url: String,
        /// How it failed.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The master could not prove who it is, or did not accept who we are.
    #[error("cannot trust the master at {url}")]
    Untrusted {
        /// Who was asked.
        url: String,
        /// How it failed.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The request was accepted; there is nothing to show for it yet.
    #[error("the master accepted the request but has not fulfilled it yet")]
    NotReady,
    /// The master does not know what it was asked about, or not the question itself.
    #[error("the master has no answer to `{method}`{}", detail(.message))]
    NotFound {
        /// What was asked.
        method: String,
        /// What the master says about it, if anything.
        message: String,
    },
    /// The master refused.
    #[error("the master answered `{method}` with {status}{}", detail(.message))]
    Status {
        /// What was asked.
        method: String,
        /// The status of HTTP.
        status: u16,
        /// What the master says about it, if anything.
        message: String,
    },
    /// The master answered something that cannot be understood.
    #[error("the answer of the master to `{method}` cannot be understood")]
    Answer {
        /// What was asked.
        method: String,
        /// What is wrong with the answer.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What was to be sent cannot be.
    #[error("the request cannot be written")]
    Request(#[source] WireError),
}

impl ClientError {
    /// The code by which the documentation explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "E-master-address",
            Self::Certificate { .. } => "E-tls-certificate",
            Self::Unreachable { .. } => "E-master-unreachable",
            Self::Untrusted { .. } => "E-tls-unknown-authority",
            Self::NotReady => "E-not-ready",
            Self::NotFound { .. } => "E-not-found",
            Self::Status { .. } => "E-master-refused",
            Self::Answer { .. } => "E-master-answer",
            Self::Request(_) => "E-request",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address { .. } => Some("correct `master_url`, e.g. http://127.0.0.1:5000/"),
            Self::Certificate { .. } => Some("correct `key_file`, `cert_file` or `master_ca_file`"),
            Self::Unreachable { .. } => {
                Some("check that the master runs, and `master_url`; `slapos proxy start` starts one")
            }
            Self::Untrusted { .. } => Some("check `master_ca_file`, or ask the operator of the master"),
            Self::NotReady => Some("ask again later"),
            Self::NotFound { .. } | Self::Status { .. } | Self::Answer { .. } | Self::Request(_) => None,
        }
    }

    pub(super) fn from_transport(url: &str, source: ureq::Error) -> Self {
        let url = url.to_owned();
        let is_trust = match &source {
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => true,
            // The handshake reports what it refuses as an input error that wraps the reason.
            ureq::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
            _ => false,
        };
        let source = Box::new(source);
        if is_trust { Self::Untrusted { url, source } } else { Self::Unreachable { url, source } }
    }

    pub(super) fn from_status(status: u16, method: &str, body: &str) -> Self {
        let method = method.to_owned();
        let message = message(body);
        match status {
            404 => Self::NotFound { method, message },
            408 => Self::NotReady,
            _ => Self::Status { method, status, message },
        }
    }

    pub(super) fn answer(method: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Answer { method: method.to_owned(), source: source.into() }
    }
}

/// The words of an error page, in one line of bearable length.
fn message(body: &str) -> String {
    let mut text = String::new();
    let mut is_markup = false;
    for character in body.chars() {
        match character {
            '<' => is_markup = true,
            '>' => {
                is_markup = false;
                text.push(' ');
            }
            _ if is_markup => {}
            _ => text.push(character),
        }
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_apart() {
        assert!(matches!(ClientError::from_status(408, "m", ""), ClientError::NotReady));
        insta::assert_snapshot!(
            ClientError::from_status(404, "requestComputerPartition", "No free partition\n"),
            @"the master has no answer to `requestComputerPartition`: No free partition"
        );
        insta::assert_snapshot!(
            ClientError::from_status(500, "x", "<!doctype html><title>500</title>\n<p>It broke.</p>"),
            @"the master answered `x` with 500: 500 It broke."
        );
    }
}
