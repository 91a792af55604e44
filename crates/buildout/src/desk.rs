//! The place of a part that is worked on beside others: a copy of the build as it was when the work on the parts
//! began. Nothing here initialises a section.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use crate::download::{Download, Downloaded, Fetcher};
use crate::egg_door::{EggDoor, PinLines};
use crate::eggs::{EggError, EggMemory, Eggs};
use crate::jobs::Jobs;
use crate::nearest::nearest;
use crate::{BuildError, EggSettings, Event, Fault, Level, RecipeError, Sink};

/// A build as it was.
pub(crate) struct Snapshot {
    pub(crate) sections: HashMap<String, Frozen>,
    /// Options that parts have set since, by section and name.
    pub(crate) changed: Mutex<HashMap<(String, String), String>>,
    pub(crate) initial_environment: Arc<BTreeMap<String, String>>,
    pub(crate) directory: Utf8PathBuf,
    pub(crate) offline: bool,
    pub(crate) newest: bool,
    pub(crate) program: Option<String>,
    pub(crate) log_threshold: i64,
    pub(crate) fetcher: Fetcher,
    pub(crate) eggs: Arc<EggMemory>,
    pub(crate) pin_lines: PinLines,
    pub(crate) jobs: Arc<Jobs>,
}

/// A section as it was.
pub(crate) struct Frozen {
    pub(crate) options: IndexMap<String, FrozenOption>,
    pub(crate) base: String,
}

/// An option as a reader outside the engine gets it.
pub(crate) struct FrozenOption {
    pub(crate) value: String,
    pub(crate) used: bool,
}

/// What one part works with.
pub(crate) struct Desk {
    snapshot: Arc<Snapshot>,
    part: String,
    environment: BTreeMap<String, String>,
    sink: Arc<dyn Sink>,
    /// Options of the part's own section that it has read here.
    used: Mutex<HashSet<String>>,
}

impl Desk {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        part: &str,
        environment: BTreeMap<String, String>,
        sink: Arc<dyn Sink>,
    ) -> Self {
        Self { snapshot, part: part.to_owned(), environment, sink, used: Mutex::default() }
    }

    fn frozen(&self, section: &str) -> Result<&Frozen, RecipeError> {
        self.snapshot.sections.get(section).ok_or_else(|| {
            let part = &self.part;
            RecipeError::new(format!("the recipe of [{part}] reads [{section}] too late"))
                .hint(format!("write `depends = ${{{section}:recipe}}` into [{part}]"))
        })
    }

    pub(crate) fn read(&self, section: &str, option: &str) -> Result<Option<String>, RecipeError> {
        let frozen = self.frozen(section)?;
        if section == self.part {
            locked(&self.used).insert(option.to_owned());
        }
        let changed = locked(&self.snapshot.changed).get(&(section.to_owned(), option.to_owned())).cloned();
        Ok(changed.or_else(|| frozen.options.get(option).map(|option| option.value.clone())))
    }

    pub(crate) fn require(&self, section: &str, option: &str) -> Result<String, RecipeError> {
        if let Some(value) = self.read(section, option)? {
            return Ok(value);
        }
        let near = nearest(option, self.frozen(section)?.options.keys().map(String::as_str));
        let (section, option) = (section.to_owned(), option.to_owned());
        Err(BuildError::from(Fault::MissingOption { section, option, near }).into())
    }

    pub(crate) fn copy(&self, section: &str) -> Result<IndexMap<String, String>, RecipeError> {
        let frozen = self.frozen(section)?;
        let mut options = IndexMap::new();
        for name in frozen.options.keys() {
            options.insert(name.clone(), self.read(section, name)?.unwrap_or_default());
        }
        let changed = locked(&self.snapshot.changed);
        let new = changed.iter().filter(|((other, name), _)| other == section && !options.contains_key(name));
        let new: Vec<_> = new.map(|((_, name), value)| (name.clone(), value.clone())).collect();
        options.extend(new);
        Ok(options)
    }

    pub(crate) fn set(&self, section: &str, option: &str, value: String) {
        locked(&self.snapshot.changed).insert((section.to_owned(), option.to_owned()), value);
    }

    pub(crate) fn profile_base(&self, section: &str) -> String {
        self.snapshot.sections.get(section).map(|frozen| frozen.base.clone()).unwrap_or_default()
    }

    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.snapshot.directory
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.snapshot.offline
    }

    pub(crate) fn is_newest(&self) -> bool {
        self.snapshot.newest
    }

    pub(crate) fn program(&self) -> Option<&str> {
        self.snapshot.program.as_deref()
    }

    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    pub(crate) fn initial_environment(&self) -> &BTreeMap<String, String> {
        &self.snapshot.initial_environment
    }

    pub(crate) fn jobs(&self) -> &Arc<Jobs> {
        &self.snapshot.jobs
    }

    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.sink)
    }

    pub(crate) fn log(&self, level: Level, logger: Option<&str>, message: String) {
        if level.number() >= self.snapshot.log_threshold {
            self.sink.event(Event::Log { level, logger: logger.map(str::to_owned), message });
        }
    }

    pub(crate) fn download(&self, download: &Download) -> Result<Downloaded, RecipeError> {
        let mut log = |logger: Option<&str>, message: String| self.log(Level::Info, logger, message);
        let downloaded = self.snapshot.fetcher.fetch(download, &mut log);
        Ok(downloaded.map_err(|error| BuildError::from(Fault::Download(error)))?)
    }

    pub(crate) fn with_eggs<T>(
        &self,
        settings: &EggSettings,
        work: impl FnOnce(&Eggs<'_>) -> Result<T, EggError>,
    ) -> Result<T, EggError> {
        let door = EggDoor {
            memory: &self.snapshot.eggs,
            sink: self.sink(),
            threshold: self.snapshot.log_threshold,
            pin_line: &|name| self.snapshot.pin_lines.get(name).cloned(),
        };
        door.enter(settings, work)
    }

    /// The options of the part that nobody has read.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let used = locked(&self.used);
        let options = self.snapshot.sections.get(&self.part).into_iter().flat_map(|frozen| &frozen.options);
        options
            .filter(|(name, option)| !option.used && !used.contains(*name))
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
