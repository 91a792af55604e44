//! The shelf: the distributions that are on disk, by project.

use std::collections::HashMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use host::python::Facts;

use super::distribution::{self, Distribution};
use super::error::EggError;
use super::name::ProjectName;
use super::requirement::Requirement;
use crate::EggSettings;

/// The installed distributions by project, the best first.
#[derive(Default)]
pub(super) struct Shelf(HashMap<ProjectName, Vec<Arc<Distribution>>>);

impl Shelf {
    /// Lists what is linked, installed, and in the interpreter.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub(super) fn fill(settings: &EggSettings, facts: &Facts) -> Result<Self, EggError> {
        let mut shelf: HashMap<_, Vec<Arc<Distribution>>> = HashMap::new();
        let mut found = distribution::develop_eggs(&settings.develop_eggs_directory, facts)?;
        found.extend(distribution::eggs(&settings.eggs_directory, facts)?);
        for directory in &settings.further_directories {
            found.extend(distribution::develop_eggs(directory, facts)?);
        }
        found.extend(distribution::site(facts)?);
        for found in found {
            shelf.entry(found.project.clone()).or_default().push(Arc::new(found));
        }
        for found in shelf.values_mut() {
            // What is linked comes first, whatever its version; then the newest.
            found.sort_by(|one, other| {
                (other.is_linked().cmp(&one.is_linked()))
                    .then_with(|| other.version.cmp(&one.version))
                    .then(one.kind.cmp(&other.kind))
            });
        }
        Ok(Self(shelf))
    }

    /// The best that satisfies a requirement; final versions win if `final_ones`.
    #[must_use]
    pub(super) fn best(&self, requirement: &Requirement, final_ones: bool) -> Option<Arc<Distribution>> {
        let allowed = || {
            let found = self.0.get(&requirement.project).into_iter().flatten();
            found.filter(|distribution| requirement.allows(&distribution.version))
        };
        let first = allowed().next()?;
        if first.is_linked() || !final_ones {
            return Some(Arc::clone(first));
        }
        Some(Arc::clone(allowed().find(|distribution| distribution.version.is_stable()).unwrap_or(first)))
    }
}

/// What the directories of distributions were like when they were listed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShelfStamp {
    python: Utf8PathBuf,
    directories: Vec<(Utf8PathBuf, Option<std::time::SystemTime>)>,
}

impl ShelfStamp {
    /// What they are like at this moment.
    pub(super) fn of(settings: &EggSettings) -> Self {
        let stamp = |directory: &Utf8PathBuf| {
            (directory.clone(), directory.metadata().and_then(|metadata| metadata.modified()).ok())
        };
        Self {
            python: settings.python.clone(),
            directories: [&settings.eggs_directory, &settings.develop_eggs_directory]
                .into_iter()
                .chain(&settings.further_directories)
                .map(stamp)
                .collect(),
        }
    }
}
