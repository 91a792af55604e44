//! The service: from requirements to a working set on disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::python::Interpreter;
use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;

use super::compile::Compiling;
use super::distribution::{self, Distribution, Kind};
use super::error::{EggError, Missing};
use super::index::pip::{self, PipConfiguration};
use super::index::{Candidate, Index, Places, Preferences, Search};
use super::install::Destination;
use super::metadata::{Dependencies, Fields};
use super::name::ProjectName;
use super::pins::{Pin, Pins};
use super::requirement::{Requirement, marker_environment};
use super::resolve::{Choice, Rules, Wanted, walk};
use super::source::Builder;
use super::tags::Tags;
use super::wheel::Wheel;
use super::working_set::WorkingSet;
use crate::EggSettings;

/// Downloads, builds and installations that run at once.
pub(super) const AT_ONCE: usize = 8;

/// Finds and installs distributions for one set of settings.
pub struct Eggs<'a> {
    settings: &'a EggSettings,
    notice: &'a (dyn Fn(&str) + Sync),
    memory: Option<&'a EggMemory>,
}

/// What the parts of one build need not look at twice: what is installed, and what the index answered.
#[derive(Default)]
pub struct EggMemory {
    shelf: Mutex<Option<(ShelfStamp, Arc<Shelf>)>>,
    index: Mutex<Option<(Places, Arc<Index>)>>,
    compiling: Mutex<Compiling>,
}

/// The installed distributions by project, the best first.
type Shelf = HashMap<ProjectName, Vec<Arc<Distribution>>>;

/// Something to choose for a requirement.
enum Chosen {
    Installed(Arc<Distribution>),
    Planned(Box<Planned>),
}

/// Something that will be installed when the walk is complete.
struct Planned {
    written: String,
    project: ProjectName,
    version: Version,
    dependencies: Dependencies,
    from: From,
}

enum From {
    Index(Box<Candidate>),
    Wheel(Utf8PathBuf),
}

/// What one call needs to know.
struct Session<'a> {
    settings: &'a EggSettings,
    notice: &'a (dyn Fn(&str) + Sync),
    python: Interpreter,
    python_version: Version,
    environment: MarkerEnvironment,
    tags: Tags,
    pins: Pins,
    memory: Option<&'a EggMemory>,
    shelf: Arc<Shelf>,
    index: OnceLock<Arc<Index>>,
    scratch: OnceLock<tempfile::TempDir>,
}

impl<'a> Eggs<'a> {
    /// The service for these settings; `notice` gets a line for each distribution that is fetched. Nothing is read yet.
    #[must_use]
    pub fn new(settings: &'a EggSettings, notice: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self { settings, notice, memory: None }
    }

    /// The same service, which shares what it learns with others of the same build.
    #[must_use]
    pub fn with_memory(self, memory: &'a EggMemory) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// Finds everything that `requirements` need, installs what is not installed, and gives all of it in order.
    ///
    /// # Errors
    /// A requirement or pin that cannot be satisfied, a place that cannot be reached, a file that is not what it should
    /// be. Nothing is left half installed.
    pub fn install(&self, requirements: &[impl AsRef<str>]) -> Result<WorkingSet, EggError> {
        let requested: Vec<Requirement> = requirements
            .iter()
            .map(|text| text.as_ref().parse().map_err(|source| EggError::Requirement { by: None, source }))
            .collect::<Result<_, _>>()?;
        let mut session = Session::new(self)?;
        loop {
            let chosen = session.choose(&requested)?;
            let installed: Vec<_> = chosen.iter().filter_map(|choice| choice.installed()).collect();
            if installed.len() == chosen.len() {
                let python = session.python.path().to_owned();
                return Ok(WorkingSet::new(
                    installed,
                    &self.settings.eggs_directory,
                    python,
                    session.environment,
                ));
            }
            session.install(&chosen)?;
            // What is on disk decides, so that this build and every later one end with the same order.
            session.fill_shelf()?;
        }
    }
}

impl<'a> Session<'a> {
    fn new(eggs: &Eggs<'a>) -> Result<Self, EggError> {
        let settings = eggs.settings;
        let kept = settings.eggs_directory.join(".python");
        let python =
            Interpreter::discover(Some(&settings.python), "", Some(&kept)).map_err(EggError::Python)?;
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
            settings,
            notice: eggs.notice,
            memory: eggs.memory,
            python_version,
            environment,
            tags: Tags::of(facts),
            pins: pins.collect(),
            shelf: Arc::default(),
            index: OnceLock::new(),
            scratch: OnceLock::new(),
            python,
        };
        session.fill_shelf()?;
        Ok(session)
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
        let (settings, facts) = (self.settings, self.python.facts());
        let mut shelf = Shelf::new();
        let develop = distribution::develop_eggs(&settings.develop_eggs_directory, facts)?;
        let eggs = distribution::eggs(&settings.eggs_directory, facts)?;
        for found in develop.into_iter().chain(eggs).chain(distribution::site(facts)?) {
            shelf.entry(found.project.clone()).or_default().push(Arc::new(found));
        }
        for found in shelf.values_mut() {
            // What is under development comes first, whatever its version; then the newest.
            found.sort_by(|one, other| {
                let develop = |distribution: &Distribution| distribution.kind != Kind::Develop;
                develop(one)
                    .cmp(&develop(other))
                    .then_with(|| other.version.cmp(&one.version))
                    .then(one.kind.cmp(&other.kind))
            });
        }
        self.shelf = Arc::new(shelf);
        if let Some(memory) = self.memory {
            *locked(&memory.shelf) = Some((stamp, Arc::clone(&self.shelf)));
        }
        Ok(())
    }

