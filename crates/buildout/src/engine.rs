//! The state of one build: the table of the profiles, the sections that are initialised, and what they depend on.

mod defaults;
mod distributions;
mod downloads;
mod initialise;
mod log_format;
mod post_mortem;
mod services;
mod signature;
mod snapshot;
mod state;
mod substitute;
mod unasked;

pub(crate) use defaults::known_options;
pub(crate) use state::unused_message;
pub(crate) use substitute::MOST_TEXT;
pub(crate) use unasked::Conducts;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use host::clock::Clock;
use host::python::Interpreter;
use indexmap::IndexMap;

use crate::download::Fetcher;
use crate::eggs::EggMemory;
use crate::fault::Fault;
use crate::jobs::Jobs;
use crate::sources::Sources;
use crate::table::{Origin, Table};
use crate::{BuildError, Dialect, Event, ForeignRecipes, Level, Recipe, RecipeKind, Settings, Sink};

/// More than this many nested activities is taken for a profile that never ends.
const DEEPEST: usize = 3000;

/// One build.
pub(crate) struct Engine {
    pub(crate) table: Table,
    pub(crate) sources: Sources,
    pub(crate) environment: BTreeMap<String, String>,
    /// The environment as it was when the build began.
    pub(crate) initial_environment: Arc<BTreeMap<String, String>>,
    slots: HashMap<String, Slot>,
    /// Sections with a recipe, in the order in which their initialisations ended.
    pub(crate) order: Vec<String>,
    /// Sections whose initialisation has begun and not ended, the innermost last.
    initialising: Vec<String>,
    doing: Vec<Activity>,
    /// How long the options of all slots are together, in bytes.
    held: usize,
    /// Conditions of sections that were decided, for the interpreter that is used when the profile names none.
    pub(crate) conditions: HashMap<String, bool>,
    /// Texts of profiles that came from the network, by address.
    pub(crate) fetched: HashMap<String, Arc<str>>,
    registry: HashMap<&'static str, &'static dyn RecipeKind>,
    pub(crate) foreign: Option<Arc<dyn ForeignRecipes>>,
    python: Option<Utf8PathBuf>,
    /// Whether the build runs with the default Python, whatever `[buildout]` says of another.
    python_is_settled: bool,
    python_cache: Option<Utf8PathBuf>,
    interpreters: HashMap<Utf8PathBuf, Interpreter>,
    /// What signatures have of the code of recipes that are not built in, by section and recipe.
    foreign_terms: HashMap<(String, String), String>,
    /// The same of the reading before this one. A part that both have is one part, though each reading finds its
    /// recipe for another Python, and what depends on it must not be another one for that.
    earlier_terms: HashMap<(String, String), String>,
    eggs: Arc<EggMemory>,
    /// The record of the last build, when this one only looks: recipes in Python are then not asked.
    recorded: Option<unasked::Recorded>,
    /// What fetches files, made when the first one is asked for.
    downloads: Option<Fetcher>,
    sink: Arc<dyn Sink>,
    /// How many programs of parts may run at once.
    pub(crate) jobs: Arc<Jobs>,
    dialect: Dialect,
    shared_store: Option<Utf8PathBuf>,
    directory: Utf8PathBuf,
    offline: bool,
    newest: bool,
    /// Numbers of the classic log levels: 10 debug, 20 info, 30 warning, 40 error.
    log_threshold: i64,
    clock: Arc<dyn Clock>,
    /// The program that runs the build.
    pub(crate) program: Option<String>,
}

/// A section that is, or is being, initialised.
#[derive(Default)]
struct Slot {
    options: IndexMap<String, Entry>,
    recipe: Option<Box<dyn Recipe>>,
    kind: Kind,
    dependencies: BTreeSet<String>,
    /// Every section that was read while this one was initialised, also when no signature tells of it.
    reads: BTreeSet<String>,
    signature: Option<String>,
    /// The options as a recipe that is not built in has found them; empty for others.
    given: IndexMap<String, String>,
    /// Whether those who depend on the section count its options alone, not what it depends on.
    hides_dependencies: bool,
    base: String,
}

