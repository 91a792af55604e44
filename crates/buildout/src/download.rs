//! Downloads: from a cache, a file or the network, checked before anybody can use them.

mod fetch;
mod netrc;

use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use fetch::{Fetcher, is_url};

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// URL, or path of a file of this machine.
    pub url: String,
    /// MD5 that the content must have, in hexadecimal.
    pub md5: Option<String>,
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
    /// A download without checksum and destination.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            md5: None,
            destination: None,
            alternate_url: None,
            offline: None,
            use_cache: true,
        }
    }

    /// Sets the MD5 that the content must have; an empty one means none.
    #[must_use]
    pub fn md5(mut self, md5: Option<String>) -> Self {
        self.md5 = md5.filter(|md5| !md5.trim().is_empty()).map(|md5| md5.trim().to_ascii_lowercase());
        self
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

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The network may not be used and no cache has it.
    #[error("{url} is not in the cache, and the build is offline")]
    Offline {
        /// What was wanted.
        url: String,
    },
    /// The content is not what the profile expects.
    #[error("the {} is not the one the profile expects", .0.place.noun())]
    Checksum(Box<Mismatch>),
    /// The server answered that it does not give the file.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// Number of the answer, such as 404.
        status: u16,
        /// Its words, such as `Not Found`.
        reason: String,
    },
    /// No whole answer came.
    #[error("{url} could not be fetched")]
    Network {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of this machine could not be read or written.
    #[error("cannot {doing}")]
    File {
        /// What could not be done.
        doing: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address is of a kind that cannot be fetched.
    #[error("{url} is no address that can be fetched")]
    Address {
        /// The address.
        url: String,
    },
}

/// Content that is not what the profile expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was wanted.
    pub url: String,
    /// Where the wrong content was.
    pub place: Place,
    /// The MD5 that the profile says.
    pub expected: String,
    /// The MD5 that it has.
    pub actual: String,
    /// What the server said that it sent.
    pub content_type: Option<String>,
    /// How many bytes came.
    pub size: u64,
}

/// Where content with the wrong checksum was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the network.
    Network,
    /// In the download cache, at this path.
    Cache(Utf8PathBuf),
    /// On this machine, at this path.
    Local(Utf8PathBuf),
}

impl Place {
    fn noun(&self) -> &'static str {
        match self {
            Self::Network => "downloaded file",
            Self::Cache(_) => "cached file",
            Self::Local(_) => "local file",
        }
    }
}

impl Mismatch {
    fn classic(&self) -> String {
        match &self.place {
            Place::Network => format!("MD5 checksum mismatch downloading '{}'", self.url),
            Place::Cache(path) => {
                format!("MD5 checksum mismatch for cached download from '{}' at '{path}'", self.url)
            }
            Place::Local(path) => format!("MD5 checksum mismatch for local resource at '{path}'."),
        }
    }
}

impl DownloadError {
    /// The code under which the manual explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Offline { .. } => "E-download-offline",
            Self::Checksum(_) => "E-download-checksum",
            Self::Status { .. } | Self::Network { .. } | Self::Address { .. } => "E-download-failed",
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => "E-disk-full",
            Self::File { .. } => "E-file",
        }
    }

    /// What the classic engine says.
    #[must_use]
    pub fn classic(&self) -> String {
        match self {
            Self::Offline { url } => format!("Couldn't download '{url}' in offline mode."),
            Self::Checksum(mismatch) => mismatch.classic(),
            Self::Status { url, status, reason } => {
                format!("Error downloading extends for URL {url}: HTTP Error {status}: {reason}")
            }
            Self::Network { url, source } => format!("Error downloading extends for URL {url}: {source}"),
            Self::File { source, .. } => format!("{self}: {source}"),
            Self::Address { .. } => self.to_string(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