    /// Walks until everything is known; each round fetches at once what the walk missed.
    fn choose(&self, requested: &[Requirement]) -> Result<Vec<Arc<Chosen>>, EggError> {
        let rules = Rules {
            pins: &self.pins,
            environment: &self.environment,
            allow_picked_versions: self.settings.allow_picked_versions,
            allow_unknown_extras: self.settings.allow_unknown_extras,
        };
        let mut plans: HashMap<String, Arc<Chosen>> = HashMap::new();
        loop {
            let walked = walk(&rules, requested, &|requirement| self.at_hand(requirement, &plans))?;
            if walked.missing.is_empty() {
                for (project, version) in walked.picked {
                    tracing::debug!(%project, %version, "picked");
                }
                return Ok(walked.chosen);
            }
            let obtained = at_once(&walked.missing, |wanted| self.obtain(wanted))?;
            for (wanted, chosen) in walked.missing.iter().zip(obtained) {
                plans.insert(plan_key(&wanted.requirement), Arc::new(chosen));
            }
        }
    }

    fn at_hand(
        &self,
        requirement: &Requirement,
        plans: &HashMap<String, Arc<Chosen>>,
    ) -> Option<Arc<Chosen>> {
        if let Some(planned) = plans.get(&plan_key(requirement)) {
            return Some(Arc::clone(planned));
        }
        let best = self.best_installed(requirement)?;
        let settled = best.kind == Kind::Develop
            || requirement.only_version().is_some()
            || !self.settings.newest
            || self.settings.offline;
        settled.then(|| Arc::new(Chosen::Installed(best)))
    }

    fn best_installed(&self, requirement: &Requirement) -> Option<Arc<Distribution>> {
        let allowed = || {
            let found = self.shelf.get(&requirement.project).into_iter().flatten();
            found.filter(|distribution| requirement.allows(&distribution.version))
        };
        let first = allowed().next()?;
        if first.kind == Kind::Develop || !self.settings.prefer_final {
            return Some(Arc::clone(first));
        }
        Some(Arc::clone(allowed().find(|distribution| distribution.version.is_stable()).unwrap_or(first)))
    }

    /// Finds on an index what is not at hand, and reads its metadata; it is installed when everything is known.
    fn obtain(&self, wanted: &Wanted) -> Result<Chosen, EggError> {
        let requirement = &wanted.requirement;
        if self.settings.offline {
            return Err(EggError::Offline {
                requirement: requirement.to_string(),
                chain: wanted.chain.clone(),
            });
        }
        let index = self.index()?;
        let preferences = Preferences {
            tags: &self.tags,
            python: &self.python_version,
            final_ones: self.settings.prefer_final,
            wheels_only: self.pins.wants_wheel(&requirement.project),
        };
        let installed = self.best_installed(requirement);
        let candidate = match (index.search(requirement, preferences)?, installed) {
            (Search::Found(candidate), Some(installed)) if candidate.version <= installed.version => {
                return Ok(Chosen::Installed(installed));
            }
            (Search::Nothing { .. }, Some(installed)) => return Ok(Chosen::Installed(installed)),
            (Search::Found(candidate), _) => candidate,
            (Search::Nothing { nearest, refused }, None) => {
                return Err(EggError::Missing(Box::new(Missing {
                    requirement: requirement.to_string(),
                    pin: self.pins.get(&requirement.project).cloned(),
                    nearest,
                    refused,
                    places: index.describe(),
                    chain: wanted.chain.clone(),
                })));
            }
        };
        (self.notice)(&format!("Getting distribution for '{requirement}'."));
        Ok(Chosen::Planned(Box::new(self.plan(index, requirement, candidate)?)))
    }

