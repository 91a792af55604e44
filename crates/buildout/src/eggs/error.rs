//! What can go wrong with distributions, and what to do about it.

use std::io;

use camino::Utf8PathBuf;
use host::python::PythonError;

use super::pins::Pin;
use super::requirement::RequirementError;

/// How much of the output of a build an error repeats; all of it is in the log.
const LAST_LINES: usize = 20;
/// How much of each line.
const LONGEST_LINE: usize = 500;

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

    /// What zc.buildout would say it was doing, within the work of a recipe.
    fn doing(&self) -> Option<String> {
        let requirement = match self {
            Self::NotPinned { requirement, .. } | Self::Offline { requirement, .. } => requirement,
            Self::Missing(missing) => &missing.requirement,
            _ => return None,
        };
        Some(format!("Getting distribution for '{requirement}'."))
    }

    /// The pin that the error is about.
    pub(crate) fn pin_mut(&mut self) -> Option<&mut Pin> {
        match self {
            Self::BadPin { pin } | Self::PinContradicts { pin, .. } => Some(pin),
            Self::Missing(missing) => missing.pin.as_mut(),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Python(error) => error.hint(),
            Self::Requirement { .. } => "write `name`, `name>=1.0` or `name[extra]`, one on each line".to_owned(),
            Self::BadPin { pin } => format!("write a version such as `{} = 1.2.3`, or a constraint such as `>=1,<2`", pin.written),
            Self::PinContradicts { requirement, pin, .. } => {
                format!("set {} in [versions] to a version that {requirement} allows", pin.written)
            }
            Self::Conflict { requirement, .. } => format!("pin a version in [versions] that satisfies {requirement}, too"),
            Self::UnknownExtra { .. } => "remove the extra, or set `allow-unknown-extras = true` in [buildout]".to_owned(),
            Self::NotPinned { project, version, .. } => {
                format!("add `{project} = {version}` to [versions], or set `allow-picked-versions = true` in [buildout]")
            }
            Self::Missing(missing) => match &missing.pin {
                Some(pin) if pin.is_of_patched_version() => format!(
                    "build {} with its patches before: a part with the recipe zc.recipe.egg:custom and `{}-patches`",
                    pin.written, pin.written
                ),
                Some(pin) if !missing.nearest.is_empty() => {
                    format!("set {} to a version that exists: {}", pin.written, missing.nearest.join(", "))
                }
                _ => format!("check the name in `{}`, `index` and `find-links`", missing.requirement),
            },
            Self::Offline { .. } => "build once without `offline = true`".to_owned(),
            Self::NoIndex { .. } => {
                "set `index` in [buildout] or in pip's configuration, or install pip with `apt install python3-pip`".to_owned()
            }
            Self::Fetch { .. } => "check the network and `index` in [buildout] or pip's configuration, then build again".to_owned(),
            Self::HostNotAllowed { .. } => "add the host to `allow-hosts` in [buildout]".to_owned(),
            Self::Checksum { .. } => "the file was changed on its way or on its host; build again, or choose another index".to_owned(),
            Self::Damaged { path, .. } => format!("remove `{path}` and build again"),
            Self::Build { .. } => "pin a version that has a wheel, or install what the build asks for".to_owned(),
            Self::SetupScript { output: None, .. } => "the lines above are what it printed".to_owned(),
            Self::NoBuilder { .. } => "pin a version that has a wheel, or install pip with `apt install python3-pip`".to_owned(),
            Self::SetupScript { .. } | Self::Script(_) | Self::Io { .. } => return None,
        })
    }

    /// The text that zc.buildout prints for this error after `Error: `, where it has one.
    #[must_use]
    pub fn classic(&self) -> String {
        match self {
            Self::PinContradicts { requirement, pin, .. } => format!(
                "The requirement ('{requirement}') is not allowed by your [versions] constraint ({})",
                pin.text.trim().trim_start_matches('=')
            ),
            Self::Conflict { requirement, chosen, chain, .. } => {
                let requirer = chain.first().map(|by| format!("\nbut {by} requires '{requirement}'.")).unwrap_or_default();
                format!("There is a version conflict.\nWe already have: {chosen}{requirer}")
            }
            Self::UnknownExtra { .. } => "Couldn't find the required extra. This means the requirement is incorrect. \
                 If the requirement is itself from software you requested, then there might be a bug in requested \
                 software. You can ignore this by using 'allow-unknown-extras=true', however that may simply cause \
                 needed software to be omitted."
                .to_owned(),
            Self::NotPinned { project, version, .. } => format!(
                "Picked: {project} = {version}\n\nThe `{project}` egg does not have a version pin and \
                 `allow-picked-versions = false`.\n\nTo resolve this, add\n\n    {project} = {version}\n\nto the \
                 [versions] section,\n\nOR set `allow-picked-versions = true`."
            ),
            Self::Missing(missing) => format!("Couldn't find a distribution for '{}'.", missing.requirement),
            Self::Offline { requirement, .. } => format!(
                "We don't have a distribution for {requirement}\nand can't install one in offline (no-install) mode.\n"
            ),
            other => other.to_string(),
        }
    }

    /// The further causes, one line each: who asked for what, what exists instead.
    #[must_use]
    pub fn because(&self) -> Vec<String> {
        let asked = |chain: &[String]| {
            (!chain.is_empty()).then(|| format!("it is asked by {}", chain.join(", asked by ")))
        };
        match self {
            Self::BadPin { pin } => vec![pin.describe()],
            Self::PinContradicts { pin, chain, .. } => {
                std::iter::once(pin.describe()).chain(asked(chain)).collect()
            }
            Self::UnknownExtra { chain, .. } | Self::NotPinned { chain, .. } => {
                asked(chain).into_iter().collect()
            }
            Self::Offline { chain, .. } => asked(chain).into_iter().collect(),
            Self::Conflict { chain, chosen, chosen_for, .. } => {
                let chosen = (!chosen_for.is_empty())
                    .then(|| format!("{chosen} is asked by {}", chosen_for.join(", asked by ")));
                asked(chain).into_iter().chain(chosen).collect()
            }
            Self::Missing(missing) => {
                let pin = missing.pin.as_ref().map(Pin::describe);
                let listed = |what: &str, items: &[String], joint: &str| {
                    (!items.is_empty()).then(|| format!("{what} {}", items.join(joint)))
                };
                let nearest = listed("the nearest versions are", &missing.nearest, ", ");
                let places = listed("looked at", &missing.places, " and ");
                let refused = missing.refused.iter().cloned();
                pin.into_iter()
                    .chain(asked(&missing.chain))
                    .chain(refused)
                    .chain(nearest)
                    .chain(places)
                    .collect()
            }
            Self::Build { output, .. } | Self::SetupScript { output: Some(output), .. } => {
                let lines: Vec<&str> = output.lines().collect();
                let last = lines.len().saturating_sub(LAST_LINES);
                lines[last..].iter().map(|line| line.chars().take(LONGEST_LINE).collect()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// One of several causes, each the source of the one before.
#[derive(Debug, thiserror::Error)]
#[error("{line}")]
struct Cause {
    line: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl From<EggError> for crate::RecipeError {
    fn from(error: EggError) -> Self {
        let mut message =
            Self::new(error.classic()).code(error.code()).in_classic_words(error.classic(), error.doing());
        if let Some(hint) = error.hint() {
            message = message.hint(hint);
        }
        let mut lines = error.because();
        // A cause of the error itself, such as that of the network, comes last.
        let mut source = std::error::Error::source(&error).map(std::string::ToString::to_string);
        lines.extend(source.take());
        let chain = lines.into_iter().rev().fold(None, |source, line| {
            Some(Box::new(Cause { line, source }) as Box<dyn std::error::Error + Send + Sync>)
        });
        match chain {
            Some(chain) => message.because(chain),
            None => message,
        }
    }
}
