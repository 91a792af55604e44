//! `[networkcache]`: where releases and downloads are fetched from and sent to.

use node::configuration::NetworkCache;
use node::configuration::network_cache::TlsFiles;

use crate::config::Options;
use crate::failure::Failure;

pub(super) fn network_cache(options: &Options<'_>) -> Result<NetworkCache, Failure> {
    let pair = |content, directory| -> Result<Option<(String, String)>, Failure> {
        Ok(options.text(content)?.zip(options.text(directory)?))
    };
    let tls = |ca_file, cert_file, key_file| -> Result<TlsFiles, Failure> {
        Ok(TlsFiles {
            ca_file: options.path(ca_file)?,
            cert_file: options.path(cert_file)?,
            key_file: options.path(key_file)?,
        })
    };
    Ok(NetworkCache {
        binary_download: pair("download_binary_cache_url", "download_binary_dir_url")?,
        binary_upload: pair("upload_binary_cache_url", "upload_binary_dir_url")?,
        upload_cache_url: options.text("upload_cache_url")?,
        upload_dir_url: options.text("upload_dir_url")?,
        signature_private_key_file: options.path("signature_private_key_file")?,
        signature_certificates: certificates(
            &options.text("signature_certificate_list")?.unwrap_or_default(),
        ),
        shacache_tls: tls("shacache_ca_file", "shacache_cert_file", "shacache_key_file")?,
        shadir_tls: tls("shadir_ca_file", "shadir_cert_file", "shadir_key_file")?,
        download_blacklist: options.lines("download_from_binary_cache_url_blacklist")?,
        upload_blacklist: options.lines("upload_to_binary_cache_url_blacklist")?,
        forced: options.lines("download_from_binary_cache_force_url_list")?,
    })
}

/// Splits concatenated certificates at their first lines.
fn certificates(text: &str) -> Vec<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    text.split(BEGIN).skip(1).map(|rest| format!("{BEGIN}{}", rest.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_split_at_their_first_lines() {
        let one = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----";

        assert_eq!(certificates(&format!("{one}\n{one}\n")), [one, one]);
        assert!(certificates("").is_empty());
    }
}