    fn plan(
        &self,
        index: &Index,
        requirement: &Requirement,
        candidate: Candidate,
    ) -> Result<Planned, EggError> {
        let apart = if candidate.rank.is_some() { index.metadata(&candidate) } else { None };
        let (fields, from) = match apart {
            Some(text) => (Fields::parse(&text), From::Index(Box::new(candidate.clone()))),
            None => {
                let wheel = self.wheel(index, &candidate)?;
                (Wheel::open(&wheel)?.fields()?, From::Wheel(wheel))
            }
        };
        let version = fields.version.parse::<Version>();
        if ProjectName::new(&fields.name) != requirement.project || version.as_ref() != Ok(&candidate.version)
        {
            let reason = format!("its metadata is of {} {}", fields.name, fields.version);
            return Err(EggError::Damaged { path: candidate.file_name.into(), reason });
        }
        let dependencies = Dependencies::from_fields(&fields, &self.environment)?;
        let version = candidate.version;
        Ok(Planned {
            written: fields.name,
            project: requirement.project.clone(),
            version,
            dependencies,
            from,
        })
    }

    /// The wheel of a candidate: downloaded, and built if it is a source archive.
    fn wheel(&self, index: &Index, candidate: &Candidate) -> Result<Utf8PathBuf, EggError> {
        let downloads = match &self.settings.download_cache {
            Some(directory) => directory.clone(),
            None => self.scratch()?.join("dist"),
        };
        let file = index.download(candidate, &downloads)?;
        if candidate.rank.is_some() {
            return Ok(file);
        }
        let cache = downloads.join("built");
        let builder = Builder {
            python: &self.python,
            settings: self.settings,
            cache: &cache,
            index: self.settings.index.as_deref(),
        };
        builder.build(&file)
    }

