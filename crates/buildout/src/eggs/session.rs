//! One resolution: walked until everything is known, then installed.

mod build;
mod download;
mod installation;
mod obtain;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use host::python::Interpreter;
use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;

use super::at_once::{at_once, locked};
use super::choice::{Chosen, Planned};
use super::error::EggError;
use super::index::{Index, Places};
use super::pins::{Pin, Pins};
use super::requirement::{Requirement, marker_environment};
use super::resolve::{Rules, Walked, walk};
use super::service::{EggMemory, Eggs};
use super::shelf::{Shelf, ShelfStamp};
use super::tags::Tags;
use super::told::Told;
use super::working_set::WorkingSet;
use crate::EggSettings;

/// What one call needs to know.
pub(super) struct Session<'a> {
    eggs: Eggs<'a>,
    settings: &'a EggSettings,
    told: Told<'a>,
    python: Interpreter,
    python_version: Version,
    environment: MarkerEnvironment,
    tags: Tags,
    pins: Pins,
    memory: Option<&'a EggMemory>,
    shelf: Arc<Shelf>,
    places: OnceLock<Places>,
    indexes: Mutex<Vec<(Places, Arc<Index>)>>,
    scratch: OnceLock<tempfile::TempDir>,
}

impl<'a> Session<'a> {
    /// Asks the interpreter what it is, unless that is known, and lists what is installed.
    ///
    /// # Errors
    /// The interpreter cannot be used, or a directory cannot be read.
    pub(super) fn new(eggs: &Eggs<'a>) -> Result<Self, EggError> {
        let settings = eggs.settings;
        let python = Interpreter::discover(Some(&settings.python), "", settings.python_cache.as_deref())
            .map_err(EggError::Python)?;
        let facts = python.facts();
        let unusable =
            |reason: &str| EggError::Damaged { path: python.path().to_owned(), reason: reason.to_owned() };
        let environment =
            marker_environment(&facts.markers).ok_or_else(|| unusable("its markers make no sense"))?;
        let python_version = facts.version.parse().map_err(|_| unusable("its version is none"))?;
        let pins = settings.pins.iter().map(|(written, text)| Pin {
            written: written.clone(),
            text: text.clone(),
            origin: None,
        });
        let mut session = Self {
            eggs: *eggs,
            settings,
            told: Told::new(eggs.notice, eggs.every_step),
            memory: eggs.memory,
            python_version,
            environment,
            tags: Tags::of(facts),
            pins: pins.collect(),
            shelf: Arc::default(),
            places: OnceLock::new(),
            indexes: Mutex::default(),
            scratch: OnceLock::new(),
            python,
        };
        session.fill_shelf()?;
        Ok(session)
    }

    /// As [`Eggs::install`]; `words` are the requirements as they are told.
    ///
    /// # Errors
    /// As [`Eggs::install`].
    pub(super) fn install(mut self, requested: &[Requirement], words: &str) -> Result<WorkingSet, EggError> {
        self.told.step(|| format!("Installing {words}."));
        loop {
            let chosen = self.choose(requested, words)?;
            let installed: Vec<_> = chosen.iter().filter_map(|choice| choice.installed()).collect();
            if installed.len() == chosen.len() {
                let python = self.python.path().to_owned();
                return Ok(WorkingSet::new(
                    installed,
                    &self.settings.eggs_directory,
                    python,
                    self.environment,
                ));
            }
            let planned: Vec<&Planned> = chosen.iter().filter_map(|choice| choice.planned()).collect();
            self.install_planned(&planned)?;
            // What is on disk decides, so that this build and every later one end with the same order.
            self.fill_shelf()?;
        }
    }

    /// Lists what is installed.
    fn fill_shelf(&mut self) -> Result<(), EggError> {
        let stamp = ShelfStamp::of(self.settings);
        if let Some(memory) = self.memory
            && let Some((known, shelf)) = &*locked(&memory.shelf)
            && *known == stamp
        {
            self.shelf = Arc::clone(shelf);
            return Ok(());
        }
        self.shelf = Arc::new(Shelf::fill(self.settings, self.python.facts())?);
        if let Some(memory) = self.memory {
            *locked(&memory.shelf) = Some((stamp, Arc::clone(&self.shelf)));
        }
        Ok(())
    }

    /// Walks until everything is known. Each round fetches at once what the walk missed; or what it missed first, which
    /// is then installed before the walk goes on.
    fn choose(&mut self, requested: &[Requirement], words: &str) -> Result<Vec<Arc<Chosen>>, EggError> {
        let mut plans: HashMap<String, Arc<Chosen>> = HashMap::new();
        loop {
            let Walked { chosen, missing, picked, required_by } = self.walk(requested, words, &plans)?;
            if missing.is_empty() {
                if let Some(memory) = self.memory {
                    locked(&memory.picked).add(picked, required_by);
                }
                return Ok(chosen);
            }
            let links = self.dependency_links(&chosen)?;
            let mut obtained = at_once(&missing, |wanted| self.obtain(wanted, &links))?;
            if self.settings.one_at_a_time {
                obtained = self.install_now(&missing, obtained)?;
            }
            for (wanted, chosen) in missing.iter().zip(obtained) {
                plans.insert(plan_key(&wanted.requirement), Arc::new(chosen));
            }
        }
    }

    fn walk(
        &self,
        requested: &[Requirement],
        words: &str,
        plans: &HashMap<String, Arc<Chosen>>,
    ) -> Result<Walked<Chosen>, EggError> {
        let rules = Rules {
            pins: &self.pins,
            environment: &self.environment,
            allow_picked_versions: self.settings.allow_picked_versions,
            allow_unknown_extras: self.settings.allow_unknown_extras,
            one_at_a_time: self.settings.one_at_a_time,
            note_requirers: self.settings.note_requirers,
            request: words,
            told: &self.told,
        };
        walk(&rules, requested, &|requirement| self.at_hand(requirement, plans))
    }
}

fn plan_key(requirement: &Requirement) -> String {
    format!("{}{}", requirement.project, requirement.versions)
}
