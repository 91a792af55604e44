//! Downloads: from a cache, a file or the network, checked before anybody can use them.

mod error;
mod fetch;
mod keep;
mod mirror;
pub(crate) mod netrc;
mod prefetch;

use camino::{Utf8Path, Utf8PathBuf};
use shacache::{Algorithm, Checksum};

pub use error::{DownloadError, Mismatch, Place};
pub(crate) use fetch::{Fetcher, is_url};
pub(crate) use prefetch::Prefetch;

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Download {
    /// URL, or path of a file of this machine.
    pub url: String,
    /// What the content must hash to, in every way that the profile says.
    pub checksums: Vec<Checksum>,
    /// Where to put it; its directory must exist.
    pub destination: Option<Utf8PathBuf>,
    /// Where to look when the server of `url` does not give it.
    pub alternate_url: Option<String>,
    /// Overrides whether the build is offline.
    pub offline: Option<bool>,
    /// Whether the cache of the build may serve it.
    pub use_cache: bool,
}

impl Download {
    /// A download without destination. A checksum in the fragment of the address, such as `#sha256=…` or an MD5 alone, is
    /// taken off the address and holds.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        let mut url = url.into();
        let checksum = match url.rsplit_once('#') {
            Some((address, fragment)) if is_url(&url) => {
                Checksum::from_fragment(fragment).map(|checksum| (address.len(), checksum))
            }
            _ => None,
        };
        let checksums = checksum.into_iter().map(|(length, checksum)| {
            url.truncate(length);
            checksum
        });
        Self {
            checksums: checksums.collect(),
            url,
            destination: None,
            alternate_url: None,
            offline: None,
            use_cache: true,
        }
    }

    /// Adds the MD5 that the content must have; an empty one means none.
    #[must_use]
    pub fn md5(self, digits: Option<String>) -> Self {
        self.checksum(Algorithm::Md5, digits)
    }

    /// Adds a hash that the content must have, in hexadecimal; an empty one means none.
    #[must_use]
    pub fn checksum(mut self, algorithm: Algorithm, digits: Option<String>) -> Self {
        let digits = digits.filter(|digits| !digits.trim().is_empty());
        self.checksums.extend(digits.map(|digits| Checksum::new(algorithm, &digits)));
        self
    }

    /// Whether it is known what the content must be.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        !self.checksums.is_empty()
    }

    /// Sets where to put it.
    #[must_use]
    pub fn destination(mut self, path: impl Into<Utf8PathBuf>) -> Self {
        self.destination = Some(path.into());
        self
    }

    /// Sets where to look when the first address fails; an empty one means nowhere.
    #[must_use]
    pub fn alternate_url(mut self, url: Option<String>) -> Self {
        self.alternate_url = url.filter(|url| !url.trim().is_empty());
        self
    }
}

/// A file that was fetched and checked. A temporary one is removed when this is dropped.
#[derive(Debug)]
pub struct Downloaded {
    path: Utf8PathBuf,
    temporary: Option<tempfile::TempPath>,
}

impl Downloaded {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether it vanishes with this object; otherwise it belongs to the cache, the destination or somebody else.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

#[cfg(test)]
pub(crate) mod tests;
