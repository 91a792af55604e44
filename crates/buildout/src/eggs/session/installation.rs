//! Installing what a walk has planned.

use camino::Utf8Path;

use super::super::at_once::{at_once, locked};
use super::super::choice::{Chosen, From, Planned};
use super::super::distribution::Distribution;
use super::super::error::EggError;
use super::super::install::Destination;
use super::super::resolve::Wanted;
use super::Session;
use crate::Level;

impl Session<'_> {
    /// Installs what was obtained, and gives it as it is on disk.
    pub(super) fn install_now(
        &mut self,
        missing: &[Wanted],
        obtained: Vec<Chosen>,
    ) -> Result<Vec<Chosen>, EggError> {
        let planned: Vec<&Planned> = obtained.iter().filter_map(|chosen| chosen.planned()).collect();
        if planned.is_empty() {
            return Ok(obtained);
        }
        self.install_planned(&planned)?;
        self.fill_shelf()?;
        let as_it_is = |(chosen, wanted): (Chosen, &Wanted)| match self.best_installed(&wanted.requirement) {
            Some(installed) if chosen.planned().is_some() => Chosen::Installed(installed),
            _ => chosen,
        };
        Ok(obtained.into_iter().zip(missing).map(as_it_is).collect())
    }

    /// Installs what is planned, several at once.
    pub(super) fn install_planned(&self, planned: &[&Planned]) -> Result<(), EggError> {
        let destination = self.destination(&self.settings.eggs_directory);
        let installed = at_once(planned, |planned| {
            let file = match &planned.from {
                From::File(file) => file.clone(),
                From::Index(candidate) => self.file(&*self.index(&[])?, candidate)?,
            };
            let egg = destination.install(&file)?;
            let found = Distribution::egg(&egg).filter(|found| found.version == planned.version);
            found.map(|_| ()).ok_or_else(|| EggError::Damaged {
                path: egg.clone(),
                reason: format!("it is not {} {}", planned.written, planned.version),
            })?;
            self.told.tell(Level::Info, format!("Got {} {}.", planned.written, planned.version));
            Ok(egg)
        });
        if let Some(memory) = self.memory {
            // The clock of directories is too coarse to tell what was listed from what was installed just after.
            locked(&memory.shelf).take();
            if let Ok(eggs) = &installed {
                locked(&memory.compiling).start(&self.python, eggs.clone());
            }
        }
        installed.map(drop)
    }

    pub(super) fn destination<'b>(&'b self, eggs: &'b Utf8Path) -> Destination<'b> {
        Destination {
            eggs,
            store: self.settings.shared_store.as_deref(),
            facts: self.python.facts(),
            environment: &self.environment,
        }
    }
}
