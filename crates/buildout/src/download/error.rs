//! Why a download fails.

use camino::Utf8PathBuf;
use shacache::Checksum;
use std::io::ErrorKind;

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
    /// There is more of it than is taken.
    #[error("{url} has more than {} MiB", limit >> 20)]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit, in bytes.
        limit: u64,
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
    /// What the profile says that it hashes to.
    pub expected: Checksum,
    /// What it hashes to.
    pub actual: Checksum,
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
        let algorithm = self.expected.algorithm.name().to_ascii_uppercase();
        match &self.place {
            Place::Network => format!("{algorithm} checksum mismatch downloading '{}'", self.url),
            Place::Cache(path) => {
                format!("{algorithm} checksum mismatch for cached download from '{}' at '{path}'", self.url)
            }
            Place::Local(path) => format!("{algorithm} checksum mismatch for local resource at '{path}'."),
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
            Self::Status { .. } | Self::Network { .. } | Self::TooLarge { .. } | Self::Address { .. } => {
                "E-download-failed"
            }
            Self::File { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "E-disk-full",
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "E-file-permission",
                _ => "E-file",
            },
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
            Self::TooLarge { url, .. } => format!("Error downloading extends for URL {url}: {self}"),
            Self::File { source, .. } => format!("{self}: {source}"),
            Self::Address { .. } => self.to_string(),
        }
    }
}
