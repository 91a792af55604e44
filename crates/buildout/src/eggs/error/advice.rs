//! What to do about an error with distributions, and what led to it.

use shacache::TransferError;

use super::EggError;
use crate::eggs::Pin;

/// How much of the output of a build an error repeats; all of it is in the log.
const LAST_LINES: usize = 20;
/// How much of each line.
const LONGEST_LINE: usize = 500;

fn is_about_certificates(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(TransferError::Certificate { .. }))
}

impl EggError {
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
            Self::Fetch { source, .. } if is_about_certificates(&**source) => {
                "name the authority that signed it as `cert`, or the host as `trusted-host`, in pip's configuration".to_owned()
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
