//! Whose entries are trusted: certificates, of which only the key matters, and the RSA/SHA-1 signatures that existing
//! caches carry.

use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Keys that are trusted to sign entries.
#[derive(Debug, Clone, Default)]
pub struct Certificates {
    keys: Vec<Vec<u8>>,
    ignored: usize,
}

impl Certificates {
    /// Reads certificates in PEM, one after the other. What is none is counted and left out.
    #[must_use]
    pub fn from_pem(text: &str) -> Self {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        let mut certificates = Self::default();
        for piece in text.split(BEGIN).skip(1) {
            // Options of a profile may have lost the white space that the form asks for.
            let lines: String = piece.lines().map(|line| format!("{}\n", line.trim())).collect();
            let certificate = CertificateDer::from_pem_slice(format!("{BEGIN}{lines}").as_bytes()).ok();
            match certificate.as_deref().and_then(public_key) {
                Some(key) => certificates.keys.push(key.to_vec()),
                None => certificates.ignored += 1,
            }
        }
        certificates
    }

    /// How many of them could not be understood.
    #[must_use]
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// Whether one of them signed the text.
    #[must_use]
    pub fn vouch_for(&self, text: &str, signature: &[u8]) -> bool {
        self.keys.iter().any(|key| {
            UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, key)
                .verify(text.as_bytes(), signature)
                .is_ok()
        })
    }
}

/// The public key of a certificate, with its algorithm, as it stands in there: the first field after the subject.
/// Nothing else is looked at: these certificates are but a form to write down a key, and may long have expired.
fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, signed, _) = element(certificate)?;
    let (_, mut fields, _) = element(signed)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // Serial number, algorithm of the signature, issuer, validity, subject.
    for _ in 0..5 {
        fields = element(fields)?.2;
    }
    let (whole, _, _) = element(fields)?;
    (whole.first() == Some(&SEQUENCE)).then_some(whole)
}

/// The first element of some DER: the whole of it, what is in it, and what follows.
fn element(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = usize::from(*der.get(1)?);
    let (length, header) = if first < 0x80 {
        (first, 2)
    } else {
        let count = first & 0x7f;
        if count == 0 || count > 4 {
            return None;
        }
        let bytes = der.get(2..2 + count)?;
        (bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)), 2 + count)
    };
    let end = header.checked_add(length)?;
    Some((der.get(..end)?, der.get(header..end)?, &der[end..]))
}

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine as _;

    use super::*;

    /// Made with `openssl req -x509 -newkey rsa:2048`, and `openssl sha1 -sign` over `hello`.
    pub(crate) const CERTIFICATE: &str = include_str!("../tests/data/certificate.pem");
    const SIGNATURE: &str = include_str!("../tests/data/hello.signature");

    fn signature() -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.decode(SIGNATURE.trim()).unwrap()
    }

    #[test]
    fn a_signature_of_a_trusted_key_is_recognised() {
        let certificates = Certificates::from_pem(CERTIFICATE);

        assert!(certificates.vouch_for("hello", &signature()));
        assert!(!certificates.vouch_for("hallo", &signature()));
        assert!(!certificates.vouch_for("hello", b""));
        assert!(!Certificates::default().vouch_for("hello", &signature()));
    }

    #[test]
    fn certificates_may_be_indented_and_among_others() {
        let indented: String = CERTIFICATE.lines().map(|line| format!("  {line}\n")).collect();
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

        let certificates = Certificates::from_pem(&format!("\n{broken}\n{indented}{CERTIFICATE}"));

        assert_eq!((certificates.keys.len(), certificates.ignored()), (2, 1));
        assert!(certificates.vouch_for("hello", &signature()));
    }

    #[test]
    fn damaged_certificates_are_no_danger() {
        let whole = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        for length in 0..whole.len() {
            assert_eq!(public_key(&whole[..length]), None);
        }
        for position in 0..whole.len().min(200) {
            let mut changed = whole.to_vec();
            changed[position] ^= 0xff;
            let _ = public_key(&changed);
        }
    }
}
