//! One resolution: walked until everything is known, then installed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::python::Interpreter;
use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::MarkerEnvironment;

use super::at_once::{at_once, locked};
use super::build::EggBuild;
use super::choice::{Chosen, From, Planned};
use super::distribution::Distribution;
use super::egg_file::EggFile;
use super::error::{EggError, Missing};
use super::index::{Candidate, Form, Index, Places, Preferences, Search};
use super::install::Destination;
use super::metadata::{Dependencies, Fields};
use super::name::ProjectName;
use super::pins::{Pin, Pins};
use super::places::places;
use super::requirement::{Requirement, marker_environment};
use super::resolve::{Rules, Walked, Wanted, walk};
use super::service::{EggMemory, Eggs};
use super::setup_script::SetupScript;
use super::shelf::{Shelf, ShelfStamp};
use super::source::Builder;
use super::tags::Tags;
use super::told::Told;
use super::wheel::Wheel;
use super::working_set::WorkingSet;
use crate::{EggSettings, Level, unfinished};

/// Builds that may wait for one another.
const DEEPEST: u32 = 5;

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

    /// Installs what was obtained, and gives it as it is on disk.
    fn install_now(&mut self, missing: &[Wanted], obtained: Vec<Chosen>) -> Result<Vec<Chosen>, EggError> {
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

    fn at_hand(
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

    fn best_installed(&self, requirement: &Requirement) -> Option<Arc<Distribution>> {
        self.shelf.best(requirement, self.settings.prefer_final)
    }

    /// Finds on an index what is not at hand, and reads its metadata; it is installed when everything is known.
    fn obtain(&self, wanted: &Wanted, links: &[String]) -> Result<Chosen, EggError> {
        let requirement = &wanted.requirement;
        if self.settings.offline {
            return Err(EggError::Offline {
                requirement: requirement.to_string(),
                chain: wanted.chain.clone(),
            });
        }
        let index = self.index(links)?;
        let wheels_only = self.pins.wants_wheel(&requirement.project);
        let found = index.search(requirement, Preferences { wheels_only, ..self.preferences() })?;
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

    fn preferences(&self) -> Preferences<'_> {
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

    fn found(&self, search: Search, index: &Index, wanted: &Wanted) -> Result<Candidate, EggError> {
        match search {
            Search::Found(candidate) => Ok(candidate),
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

    /// As [`Eggs::build`].
    ///
    /// # Errors
    /// As [`Eggs::build`].
    pub(super) fn build(
        mut self,
        requested: &Requirement,
        build: &EggBuild,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        let requirement = self.pins.constrain(requested)?;
        let installed = self.best_installed(&requirement);
        if let Some(installed) = &installed
            && (installed.is_linked() || requirement.only_version().is_some() || !self.settings.newest)
        {
            return Ok(installed.location.clone());
        }
        let wanted = Wanted { requirement, chain: Vec::new() };
        if self.settings.offline {
            let (requirement, chain) = (wanted.requirement.to_string(), wanted.chain);
            return Err(EggError::Offline { requirement, chain });
        }
        let index = self.index(&[])?;
        // The version of the patched distribution is ours; its sources have that of their author.
        let sources = match wanted.requirement.only_version() {
            Some(version) => wanted.requirement.with_versions(VersionSpecifiers::from(
                VersionSpecifier::equals_version(build.source_version(version)),
            )),
            None => wanted.requirement.clone(),
        };
        let search = index.search(&sources, Preferences { sources_only: true, ..self.preferences() })?;
        if let (Some(installed), Search::Found(candidate)) = (&installed, &search)
            && !self.is_better(&candidate.version, &build.source_version(&installed.version))
        {
            return Ok(installed.location.clone());
        }
        self.told.tell(Level::Info, format!("Getting distribution for '{}'.", wanted.requirement));
        let candidate = self.found(search, &index, &wanted)?;
        let archive = self.download(&index, &candidate)?;
        let wheel = self.build_wheel(&archive, build)?;
        let version = Wheel::open(&wheel)?.fields()?.version;
        if !version.parse().is_ok_and(|version| wanted.requirement.allows(&version)) {
            let reason = format!("it is of version {version}, and {} is needed", wanted.requirement);
            return Err(EggError::Damaged { path: wheel, reason });
        }
        let egg = self.destination(directory).install(&wheel)?;
        self.told.tell(Level::Info, format!("Got {} {version}.", wanted.requirement.written));
        if let Some(memory) = self.memory {
            locked(&memory.shelf).take();
        }
        self.fill_shelf()?;
        Ok(egg)
    }

    /// Whether what an index has is to replace what is installed.
    fn is_better(&self, available: &Version, installed: &Version) -> bool {
        if !self.settings.prefer_final || available.is_stable() == installed.is_stable() {
            return available > installed;
        }
        available.is_stable()
    }

    fn plan(
        &self,
        index: &Index,
        requirement: &Requirement,
        candidate: Candidate,
    ) -> Result<Planned, EggError> {
        let is_wheel = matches!(candidate.form, Form::Wheel(_));
        let apart = if is_wheel { index.metadata(&candidate) } else { None };
        let (fields, dependencies, from) = match apart {
            Some(text) => {
                let fields = Fields::parse(&text);
                let dependencies = Dependencies::from_fields(&fields, &self.environment)?;
                (fields, dependencies, From::Index(Box::new(candidate.clone())))
            }
            None => {
                let file = self.file(index, &candidate)?;
                let (fields, dependencies) = if file.extension() == Some("egg") {
                    EggFile::open(&file)?.metadata(&self.environment)?
                } else {
                    let fields = Wheel::open(&file)?.fields()?;
                    let dependencies = Dependencies::from_fields(&fields, &self.environment)?;
                    (fields, dependencies)
                };
                (fields, dependencies, From::File(file))
            }
        };
        let version = fields.version.parse::<Version>();
        if ProjectName::new(&fields.name) != requirement.project || version.as_ref() != Ok(&candidate.version)
        {
            let reason = format!("its metadata is of {} {}", fields.name, fields.version);
            return Err(EggError::Damaged { path: candidate.file_name.into(), reason });
        }
        let (written, project, version) = (fields.name, requirement.project.clone(), candidate.version);
        Ok(Planned { written, project, version, dependencies, from })
    }

    /// The wheel or egg of a candidate: downloaded, and built if it is a source archive.
    fn file(&self, index: &Index, candidate: &Candidate) -> Result<Utf8PathBuf, EggError> {
        let file = self.download(index, candidate)?;
        if candidate.form == Form::Source { self.build_wheel(&file, &EggBuild::default()) } else { Ok(file) }
    }

    fn download(&self, index: &Index, candidate: &Candidate) -> Result<Utf8PathBuf, EggError> {
        match &self.settings.download_cache {
            Some(cache) => index.keep(candidate, cache),
            None => index.download(candidate, &self.scratch()?.join("dist")),
        }
    }

    /// As [`Eggs::develop`].
    ///
    /// # Errors
    /// As [`Eggs::develop`].
    pub(super) fn develop(&self, script: &Utf8Path, build: &EggBuild) -> Result<Utf8PathBuf, EggError> {
        let links = &self.settings.develop_eggs_directory;
        let failed = |source| EggError::Io { action: "write", path: links.clone(), source };
        files::ensure_directory(links, 0o755).map_err(failed)?;
        let scratch = unfinished::directory_in(links).map_err(failed)?;
        let scratch = Utf8Path::from_path(scratch.path())
            .ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        let words = ["-q".to_owned()];
        let made =
            self.link(&SetupScript { path: script, words: &words, build, is_attached: false }, scratch)?;
        let link = links.join(made.file_name().unwrap_or_default());
        fs::rename(&made, &link).map_err(failed)?;
        if let Some(memory) = self.memory {
            locked(&memory.shelf).take();
        }
        Ok(link)
    }

    /// As [`Eggs::link`].
    ///
    /// # Errors
    /// As [`Eggs::link`].
    pub(super) fn link(&self, script: &SetupScript<'_>, target: &Utf8Path) -> Result<Utf8PathBuf, EggError> {
        self.with_builder(script.path, |builder| builder.link(script, target))
    }

    /// As [`Eggs::run_script`].
    ///
    /// # Errors
    /// As [`Eggs::run_script`].
    pub(super) fn run_script(&self, script: &SetupScript<'_>) -> Result<(), EggError> {
        self.with_builder(script.path, |builder| builder.run_script(script))
    }

    fn build_wheel(&self, archive: &Utf8Path, build: &EggBuild) -> Result<Utf8PathBuf, EggError> {
        self.with_builder(archive, |builder| builder.build(archive, build))
    }

    /// Does a build, and tells its whole output if it fails.
    fn with_builder<T>(
        &self,
        what: &Utf8Path,
        work: impl FnOnce(&Builder<'_>) -> Result<T, EggError>,
    ) -> Result<T, EggError> {
        let cache = match &self.settings.shared_store {
            Some(store) => store.join("built"),
            None => self.scratch()?.join("built"),
        };
        if self.eggs.depth >= DEEPEST {
            let (what, output) = (what.to_string(), String::new());
            return Err(EggError::Build { what, verdict: "builds that need one another".to_owned(), output });
        }
        let provide = |requirements: &[String]| {
            let nested = Eggs { depth: self.eggs.depth + 1, ..self.eggs };
            Ok(nested.install(requirements)?.path())
        };
        let builder =
            Builder { python: &self.python, settings: self.settings, cache: &cache, provide: &provide };
        work(&builder).inspect_err(|error| {
            if let EggError::Build { output, .. } | EggError::SetupScript { output: Some(output), .. } = error
                && !output.is_empty()
            {
                self.told.tell(Level::Error, output.trim_end().to_owned());
            }
        })
    }

    fn destination<'b>(&'b self, eggs: &'b Utf8Path) -> Destination<'b> {
        Destination {
            eggs,
            store: self.settings.shared_store.as_deref(),
            facts: self.python.facts(),
            environment: &self.environment,
        }
    }

    /// Installs what is planned, several at once.
    fn install_planned(&self, planned: &[&Planned]) -> Result<(), EggError> {
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

    fn scratch(&self) -> Result<&Utf8Path, EggError> {
        let failed = |source| EggError::Io { action: "create", path: "a temporary directory".into(), source };
        if self.scratch.get().is_none() {
            let made = tempfile::tempdir().map_err(failed)?;
            let _ = self.scratch.set(made);
        }
        let made = self.scratch.get().and_then(|directory| Utf8Path::from_path(directory.path()));
        made.ok_or_else(|| failed(std::io::Error::from(std::io::ErrorKind::InvalidFilename)))
    }

    /// What the distributions chosen so far say about places of what they need.
    fn dependency_links(&self, chosen: &[Arc<Chosen>]) -> Result<Vec<String>, EggError> {
        let mut links = Vec::new();
        if self.settings.use_dependency_links && !self.settings.install_from_cache {
            for distribution in chosen.iter().filter_map(|chosen| chosen.installed()) {
                links.extend(distribution.dependency_links()?);
            }
        }
        links.dedup();
        Ok(links)
    }

    /// The places of the settings, and `links`.
    fn index(&self, links: &[String]) -> Result<Arc<Index>, EggError> {
        let mut places = match self.places.get() {
            Some(known) => known.clone(),
            None => {
                let places = places(self.settings, &self.python)?;
                self.places.get_or_init(|| places).clone()
            }
        };
        for link in links {
            if !places.find_links.contains(link) {
                places.find_links.push(link.clone());
            }
        }
        let mut indexes = locked(self.memory.map_or(&self.indexes, |memory| &memory.indexes));
        if let Some((_, known)) = indexes.iter().find(|(known, _)| *known == places) {
            return Ok(Arc::clone(known));
        }
        if let Some(downloads) = &self.settings.download_cache {
            unfinished::sweep(downloads);
        }
        let index = Arc::new(Index::new(places.clone()));
        indexes.push((places, Arc::clone(&index)));
        Ok(index)
    }
}

fn plan_key(requirement: &Requirement) -> String {
    format!("{}{}", requirement.project, requirement.versions)
}
