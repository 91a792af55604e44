//! Signatures: what a part depends on, in one line of text. When it changes, the part is built again.

use std::collections::{BTreeSet, HashSet};

use md5::{Digest, Md5};
use shacache::hexadecimal;

use super::{Engine, Entry, Kind, short_name};
use crate::profiles::{BASE_OPTION, BASE_REFERENCE};
use crate::{BuildError, Dialect, Section};

impl Engine {
    /// The signature of an initialised section: its recipe, then each section that it depends on with a digest of it.
    pub(crate) fn signature(&mut self, section: &str) -> Result<String, BuildError> {
        self.signature_above(section, &mut HashSet::new())
    }

    /// What signatures have of an initialised section.
    pub(crate) fn section_digest(&mut self, section: &str) -> Option<String> {
        self.slots.get(section)?;
        self.digest(section, &mut HashSet::new()).ok()
    }

    /// The signature at this moment; the section's dependencies are closed from here on.
    pub(crate) fn freeze_signature(&mut self, section: &str) -> Result<String, BuildError> {
        let signature = self.signature(section)?;
        if let Some(slot) = self.slots.get_mut(section) {
            slot.signature = Some(signature.clone());
        }
        Ok(signature)
    }

    /// Forgets what a section has depended on so far, and lets those who depend on it count its options alone.
    pub(crate) fn barrier(&mut self, section: &str) {
        if let Some(slot) = self.slots.get_mut(section) {
            slot.dependencies.clear();
            slot.hides_dependencies = true;
        }
    }

    fn signature_above(&mut self, section: &str, above: &mut HashSet<String>) -> Result<String, BuildError> {
        let Some(slot) = self.slots.get(section) else { return Ok(String::new()) };
        if let Some(signature) = &slot.signature {
            return Ok(signature.clone());
        }
        let (kind, dependencies) = (slot.kind.clone(), slot.dependencies.clone());
        above.insert(section.to_owned());
        let mut terms = Vec::new();
        match kind {
            Kind::None => {}
            Kind::Native(kind) => {
                terms.push(format!("native:{}-{}", short_name(kind.names()[0]), kind.behaviour_version()));
            }
            Kind::Foreign(_) if self.only_looks() => terms.extend(self.expected_eggs(section)),
            Kind::Foreign(recipe) => terms.extend(self.foreign_terms(section, recipe)?),
        }
        // Compatibility: for zc.buildout, a part depends on the code of its recipe alone.
        let counted = if self.dialect == Dialect::Upstream { BTreeSet::new() } else { dependencies };
        for dependency in counted {
            // Sections may depend on one another in a circle; each then counts without the other.
            if !above.contains(&dependency) {
                terms.push(format!("{dependency}:{}", self.digest(&dependency, above)?));
            }
        }
        above.remove(section);
        let signature = terms.join(" ");
        // While a section is being initialised, more may come.
        if !self.initialising.iter().any(|name| name == section)
            && let Some(slot) = self.slots.get_mut(section)
        {
            slot.signature = Some(signature.clone());
        }
        Ok(signature)
    }

    /// What identifies the code of a recipe that is not built in.
    fn foreign_terms(&mut self, section: &str, recipe: String) -> Result<Option<String>, BuildError> {
        let Some(foreign) = self.foreign.clone() else { return Ok(None) };
        let key = (section.to_owned(), recipe);
        let terms = match self.earlier_terms.get(&key) {
            Some(terms) => terms.clone(),
            None => foreign
                .signature(&key.1, &mut Section::new(self, section))
                .map_err(|error| BuildError::from_recipe(section, error))?,
        };
        self.foreign_terms.insert(key, terms.clone());
        Ok(Some(terms))
    }

    /// A digest of a section's options and of its signature.
    fn digest(&mut self, section: &str, above: &mut HashSet<String>) -> Result<String, BuildError> {
        let hides = self.slots.get(section).is_some_and(|slot| slot.hides_dependencies);
        let signature = if hides { String::new() } else { self.signature_above(section, above)? };
        let mut hash = Md5::new();
        if let Some(slot) = self.slots.get(section) {
            let counts = |(option, entry): &(&String, &Entry)| !entry.hidden && *option != BASE_OPTION;
            let mut options: Vec<_> = slot.options.iter().filter(counts).collect();
            options.sort_unstable_by_key(|(option, _)| option.as_str());
            // Releases of different addresses share parts: where a profile comes from is no property of a section.
            let base = slot.options.get(BASE_OPTION).map(Entry::value).filter(|base| !base.is_empty());
            for (option, entry) in options {
                add(&mut hash, option);
                match base {
                    Some(base) => add(&mut hash, &entry.value().replace(base, BASE_REFERENCE)),
                    None => add(&mut hash, entry.value()),
                }
            }
        }
        add(&mut hash, &signature);
        Ok(hexadecimal(&hash.finalize()))
    }
}

/// Adds a text with its length, so that no two lists of texts make the same digest.
fn add(hash: &mut Md5, text: &str) {
    hash.update(text.len().to_le_bytes());
    hash.update(text);
}
