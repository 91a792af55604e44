//! What is chosen for a requirement: a distribution on disk, or one that will be installed.

use std::sync::Arc;

use camino::Utf8PathBuf;
use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;

use super::distribution::Distribution;
use super::error::EggError;
use super::index::Candidate;
use super::metadata::Dependencies;
use super::name::ProjectName;
use super::resolve::Choice;

/// Something to choose for a requirement.
pub(super) enum Chosen {
    /// It is on disk.
    Installed(Arc<Distribution>),
    /// It is installed when the walk is complete.
    Planned(Box<Planned>),
}

/// Something that will be installed when the walk is complete.
pub(super) struct Planned {
    /// The project as the distribution writes it.
    pub written: String,
    /// The project.
    pub project: ProjectName,
    /// Its version.
    pub version: Version,
    /// What it needs.
    pub dependencies: Dependencies,
    /// Where it comes from.
    pub from: From,
}

/// Where a planned distribution comes from.
pub(super) enum From {
    /// It is still to be fetched.
    Index(Box<Candidate>),
    /// A wheel or an egg on disk.
    File(Utf8PathBuf),
}

impl Chosen {
    /// The distribution, when it is on disk.
    pub(super) fn installed(&self) -> Option<Arc<Distribution>> {
        match self {
            Self::Installed(distribution) => Some(Arc::clone(distribution)),
            Self::Planned(_) => None,
        }
    }

    /// What is to be installed.
    pub(super) fn planned(&self) -> Option<&Planned> {
        match self {
            Self::Installed(_) => None,
            Self::Planned(planned) => Some(planned),
        }
    }
}

impl Choice for Chosen {
    fn project(&self) -> &ProjectName {
        match self {
            Self::Installed(distribution) => &distribution.project,
            Self::Planned(planned) => &planned.project,
        }
    }

    fn written(&self) -> &str {
        match self {
            Self::Installed(distribution) => &distribution.written,
            Self::Planned(planned) => &planned.written,
        }
    }

    fn version(&self) -> &Version {
        match self {
            Self::Installed(distribution) => &distribution.version,
            Self::Planned(planned) => &planned.version,
        }
    }

    fn is_develop(&self) -> bool {
        matches!(self, Self::Installed(distribution) if distribution.is_linked())
    }

    fn dependencies(&self, environment: &MarkerEnvironment) -> Result<&Dependencies, EggError> {
        match self {
            Self::Installed(distribution) => distribution.dependencies(environment),
            Self::Planned(planned) => Ok(&planned.dependencies),
        }
    }

    fn needs_setuptools(&self, environment: &MarkerEnvironment) -> Result<bool, EggError> {
        match self {
            Self::Installed(distribution) => distribution.needs_setuptools(environment),
            // It is known when it is unpacked; the walk over what is installed asks again.
            Self::Planned(_) => Ok(false),
        }
    }
}
