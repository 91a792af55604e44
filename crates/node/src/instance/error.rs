//! The ways in which processing a partition fails.

use std::io;

use camino::Utf8PathBuf;
use slap::SoftwareUrl;
use slap::client::ClientError;

use crate::build::{BuildError, Failure};
use crate::intended;
use crate::space::{self, SpaceError};
use crate::supervisor::SupervisorError;

/// A partition that could not be made as asked.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The directory is missing.
    #[error("Please create partition directory {path}")]
    Missing {
        /// Which.
        path: Utf8PathBuf,
    },
    /// The directory's mode would let others in, or its owner out.
    #[error("Wrong permissions in {path}: actual permissions are: 0{actual:o}, wanted are 0{wanted:o}")]
    Mode {
        /// Which.
        path: Utf8PathBuf,
        /// Its permissions.
        actual: u32,
        /// What they must be.
        wanted: u32,
    },
    /// There is too little room.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The master asks for an instance of nothing.
    #[error("no software release is given for this partition")]
    NoRelease,
    /// The release is not installed.
    #[error("Software Release {url} is not present on system.\nCannot deploy instance.")]
    ReleaseMissing {
        /// Which.
        url: SoftwareUrl,
    },
    /// The release has no instance profile.
    #[error("Software Release {url} is not correctly installed.\nMissing file: {path}")]
    ProfileMissing {
        /// Which.
        url: SoftwareUrl,
        /// The file.
        path: Utf8PathBuf,
    },
    /// The release offers several ways to begin.
    #[error("More than one bootstrap candidate found in {path}")]
    Bootstrap {
        /// The directory that they are in.
        path: Utf8PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The build failed.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The services could not be started or stopped.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// A promise fails.
    #[error("{0}")]
    Promise(String),
    /// What the instance consumed could not be found out or passed on.
    #[error("{0}")]
    Usage(String),
    /// The master could not be told, or refused to answer.
    #[error("cannot {what}")]
    Master {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: ClientError,
    },
}

impl InstanceError {
    /// Whether only a promise failed.
    #[must_use]
    pub fn is_promise(&self) -> bool {
        matches!(self, Self::Promise(_))
    }

    /// Whether the master is away.
    pub(crate) fn is_master_away(&self) -> bool {
        matches!(self, Self::Master { source, .. } if intended::is_away(source))
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Missing { .. } => "E-partition-missing",
            Self::Mode { .. } => "E-partition-mode",
            Self::Space(_) => "E-disk-full",
            Self::NoRelease => "E-partition-no-release",
            Self::ReleaseMissing { .. } => "E-release-missing",
            Self::ProfileMissing { .. } | Self::Bootstrap { .. } => "E-release-broken",
            Self::File { source, .. } if space::is_full(source) => "E-disk-full",
            Self::File { .. } => "E-directory-unwritable",
            Self::Build(error) => error.code(),
            Self::Supervisor(_) => "E-supervisor",
            Self::Promise(_) => "E-promise-failed",
            Self::Usage(_) => "E-usage-report",
            Self::Master { source, .. } if intended::is_away(source) => "E-master-unreachable",
            Self::Master { .. } => "E-master-refused",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => "make it: slapos node format --now".to_owned(),
            Self::Mode { path, wanted, .. } => {
                format!("correct it: chmod {wanted:o} {path}, or slapos node format --now")
            }
            Self::Space(_) => {
                "free space, or lower instance_min_free_space; the next pass continues".to_owned()
            }
            Self::ReleaseMissing { url } => format!("supply it to this node: slapos supply {url} COMPUTER"),
            Self::ProfileMissing { url, .. } => {
                format!(
                    "its profile must make instance.cfg; then build it again: slapos node software --force --only {url}"
                )
            }
            Self::File { path, .. } => format!("make {path} accessible for the user that runs this node"),
            Self::Build(error) => return error.hint(),
            Self::Supervisor(_) => "look at var/log/supervisord.log in the instance root".to_owned(),
            Self::Promise(_) => "the promise's log is in .slapgrid/promise/log of the partition".to_owned(),
            Self::Master { .. } => "it is tried again at the next pass".to_owned(),
            Self::NoRelease | Self::Bootstrap { .. } | Self::Usage(_) => return None,
        };
        Some(text)
    }
}

impl Failure for InstanceError {
    fn build(&self) -> Option<&BuildError> {
        match self {
            Self::Build(error) => Some(error),
            _ => None,
        }
    }
}
