//! The cache of sources and of built releases, as section `[networkcache]` of the configuration describes it.

use camino::Utf8PathBuf;

/// Addresses, keys and lists of the network cache. Everything is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkCache {
    /// Where built releases are fetched: content and directory.
    pub binary_download: Option<(String, String)>,
    /// Where built releases are published: content and directory.
    pub binary_upload: Option<(String, String)>,
    /// Where builds publish sources: content.
    pub upload_cache_url: Option<String>,
    /// Where builds publish sources: directory.
    pub upload_dir_url: Option<String>,
    /// Key that signs what is published.
    pub signature_private_key_file: Option<Utf8PathBuf>,
    /// Certificates whose signatures are trusted, PEM.
    pub signature_certificates: Vec<String>,
    /// TLS files for publishing content: authority, certificate, key.
    pub shacache_tls: TlsFiles,
    /// TLS files for publishing directory entries: authority, certificate, key.
    pub shadir_tls: TlsFiles,
    /// Prefixes of releases never taken from the cache.
    pub download_blacklist: Vec<String>,
    /// Prefixes of releases never published.
    pub upload_blacklist: Vec<String>,
    /// Prefixes of releases that may only come from the cache.
    pub forced: Vec<String>,
}

/// Three optional files of one TLS client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Authority of the server.
    pub ca_file: Option<Utf8PathBuf>,
    /// Own certificate.
    pub cert_file: Option<Utf8PathBuf>,
    /// Own key.
    pub key_file: Option<Utf8PathBuf>,
}

impl NetworkCache {
    /// The options that a build gets, in the order in which they are passed; those without a value are left out.
    #[must_use]
    pub fn build_options(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<Utf8PathBuf>| path.as_ref().map(ToString::to_string);
        [
            ("signature-private-key-file", path(&self.signature_private_key_file)),
            ("upload-cache-url", self.upload_cache_url.clone()),
            ("upload-dir-url", self.upload_dir_url.clone()),
            ("shacache-ca-file", path(&self.shacache_tls.ca_file)),
            ("shacache-cert-file", path(&self.shacache_tls.cert_file)),
            ("shacache-key-file", path(&self.shacache_tls.key_file)),
            ("shadir-ca-file", path(&self.shadir_tls.ca_file)),
            ("shadir-cert-file", path(&self.shadir_tls.cert_file)),
            ("shadir-key-file", path(&self.shadir_tls.key_file)),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (name, value)))
        .collect()
    }

    /// Whether builds are told to use the cache at all.
    #[must_use]
    pub fn is_used_by_builds(&self) -> bool {
        self.signature_private_key_file.is_some()
            || self.upload_cache_url.is_some()
            || self.upload_dir_url.is_some()
    }
}