#[derive(Default, Clone)]
enum Kind {
    #[default]
    None,
    Native(&'static dyn RecipeKind),
    Foreign(String),
}

/// One option of a section in use.
struct Entry {
    /// As the profile has it, or as a recipe has set it.
    text: String,
    /// With its references expanded; `$${` still protects a `{`.
    cooked: Option<String>,
    used: bool,
    hidden: bool,
}

/// What is being done, for the classic block under an error.
#[derive(Debug, Clone)]
pub(crate) enum Activity {
    Plain(&'static str),
    GettingSection(String),
    InitializingSection(String),
    GettingOption(String, String),
    LoadingInputs(String),
    InstallingRecipe(String),
    LoadingEntry(&'static str, String),
    Developing(String),
    Installing(String),
    Updating(String),
    Uninstalling(String),
}

impl Activity {
    /// Whether this says all that the activity around it says, which is then left out.
    fn tells_its_frame(&self) -> bool {
        matches!(self, Self::Developing(_) | Self::Installing(_) | Self::Updating(_))
    }

    /// The section that it is about.
    fn section(&self) -> Option<&String> {
        match self {
            Self::GettingSection(section)
            | Self::InitializingSection(section)
            | Self::GettingOption(section, _)
            | Self::LoadingInputs(section)
            | Self::Installing(section)
            | Self::Updating(section) => Some(section),
            _ => None,
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => formatter.write_str(text),
            Self::GettingSection(section) => write!(formatter, "Getting section {section}."),
            Self::InitializingSection(section) => write!(formatter, "Initializing section {section}."),
            Self::GettingOption(section, option) => write!(formatter, "Getting option {section}:{option}."),
            Self::LoadingInputs(section) => write!(formatter, "Loading input sections for '{section}'"),
            Self::InstallingRecipe(recipe) => write!(formatter, "Installing recipe {recipe}."),
            Self::LoadingEntry(group, entry) => write!(formatter, "Loading {group} recipe entry {entry}."),
            Self::Developing(source) => write!(formatter, "Processing develop directory '{source}'."),
            Self::Installing(part) => write!(formatter, "Installing {part}."),
            Self::Updating(part) => write!(formatter, "Updating {part}."),
            Self::Uninstalling(part) => write!(formatter, "Uninstalling {part}."),
        }
    }
}

impl Engine {
    pub(crate) fn new(settings: &Settings) -> Self {
        let names = |kind: &&'static dyn RecipeKind| {
            let kind = *kind;
            kind.names().iter().map(move |name| (short_name(name), kind))
        };
        Self {
            table: Table::default(),
            sources: Sources::default(),
            environment: settings.environment.clone(),
            initial_environment: Arc::new(settings.environment.clone()),
            slots: HashMap::new(),
            order: Vec::new(),
            initialising: Vec::new(),
            doing: Vec::new(),
            held: 0,
            conditions: HashMap::new(),
            fetched: HashMap::new(),
            registry: settings.registry.iter().flat_map(names).collect(),
            foreign: settings.foreign.clone(),
            python: settings.python.clone().or_else(|| {
                settings.command_line.python.as_ref().map(|path| settings.working_directory.join(path))
            }),
            python_is_settled: false,
            python_cache: settings.python_cache.clone(),
            interpreters: HashMap::new(),
            foreign_terms: HashMap::new(),
            earlier_terms: HashMap::new(),
            eggs: Arc::default(),
            recorded: None,
            downloads: None,
            jobs: Arc::default(),
            sink: Arc::clone(&settings.sink),
            dialect: settings.dialect,
            shared_store: settings.shared_store.clone(),
            directory: settings.working_directory.clone(),
            offline: false,
            newest: true,
            log_threshold: 20,
            clock: Arc::clone(&settings.clock),
            program: settings.engine.first().cloned(),
        }
    }

    /// Forgets everything but what is being done, what was fetched and which code recipes have: the profile is going to be read again for the
    /// Python of `settings`.
    pub(crate) fn restart(&mut self, settings: &Settings) {
        let (doing, fetched) = (std::mem::take(&mut self.doing), std::mem::take(&mut self.fetched));
        let interpreters = std::mem::take(&mut self.interpreters);
        let earlier_terms = std::mem::take(&mut self.foreign_terms);
        let kept = Self { doing, fetched, interpreters, earlier_terms, ..Self::new(settings) };
        *self = Self { python_is_settled: true, ..kept };
    }

    /// Does `work` and, when it fails, keeps that this was being done.
    pub(crate) fn doing<T>(
        &mut self,
        activity: Activity,
        work: impl FnOnce(&mut Self) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        if self.doing.len() >= DEEPEST {
            return Err(Fault::TooDeep { limit: DEEPEST }.into());
        }
        self.doing.push(activity);
        let done = work(self).map_err(|error| {
            error
                .during(|| self.activities())
                .among(|| self.sections_at_work(), || self.options_being_expanded())
        });
        self.doing.pop();
        done
    }

    /// What is being done, the outermost first.
    pub(crate) fn activities(&self) -> Vec<String> {
        self.activities_around(None)
    }

    /// What is being done around an activity of which this engine is not told.
    pub(crate) fn activities_around(&self, inner: Option<&Activity>) -> Vec<String> {
        let next = self.doing.iter().skip(1).map(Some).chain([inner]);
        let told =
            self.doing.iter().zip(next).filter(|(_, next)| !next.is_some_and(Activity::tells_its_frame));
        told.map(|(activity, _)| activity.to_string()).collect()
    }

    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.offline
    }

