//! Looking at a build without running Python: what stands in for the recipes that are written in it.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use shacache::hexadecimal;

use super::{Engine, Kind};
use crate::eggs::{Pin, Pins};
use crate::installed::{Installed, PATHS, SIGNATURE};
use crate::plan::section_term;
use crate::{BuildError, Part, Recipe, RecipeError};

/// What a build that only looks knows of the last one.
pub(super) struct Recorded {
    installed: Installed,
    conducts: Conducts,
    pins: Pins,
}

/// The conduct of recipes, by part.
pub(crate) type Conducts = BTreeMap<String, Conduct>;

/// What a recipe in Python did with its section, beyond what the record of installed parts says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conduct {
    /// Digests of what the profile gave to options that the recipe has set otherwise, or removed.
    given: BTreeMap<String, String>,
    /// The sections that it has read.
    reads: BTreeSet<String>,
    hides_dependencies: bool,
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
    pub(crate) fn only_look(&mut self, recorded: Installed, conducts: Conducts) -> Result<(), BuildError> {
        let pins = self.versions()?.into_iter().map(|(written, text)| Pin { written, text, origin: None });
        self.recorded = Some(Recorded { installed: recorded, conducts, pins: pins.collect() });
        Ok(())
    }

    /// Whether nothing is to be built, written or started.
    pub(crate) fn only_looks(&self) -> bool {
        self.recorded.is_some()
    }

    /// What a recipe in Python did with its section in this build; none of another section.
    pub(crate) fn conduct(&self, part: &str) -> Option<Conduct> {
        let slot = self.slots.get(part).filter(|slot| matches!(slot.kind, Kind::Foreign(_)))?;
        let last = self.options_to_record(part);
        let otherwise = slot.given.iter().filter(|(option, given)| last.get(*option) != Some(*given));
        Some(Conduct {
            given: otherwise.map(|(option, given)| (option.clone(), digest(given))).collect(),
            reads: slot.reads.clone(),
            hides_dependencies: slot.hides_dependencies,
        })
    }

    /// Stands in for a recipe in Python: it is taken to do with the section what it did last time.
    pub(crate) fn unasked_recipe(&mut self, name: &str) -> Result<Box<dyn Recipe>, BuildError> {
        let known = self.recorded.as_ref();
        let conduct = known.and_then(|known| known.conducts.get(name)).cloned().unwrap_or_default();
        if let Some(recorded) = known.and_then(|known| known.installed.parts.get(name)).cloned() {
            for section in conduct
                .reads
                .iter()
                .filter(|section| self.table.contains(section))
                .cloned()
                .collect::<Vec<_>>()
            {
                self.access(&section, None)?;
            }
            self.repeat(name, &recorded, &conduct);
        }
        Ok(Box::new(Unasked { section: name.to_owned() }))
    }

    /// Does with the options of a section what its recipe did with them.
    fn repeat(&mut self, name: &str, recorded: &IndexMap<String, String>, conduct: &Conduct) {
        let now = self.options_to_record(name);
        let is_as_given =
            |option: &str| now.get(option).is_none_or(|now| conduct.given.get(option) == Some(&digest(now)));
        for (option, value) in recorded {
            if *option != PATHS && *option != SIGNATURE && is_as_given(option) {
                self.set(name, option, value.clone());
            }
        }
        for option in conduct.given.keys() {
            if !recorded.contains_key(option) && is_as_given(option) {
                self.remove(name, option);
            }
        }
        let terms = recorded.get(SIGNATURE).map_or("", String::as_str).split_whitespace();
        let sections = terms.filter_map(section_term).map(|(section, _)| section.to_owned());
        let dependencies = sections.filter(|section| self.slots.contains_key(section)).collect();
        let slot = self.slot(name);
        slot.dependencies = dependencies;
        slot.hides_dependencies = conduct.hides_dependencies;
    }

    /// The distributions of a part's recipe: those that the record has, in the versions of the pins.
    pub(super) fn expected_eggs(&self, part: &str) -> Vec<String> {
        let Some(Recorded { installed, pins, .. }) = &self.recorded else { return Vec::new() };
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

fn digest(text: &str) -> String {
    hexadecimal(&Md5::digest(text))
}