    /// Installs what is planned, several at once.
    fn install(&self, chosen: &[Arc<Chosen>]) -> Result<(), EggError> {
        let destination = Destination {
            eggs: &self.settings.eggs_directory,
            store: self.settings.shared_store.as_deref(),
            facts: self.python.facts(),
            environment: &self.environment,
        };
        let planned: Vec<&Planned> = chosen.iter().filter_map(|choice| choice.planned()).collect();
        let installed = at_once(&planned, |planned| {
            let wheel = match &planned.from {
                From::Wheel(wheel) => wheel.clone(),
                From::Index(candidate) => self.wheel(self.index()?, candidate)?,
            };
            let egg = destination.install(&wheel)?;
            let found = Distribution::egg(&egg).filter(|found| found.version == planned.version);
            found.map(|_| ()).ok_or_else(|| EggError::Damaged {
                path: egg.clone(),
                reason: format!("it is not {} {}", planned.written, planned.version),
            })?;
            (self.notice)(&format!("Got {} {}.", planned.written, planned.version));
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

    fn index(&self) -> Result<&Index, EggError> {
        if let Some(known) = self.index.get() {
            return Ok(known);
        }
        let places = self.places()?;
        if let Some(downloads) = &self.settings.download_cache {
            crate::unfinished::sweep(downloads);
        }
        let index = match self.memory.map(|memory| locked(&memory.index)) {
            Some(known) if known.as_ref().is_some_and(|(known, _)| *known == places) => {
                known.as_ref().map(|(_, index)| Arc::clone(index))
            }
            _ => None,
        };
        let index = index.unwrap_or_else(|| Arc::new(Index::new(places.clone())));
        if let Some(memory) = self.memory {
            *locked(&memory.index) = Some((places, Arc::clone(&index)));
        }
        Ok(self.index.get_or_init(|| index))
    }

    /// Where to look: what the profile says, else what pip's configuration says, else pip's own default.
    fn places(&self) -> Result<Places, EggError> {
        let settings = self.settings;
        let configured = PipConfiguration::read(&settings.environment, Some(&self.python.facts().prefix))?;
        let mut find_links: Vec<String> = settings
            .download_cache
            .iter()
            .map(ToString::to_string)
            .filter(|path| Utf8Path::new(path).is_dir())
            .collect();
        let profile_links = settings.find_links.iter().map(|place| self.absolute(place));
        find_links.extend(profile_links);
        if settings.find_links.is_empty() {
            find_links.extend(configured.find_links.iter().map(|place| self.absolute(place)));
        }
        let indexes = match &settings.index {
            _ if settings.install_from_cache => Vec::new(),
            Some(index) => vec![self.absolute(index)],
            None if configured.no_index => Vec::new(),
            None => {
                let main = match configured.index {
                    Some(index) => index,
                    None => pip::default_index(&self.python)?,
                };
                std::iter::once(main).chain(configured.extra_indexes).collect()
            }
        };
        Ok(Places {
            indexes,
            find_links,
            allow_hosts: settings.allow_hosts.clone(),
            certificates: configured.certificates,
            proxy: configured.proxy,
            timeout: configured.timeout.map(Duration::from_secs),
        })
    }

    /// A place as it is, or a path made absolute from the buildout directory.
    fn absolute(&self, place: &str) -> String {
        if place.contains("://") || place.starts_with('/') {
            return place.to_owned();
        }
        self.settings.directory.join(place).to_string()
    }
}

/// What the directories of distributions were like when they were listed.
#[derive(Debug, PartialEq, Eq)]
struct ShelfStamp {
    python: Utf8PathBuf,
    directories: [(Utf8PathBuf, Option<std::time::SystemTime>); 2],
}

impl ShelfStamp {
    fn of(settings: &EggSettings) -> Self {
        let stamp = |directory: &Utf8PathBuf| {
            (directory.clone(), directory.metadata().and_then(|metadata| metadata.modified()).ok())
        };
        Self {
            python: settings.python.clone(),
            directories: [stamp(&settings.eggs_directory), stamp(&settings.develop_eggs_directory)],
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Chosen {
    fn installed(&self) -> Option<Arc<Distribution>> {
        match self {
            Self::Installed(distribution) => Some(Arc::clone(distribution)),
            Self::Planned(_) => None,
        }
    }

    fn planned(&self) -> Option<&Planned> {
        match self {
            Self::Installed(_) => None,
            Self::Planned(planned) => Some(planned),
        }
    }
}

impl Choice for Chosen {
    fn project(&self) -> &ProjectName {
        match self {
            Self::Installed(distribution) => &distribution.project,
            Self::Planned(planned) => &planned.project,
        }
    }

    fn written(&self) -> &str {
        match self {
            Self::Installed(distribution) => &distribution.written,
            Self::Planned(planned) => &planned.written,
        }
    }

    fn version(&self) -> &Version {
        match self {
            Self::Installed(distribution) => &distribution.version,
            Self::Planned(planned) => &planned.version,
        }
    }

    fn is_develop(&self) -> bool {
        matches!(self, Self::Installed(distribution) if distribution.kind == Kind::Develop)
    }

    fn dependencies(&self, environment: &MarkerEnvironment) -> Result<&Dependencies, EggError> {
        match self {
            Self::Installed(distribution) => distribution.dependencies(environment),
            Self::Planned(planned) => Ok(&planned.dependencies),
        }
    }

    fn needs_setuptools(&self, environment: &MarkerEnvironment) -> Result<bool, EggError> {
        match self {
            Self::Installed(distribution) => distribution.needs_setuptools(environment),
            // It is known when it is unpacked; the walk over what is installed asks again.
            Self::Planned(_) => Ok(false),
        }
    }
}

fn plan_key(requirement: &Requirement) -> String {
    format!("{}{}", requirement.project, requirement.versions)
}

/// Does the same for each item, several at once, and keeps their order. The first failure is returned, in order.
fn at_once<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let queue = Mutex::new(items.iter().enumerate());
    let results: Vec<Mutex<Option<Result<R, E>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let take = || locked(&queue).next();
    std::thread::scope(|scope| {
        for _ in 0..items.len().min(AT_ONCE) {
            scope.spawn(|| {
                while let Some((index, item)) = take() {
                    let result = work(item);
                    *locked(&results[index]) = Some(result);
                }
            });
        }
    });
    let results =
        results.into_iter().map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    results.map(|result| result.expect("each item is worked on before the scope ends")).collect()
}