    pub(crate) fn is_newest(&self) -> bool {
        self.newest
    }

    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.sink)
    }

    /// Sends what is told from here on to another sink; gives the one before.
    pub(crate) fn replace_sink(&mut self, sink: Arc<dyn Sink>) -> Arc<dyn Sink> {
        std::mem::replace(&mut self.sink, sink)
    }

    pub(crate) fn log(&self, level: Level, logger: Option<&str>, message: String) {
        if self.shows(level) {
            self.sink.event(Event::Log { level, logger: logger.map(str::to_owned), message });
        }
    }

    /// The least importance that the log shows: 20 shows what happens, 10 every step, less than that more and more.
    pub(crate) fn log_threshold(&self) -> i64 {
        self.log_threshold
    }

    /// Whether lines of that importance are in the log.
    fn shows(&self, level: Level) -> bool {
        level.number() >= self.log_threshold
    }

    pub(crate) fn set(&mut self, section: &str, option: &str, value: String) {
        let Some(slot) = self.slots.get_mut(section) else { return };
        let entry = slot.options.entry(option.to_owned()).or_default();
        entry.cooked = Some(value.clone());
        entry.text = value;
        entry.used = true;
    }

    pub(crate) fn remove(&mut self, section: &str, option: &str) {
        if let Some(slot) = self.slots.get_mut(section) {
            slot.options.shift_remove(option);
        }
    }

    pub(crate) fn hide(&mut self, section: &str, option: &str) {
        if let Some(entry) = self.slots.get_mut(section).and_then(|slot| slot.options.get_mut(option)) {
            entry.hidden = true;
        }
    }

    pub(crate) fn option_names(&self, section: &str) -> Vec<String> {
        self.slots.get(section).map(|slot| slot.options.keys().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn profile_base(&self, section: &str) -> String {
        self.slots.get(section).map(|slot| slot.base.clone()).unwrap_or_default()
    }

    /// Where the text of the section comes from: the profile of its recipe, else of its first option.
    fn base_of(&self, section: &str) -> String {
        let history = self.table.history(section, "recipe");
        let first = self.table.sections.get(section).and_then(|section| section.options.values().next());
        match history.or(first).and_then(|history| history.last()).map(|step| step.origin) {
            Some(Origin::Profile { source, .. }) => self.sources.get(source).base.clone(),
            _ => self.directory.to_string(),
        }
    }
}

impl Entry {
    fn new(text: String) -> Self {
        Self { text, cooked: None, used: false, hidden: false }
    }

    fn value(&self) -> &str {
        self.cooked.as_deref().unwrap_or(&self.text)
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self::new(String::new())
    }
}

/// `package` and `package:default` are the same recipe.
fn short_name(recipe: &str) -> &str {
    recipe.strip_suffix(":default").unwrap_or(recipe)
}
