//! Errors with distributions as the errors of the recipe that asked for them, in zc.buildout's words where it has any.

use super::EggError;
use crate::RecipeError;

impl EggError {
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

    /// What zc.buildout would say it was doing, within the work of a recipe.
    fn doing(&self) -> Option<String> {
        let requirement = match self {
            Self::NotPinned { requirement, .. } | Self::Offline { requirement, .. } => requirement,
            Self::Missing(missing) => &missing.requirement,
            _ => return None,
        };
        Some(format!("Getting distribution for '{requirement}'."))
    }
}

/// One of several causes, each the source of the one before.
#[derive(Debug, thiserror::Error)]
#[error("{line}")]
struct Cause {
    line: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl From<EggError> for RecipeError {
    fn from(error: EggError) -> Self {
        let headline = match &error {
            // The classic text is a page of its own, with what to do.
            EggError::NotPinned { requirement, .. } => {
                format!("no version is pinned for `{requirement}`, and the profile takes none that is not")
            }
            _ => error.classic(),
        };
        let mut message =
            Self::new(headline).code(error.code()).in_classic_words(error.classic(), error.doing());
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
