//! Who is trusted, and the client certificate. The server is always verified.

use std::error::Error;
use std::sync::Arc;

use camino::Utf8Path;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::{ClientError, Endpoint};

type AnyError = Box<dyn Error + Send + Sync>;

pub(super) fn configuration(endpoint: &Endpoint) -> Result<TlsConfig, ClientError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = match &endpoint.ca_file {
        Some(path) => RootCerts::new_with_certs(&certificates(path)?),
        None => RootCerts::PlatformVerifier,
    };
    let identity = match (&endpoint.key_file, &endpoint.cert_file) {
        (Some(key), Some(certificate)) => Some(identity(key, certificate, &provider)?),
        _ => None,
    };
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(roots)
        .client_cert(identity)
        .build())
}

fn identity(
    key: &Utf8Path,
    certificate: &Utf8Path,
    provider: &CryptoProvider,
) -> Result<ClientCert, ClientError> {
    let chain = certificates(certificate)?;
    let private_key = PrivateKey::from_pem(&read(key)?).map_err(|source| unusable(key, source))?;
    check_pair(&chain, &private_key, provider).map_err(|source| unusable(certificate, source))?;
    Ok(ClientCert::new_with_certs(&chain, private_key))
}

/// The HTTP client takes a fitting pair for granted and would panic at the first connection.
fn check_pair(
    chain: &[Certificate<'static>],
    key: &PrivateKey<'static>,
    provider: &CryptoProvider,
) -> Result<(), AnyError> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let key_der = PrivateKeyDer::try_from(key.der().to_vec())?;
    let signing_key = provider.key_provider.load_private_key(key_der)?;
    let chain = chain.iter().map(|c| CertificateDer::from(c.der().to_vec())).collect();
    match rustls::sign::CertifiedKey::new(chain, signing_key).keys_match() {
        // A key whose public half cannot be derived is accepted by the handshake too.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn certificates(path: &Utf8Path) -> Result<Vec<Certificate<'static>>, ClientError> {
    let mut found = Vec::new();
    for item in parse_pem(&read(path)?) {
        if let PemItem::Certificate(certificate) = item.map_err(|source| unusable(path, source))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(unusable(path, "there is no certificate in it"));
    }
    Ok(found)
}

fn read(path: &Utf8Path) -> Result<Vec<u8>, ClientError> {
    #[expect(clippy::disallowed_methods, reason = "the error is wrapped with the path just below")]
    std::fs::read(path).map_err(|source| unusable(path, source))
}

fn unusable(path: &Utf8Path, source: impl Into<AnyError>) -> ClientError {
    ClientError::Certificate { path: path.to_owned(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn a_certificate_file_that_is_missing_or_empty_is_named() {
        let mut endpoint = Endpoint::new("https://master.example.org/");
        endpoint.ca_file = Some("/nonexistent/ca.pem".into());
        let missing = Client::new(&endpoint).unwrap_err();
        endpoint.ca_file = Some("/dev/null".into());
        let empty = Client::new(&endpoint).unwrap_err();

        assert_eq!(missing.to_string(), "failed to use the certificate file `/nonexistent/ca.pem`");
        assert_eq!(empty.source().map(ToString::to_string).as_deref(), Some("there is no certificate in it"));
    }
}
