//! What parts see of a build that are worked on beside one another, and when each of them may be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, Kind};
use crate::desk::{Frozen, FrozenOption, Snapshot};
use crate::{Action, BuildError, Turn};

impl Engine {
    /// Every initialised section as it is, with what files and distributions are fetched by.
    pub(crate) fn snapshot(&mut self) -> Result<Snapshot, BuildError> {
        let fetcher = self.fetcher()?;
        let sections = self.slots.iter().map(|(name, slot)| {
            let options = slot.options.iter().map(|(option, entry)| {
                let value = self.unprotect(entry.value().to_owned());
                (option.clone(), FrozenOption { value, used: entry.used })
            });
            (name.clone(), Frozen { options: options.collect(), base: slot.base.clone() })
        });
        Ok(Snapshot {
            sections: sections.collect(),
            changed: std::sync::Mutex::default(),
            initial_environment: Arc::clone(&self.initial_environment),
            directory: self.directory.clone(),
            offline: self.offline,
            newest: self.newest,
            program: self.program.clone(),
            log_threshold: self.log_threshold,
            fetcher,
            eggs: Arc::clone(&self.eggs),
            pin_lines: self.pin_lines(),
            jobs: Arc::clone(&self.jobs),
        })
    }

    /// When a part may be worked on.
    pub(crate) fn turn(&self, part: &str, action: Action) -> Turn {
        let recipe = self.slots.get(part).and_then(|slot| slot.recipe.as_deref());
        recipe.map_or(Turn::InOrder, |recipe| recipe.turn(action))
    }

    /// Whether the recipe of a part is Python, which may change the environment of the whole build.
    pub(crate) fn is_foreign(&self, part: &str) -> bool {
        self.slots.get(part).is_some_and(|slot| matches!(slot.kind, Kind::Foreign(_)))
    }

    /// The sections that were read while a section was initialised.
    pub(crate) fn reads(&self, section: &str) -> Option<&BTreeSet<String>> {
        self.slots.get(section).map(|slot| &slot.reads)
    }
}
