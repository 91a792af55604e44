//! What can go wrong with distributions, and what to do about it.

mod advice;
mod recipe_error;

use std::io;

use camino::Utf8PathBuf;
use host::python::PythonError;

use super::pins::Pin;
use super::requirement::RequirementError;

/// Why distributions could not be found, built, installed or used.
#[derive(Debug, thiserror::Error)]
pub enum EggError {
    /// No interpreter to build for.
    #[error("there is no usable Python for this build")]
    Python(#[source] PythonError),
    /// A text that is no requirement.
    #[error("a requirement cannot be read{}", origin(.by))]
    Requirement {
        /// The distribution or part that holds it.
        by: Option<String>,
        /// Why.
        source: RequirementError,
    },
    /// A value of `[versions]` that is no version.
    #[error("the pin of {} is neither a version nor a constraint: `{}`", .pin.written, .pin.text)]
    BadPin {
        /// The pin.
        pin: Box<Pin>,
    },
    /// A pin that the requirement excludes.
    #[error("{requirement} is needed, and {}", .pin.describe())]
    PinContradicts {
        /// The requirement.
        requirement: String,
        /// The pin.
        pin: Box<Pin>,
        /// Who asked for it, the nearest first.
        chain: Vec<String>,
    },
    /// Two requirements that no single version satisfies.
    #[error("{requirement} is needed, and {chosen} was already chosen")]
    Conflict {
        /// The requirement that came second.
        requirement: String,
        /// What was chosen before.
        chosen: String,
        /// Who asked for the second, the nearest first.
        chain: Vec<String>,
        /// Who asked for what was chosen.
        chosen_for: Vec<String>,
    },
    /// An extra that a distribution does not have.
    #[error("{distribution} has no extra `{extra}`")]
    UnknownExtra {
        /// The distribution.
        distribution: String,
        /// The extra.
        extra: String,
        /// Who asked for it, the nearest first.
        chain: Vec<String>,
    },
    /// A project without pin where every project must have one.
    #[error("{project} has no pin, and picking versions is not allowed")]
    NotPinned {
        /// The project.
        project: String,
        /// The version that would be picked.
        version: String,
        /// The requirement, with its pin applied.
        requirement: String,
        /// Who asked for it, the nearest first.
        chain: Vec<String>,
    },
    /// Nothing satisfies a requirement.
    #[error("no distribution satisfies {}", .0.requirement)]
    Missing(Box<Missing>),
    /// Nothing installed satisfies a requirement, and nothing may be installed.
    #[error("no installed distribution satisfies {requirement}, and the build is offline")]
    Offline {
        /// The requirement, with its pin applied.
        requirement: String,
        /// Who asked for it, the nearest first.
        chain: Vec<String>,
    },
    /// No index is configured, and pip does not tell its own.
    #[error("it is not known where to look for distributions")]
    NoIndex {
        /// Why pip was not asked.
        source: Option<PythonError>,
    },
    /// A page or a file could not be had.
    #[error("failed to get {what}")]
    Fetch {
        /// What, without credentials.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// `allow-hosts` excludes the host of a file.
    #[error("{what} is on a host that `allow-hosts` excludes")]
    HostNotAllowed {
        /// What, without credentials.
        what: String,
    },
    /// A file that is not the one that was promised.
    #[error("the {algorithm} of {what} is {found}, not {expected}")]
    Checksum {
        /// The file.
        what: String,
        /// `sha256` or `md5`.
        algorithm: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A wheel or an egg that is not one.
    #[error("`{path}` is not a usable distribution: {reason}")]
    Damaged {
        /// The file or directory.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A source archive that did not become a wheel.
    #[error("building {what} failed with {verdict}")]
    Build {
        /// The archive.
        what: String,
        /// How the builder ended.
        verdict: String,
        /// What it printed.
        output: String,
    },
    /// A setup script that did not do what it was run for.
    #[error("the setup script {script} failed with {verdict}")]
    SetupScript {
        /// The script.
        script: Utf8PathBuf,
        /// How it ended.
        verdict: String,
        /// What it printed, unless that was shown at once.
        output: Option<String>,
    },
    /// The interpreter has nothing to build source archives with.
    #[error("{what} is a source archive, and the Python of this build has no pip to build it")]
    NoBuilder {
        /// The archive.
        what: String,
    },
    /// A script asked for an entry point or a text that does not exist.
    #[error("{0}")]
    Script(String),
    /// A file or directory could not be read or written.
    #[error("failed to {action} `{path}`")]
    Io {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The file or directory.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A requirement that nothing satisfies, and what exists instead.
#[derive(Debug)]
pub struct Missing {
    /// The requirement, with its pin applied.
    pub requirement: String,
    /// The pin, if there is one.
    pub pin: Option<Pin>,
    /// The nearest versions that exist.
    pub nearest: Vec<String>,
    /// Why files of the right version cannot be used.
    pub refused: Vec<String>,
    /// Where was looked.
    pub places: Vec<String>,
    /// Who asked for it, the nearest first.
    pub chain: Vec<String>,
}

fn origin(by: &Option<String>) -> String {
    by.as_ref().map(|by| format!(" (asked by {by})")).unwrap_or_default()
}

impl EggError {
    /// The code by which manuals and scripts know this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Python(error) => error.code(),
            Self::Requirement { .. } => "E-eggs-requirement",
            Self::BadPin { .. } => "E-eggs-pin",
            Self::PinContradicts { .. } | Self::Conflict { .. } => "E-eggs-conflict",
            Self::UnknownExtra { .. } => "E-eggs-extra",
            Self::NotPinned { .. } => "E-eggs-unpinned",
            Self::Missing(_) | Self::Offline { .. } => "E-eggs-missing",
            Self::NoIndex { .. } => "E-eggs-index",
            Self::Fetch { .. } | Self::HostNotAllowed { .. } => "E-eggs-download",
            Self::Checksum { .. } => "E-download-checksum",
            Self::Damaged { .. } => "E-eggs-damaged",
            Self::Build { .. } | Self::NoBuilder { .. } => "E-eggs-build",
            Self::SetupScript { .. } => "E-develop",
            Self::Script(_) => "E-eggs-script",
            Self::Io { .. } => "E-eggs-files",
        }
    }

    /// The pin that the error is about.
    pub(crate) fn pin_mut(&mut self) -> Option<&mut Pin> {
        match self {
            Self::BadPin { pin } | Self::PinContradicts { pin, .. } => Some(pin),
            Self::Missing(missing) => missing.pin.as_mut(),
            _ => None,
        }
    }
}
