//! Looking at a build without running Python: what stands in for the recipes that are written in it.

use super::Engine;
use crate::eggs::{Pin, Pins};
use crate::installed::{Installed, PATHS, SIGNATURE};
use crate::plan::section_term;
use crate::{BuildError, Part, Recipe, RecipeError};
use camino::Utf8PathBuf;

/// What a build that only looks knows of the last one.
pub(super) struct Recorded {
    installed: Installed,
    pins: Pins,
}

/// A recipe that was not asked.
struct Unasked {
    section: String,
}

impl Recipe for Unasked {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        unreachable!("who only looks installs nothing")
    }

    fn late_option(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        // The engine asks for these names of every section; the recipe is not what gives them.
        if option.starts_with(['<', '_']) || option == "recipe" {
            return Ok(None);
        }
        Ok(Some(format!("(`{option}` of [{}], known when it is built)", self.section)))
    }
}

impl Engine {
    /// From here on recipes in Python are not asked; `recorded` is what they said last time.
    pub(crate) fn only_look(&mut self, recorded: Installed) -> Result<(), BuildError> {
        let pins = self.versions()?.into_iter().map(|(written, text)| Pin { written, text, origin: None });
        self.recorded = Some(Recorded { installed: recorded, pins: pins.collect() });
        Ok(())
    }

    /// Whether nothing is to be built, written or started.
    pub(crate) fn only_looks(&self) -> bool {
        self.recorded.is_some()
    }

    /// Whether the last build had the part.
    pub(super) fn is_recorded(&self, name: &str) -> bool {
        self.recorded.as_ref().is_some_and(|recorded| recorded.installed.parts.contains_key(name))
    }

    /// Stands in for a recipe in Python: the section offers what it offered last time.
    pub(crate) fn unasked_recipe(&mut self, name: &str) -> Box<dyn Recipe> {
        let recorded = self.recorded.as_ref().and_then(|recorded| recorded.installed.parts.get(name));
        let recorded: Vec<(String, String)> = recorded
            .into_iter()
            .flatten()
            .filter(|(option, _)| *option != PATHS && *option != SIGNATURE)
            .map(|(option, value)| (option.clone(), value.clone()))
            .collect();
        let known = self.option_names(name);
        for (option, value) in recorded {
            if !known.contains(&option) {
                self.set(name, &option, value);
            }
        }
        Box::new(Unasked { section: name.to_owned() })
    }

    /// The distributions of a part's recipe: those that the record has, in the versions of the pins.
    pub(super) fn expected_eggs(&self, part: &str) -> Vec<String> {
        let Some(Recorded { installed, pins }) = &self.recorded else { return Vec::new() };
        let signature = installed.parts.get(part).and_then(|options| options.get(SIGNATURE));
        let terms = signature.map_or("", String::as_str).split_whitespace();
        let eggs = terms.filter(|term| section_term(term).is_none());
        eggs.map(|egg| pins.corrected(egg).unwrap_or_else(|| egg.to_owned())).collect()
    }

    /// The name by which `[versions]` pins the distribution of an egg, if this engine only looks and it does.
    pub(crate) fn pin_of_egg(&self, egg: &str) -> Option<String> {
        let pins = &self.recorded.as_ref()?.pins;
        Some(pins.of_egg(egg)?.written.clone())
    }
}
