//! Choosing for one requirement: what is on disk, what the network cache has, what an index offers.

use std::collections::HashMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use pep440_rs::Version;

use super::super::choice::{Chosen, From, Planned};
use super::super::distribution::Distribution;
use super::super::egg_file::EggFile;
use super::super::error::{EggError, Missing};
use super::super::index::{Candidate, Form, Index, Preferences, Search};
use super::super::metadata::{Dependencies, Fields};
use super::super::name::ProjectName;
use super::super::requirement::Requirement;
use super::super::resolve::Wanted;
use super::super::wheel::Wheel;
use super::{Session, plan_key};
use crate::Level;

impl Session<'_> {
    pub(super) fn at_hand(
        &self,
        requirement: &Requirement,
        plans: &HashMap<String, Arc<Chosen>>,
    ) -> Option<Arc<Chosen>> {
        if let Some(planned) = plans.get(&plan_key(requirement)) {
            return Some(Arc::clone(planned));
        }
        let Some(best) = self.best_installed(requirement) else {
            let name = &requirement.written;
            self.told.step(|| format!("We have no distributions for {name} that satisfies '{requirement}'."));
            return None;
        };
        if best.is_linked() {
            self.told.step(|| format!("We have a develop egg: {}", best.describe()));
        } else if requirement.only_version().is_some() {
            self.told.step(|| format!("We have the distribution that satisfies '{requirement}'."));
        } else if self.settings.newest && !self.settings.offline {
            return None;
        }
        Some(Arc::new(Chosen::Installed(best)))
    }

    pub(super) fn best_installed(&self, requirement: &Requirement) -> Option<Arc<Distribution>> {
        self.shelf.best(requirement, self.settings.prefer_final)
    }

    /// Finds elsewhere what is not at hand, and reads its metadata; it is installed when everything is known.
    pub(super) fn obtain(&self, wanted: &Wanted, links: &[String]) -> Result<Chosen, EggError> {
        let requirement = &wanted.requirement;
        if self.settings.offline {
            return Err(EggError::Offline {
                requirement: requirement.to_string(),
                chain: wanted.chain.clone(),
            });
        }
        let wheels_only = self.pins.wants_wheel(&requirement.project);
        let preferences = Preferences { wheels_only, ..self.preferences() };
        if let Some(planned) = self.plan_from_network_cache(requirement, preferences)? {
            return Ok(Chosen::Planned(Box::new(planned)));
        }
        let index = self.index(links)?;
        let found = self.search(&index, requirement, preferences)?;
        if let Some(installed) = self.best_installed(requirement) {
            let keep = match &found {
                Search::Found(candidate) => !self.is_better(&candidate.version, &installed.version),
                Search::Nothing { .. } => true,
            };
            if keep {
                self.told.step(|| match found {
                    Search::Found(_) => {
                        format!("We have the best distribution that satisfies '{requirement}'.")
                    }
                    Search::Nothing { .. } => format!(
                        "There are no distros available that meet '{requirement}'.\nUsing our best, {}.",
                        installed.describe()
                    ),
                });
                return Ok(Chosen::Installed(installed));
            }
        }
        self.told.tell(Level::Info, format!("Getting distribution for '{requirement}'."));
        let candidate = self.found(found, &index, wanted)?;
        Ok(Chosen::Planned(Box::new(self.plan(&index, requirement, candidate)?)))
    }

    /// Looks for the best file; tells which pages of links could not be had.
    pub(super) fn search(
        &self,
        index: &Index,
        requirement: &Requirement,
        preferences: Preferences<'_>,
    ) -> Result<Search, EggError> {
        let found = index.search(requirement, preferences)?;
        for reason in index.unread() {
            self.told.tell(Level::Warning, format!("find-links: {reason}; some packages may not be found"));
        }
        Ok(found)
    }

    /// What a candidate of an index is, as it says itself.
    fn plan(
        &self,
        index: &Index,
        requirement: &Requirement,
        candidate: Candidate,
    ) -> Result<Planned, EggError> {
        let is_wheel = matches!(candidate.form, Form::Wheel(_));
        match is_wheel.then(|| index.metadata(&candidate)).flatten() {
            Some(text) => {
                let fields = Fields::parse(&text);
                let dependencies = Dependencies::from_fields(&fields, &self.environment)?;
                self.planned(
                    requirement,
                    &candidate,
                    (fields, dependencies),
                    From::Index(Box::new(candidate.clone())),
                )
            }
            None => {
                let file = self.file(index, &candidate)?;
                self.plan_file(requirement, &candidate, file)
            }
        }
    }

    /// A pinned distribution from the network cache. What is damaged there counts as not there.
    fn plan_from_network_cache(
        &self,
        requirement: &Requirement,
        preferences: Preferences<'_>,
    ) -> Result<Option<Planned>, EggError> {
        let Some((path, candidate)) = self.find_in_network_cache(requirement, preferences)? else {
            return Ok(None);
        };
        self.told.tell(Level::Info, format!("Getting distribution for '{requirement}'."));
        let file = self.built(path.clone(), &candidate);
        match file.and_then(|file| self.plan_file(requirement, &candidate, file)) {
            Err(error @ EggError::Damaged { .. }) => {
                self.tell_of_network_cache(error.to_string());
                files::remove_tree(&path).map_err(|source| EggError::Io {
                    action: "remove",
                    path,
                    source,
                })?;
                Ok(None)
            }
            planned => planned.map(Some),
        }
    }

    fn plan_file(
        &self,
        requirement: &Requirement,
        candidate: &Candidate,
        file: Utf8PathBuf,
    ) -> Result<Planned, EggError> {
        let said = self.said_in(&file)?;
        self.planned(requirement, candidate, said, From::File(file))
    }

    /// What a wheel or an egg says of itself, and what it needs.
    pub(super) fn said_in(&self, file: &Utf8Path) -> Result<(Fields, Dependencies), EggError> {
        if file.extension() == Some("egg") {
            return EggFile::open(file)?.metadata(&self.environment);
        }
        let fields = Wheel::open(file)?.fields()?;
        let dependencies = Dependencies::from_fields(&fields, &self.environment)?;
        Ok((fields, dependencies))
    }

    fn planned(
        &self,
        requirement: &Requirement,
        candidate: &Candidate,
        (fields, dependencies): (Fields, Dependencies),
        from: From,
    ) -> Result<Planned, EggError> {
        let version = fields.version.parse::<Version>();
        if ProjectName::new(&fields.name) != requirement.project || version.as_ref() != Ok(&candidate.version)
        {
            let reason = format!("its metadata is of {} {}", fields.name, fields.version);
            return Err(EggError::Damaged { path: candidate.file_name.clone().into(), reason });
        }
        let (written, project, version) =
            (fields.name, requirement.project.clone(), candidate.version.clone());
        Ok(Planned { written, project, version, dependencies, from })
    }

    pub(super) fn found(
        &self,
        search: Search,
        index: &Index,
        wanted: &Wanted,
    ) -> Result<Candidate, EggError> {
        match search {
            Search::Found(candidate) => Ok(*candidate),
            Search::Nothing { nearest, refused } => Err(EggError::Missing(Box::new(Missing {
                requirement: wanted.requirement.to_string(),
                pin: self.pins.get(&wanted.requirement.project).cloned(),
                nearest,
                refused,
                places: index.describe(),
                chain: wanted.chain.clone(),
            }))),
        }
    }

    /// Whether what an index has is to replace what is installed.
    pub(super) fn is_better(&self, available: &Version, installed: &Version) -> bool {
        if !self.settings.prefer_final || available.is_stable() == installed.is_stable() {
            return available > installed;
        }
        available.is_stable()
    }

    pub(super) fn preferences(&self) -> Preferences<'_> {
        Preferences {
            tags: &self.tags,
            python: &self.python_version,
            platform: &self.python.facts().platform,
            final_ones: self.settings.prefer_final,
            wheels_only: false,
            sources_only: false,
            first_of_all: self.settings.download_cache.as_deref(),
        }
    }
}
