//! What recipes get from the engine beyond options: pins, Python, downloads.

use std::sync::Arc;

use camino::Utf8PathBuf;
use host::python::Interpreter;
use indexmap::IndexMap;

use super::Engine;
use crate::fault::Fault;
use crate::jobs::Jobs;
use crate::{BuildError, Dialect, EggSettings};

/// Compatibility: the variable of the environment from which zc.buildout takes the index that it asks by default.
const TESTING_INDEX: &str = "buildout_testing_index_url";
/// Where programs are looked for when the environment does not say.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

impl Engine {
    /// The section that `[buildout] versions` names; empty when it names none. Reading it makes no section depend on
    /// it: a changed pin is found when distributions are looked after, and is no reason to build all parts again.
    pub(crate) fn versions(&mut self) -> Result<IndexMap<String, String>, BuildError> {
        let name = self.read("buildout", "versions")?.unwrap_or_default();
        if name.is_empty() || !self.table.contains(&name) {
            return Ok(IndexMap::new());
        }
        let initialising = std::mem::take(&mut self.initialising);
        let versions = self.copy(&name);
        self.initialising = initialising;
        versions
    }

    /// The interpreter that is used when the profile names none; it is not started.
    pub(crate) fn default_python(&self) -> Result<Utf8PathBuf, BuildError> {
        let search_path = self.environment.get("PATH").map_or(SEARCH_PATH, String::as_str);
        Ok(host::python::find(self.python.as_deref(), search_path)?)
    }

    /// The interpreter of the build: `executable` of the section that `[buildout] python` names.
    pub(crate) fn python(&mut self) -> Result<Utf8PathBuf, BuildError> {
        if self.python_is_settled {
            return self.default_python();
        }
        let section = self.read("buildout", "python")?.unwrap_or_else(|| "buildout".to_owned());
        Ok(Utf8PathBuf::from(self.require(&section, "executable")?))
    }

    /// Makes the Python that is used when the profile names none that of the build, though the profile names one: that
    /// one is being made, or is the default already.
    pub(crate) fn settle_python(&mut self) {
        self.python_is_settled = true;
    }

    /// The interpreter of the build with what it says of itself.
    pub(crate) fn interpreter(&mut self) -> Result<Interpreter, BuildError> {
        let executable = self.python()?;
        self.ask(executable)
    }

    /// What is known about the interpreter that is used when the profile names none: conditions of sections depend on
    /// it, and must be decided before the profile is known.
    pub(crate) fn default_interpreter(&mut self) -> Result<Interpreter, BuildError> {
        let executable = self.default_python()?;
        self.ask(executable)
    }

    fn ask(&mut self, executable: Utf8PathBuf) -> Result<Interpreter, BuildError> {
        if let Some(interpreter) = self.interpreters.get(&executable) {
            return Ok(interpreter.clone());
        }
        let interpreter = Interpreter::discover(Some(&executable), "", self.python_cache.as_deref())?;
        self.interpreters.insert(executable, interpreter.clone());
        Ok(interpreter)
    }

    pub(crate) fn egg_settings(&mut self) -> Result<EggSettings, BuildError> {
        let python = self.python()?;
        // The pins decide which distributions a part gets, and those are in its signature; were the section in it, too,
        // each changed pin would build every part again.
        let initialising = std::mem::take(&mut self.initialising);
        let pins = self.versions();
        // Neither does it matter to a part where its distributions come from.
        let network_cache = self.network_cache_settings();
        self.initialising = initialising;
        let (pins, network_cache) = (pins?, network_cache?);
        let download_cache = self.buildout_option("download-cache")?;
        let mut index = self.buildout_option("index")?;
        if index.is_none() && self.dialect == Dialect::Upstream {
            index = self.environment.get(TESTING_INDEX).cloned();
        }
        let words = |text: Option<String>| -> Vec<String> {
            text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let find_links = words(self.buildout_option("find-links")?);
        let allow_hosts = words(self.buildout_option("allow-hosts")?);
        Ok(EggSettings {
            pins,
            index,
            find_links,
            allow_hosts,
            eggs_directory: self.buildout_directory("eggs-directory")?,
            develop_eggs_directory: self.buildout_directory("develop-eggs-directory")?,
            further_directories: Vec::new(),
            bin_directory: self.buildout_directory("bin-directory")?,
            directory: self.directory.clone(),
            python,
            offline: self.offline,
            newest: self.newest,
            install_from_cache: self.flag("install-from-cache", false)?,
            prefer_final: self.flag("prefer-final", true)?,
            allow_picked_versions: self.flag("allow-picked-versions", true)?,
            allow_unknown_extras: self.flag("allow-unknown-extras", false)?,
            use_dependency_links: self.flag("use-dependency-links", true)?,
            one_at_a_time: self.dialect == Dialect::Upstream,
            note_requirers: self.wants_picked()?,
            python_cache: self.python_cache.clone(),
            download_cache: download_cache.map(|path| self.directory.join(path).join("dist")),
            network_cache,
            shared_store: self.shared_store.clone(),
            environment: self.environment.clone(),
        })
    }

    /// A directory that `[buildout]` names, absolute.
    pub(crate) fn buildout_directory(&mut self, option: &str) -> Result<Utf8PathBuf, BuildError> {
        let path = self.require("buildout", option)?;
        Ok(self.directory.join(path))
    }

    /// An option of `[buildout]`; an empty one counts as absent.
    pub(crate) fn buildout_option(&mut self, option: &str) -> Result<Option<String>, BuildError> {
        Ok(self.read("buildout", option)?.filter(|value| !value.trim().is_empty()))
    }

    /// An option of `[buildout]` that says yes or no.
    pub(crate) fn flag(&mut self, option: &str, default: bool) -> Result<bool, BuildError> {
        match self.read("buildout", option)?.as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(value) => {
                let (option, value) = (option.to_owned(), value.to_owned());
                Err(Fault::InvalidValue { option, value, expected: "true or false" }.into())
            }
        }
    }

    /// Settles how many programs of parts may run at once, unless that is settled.
    pub(crate) fn settle_jobs(&mut self) -> Result<(), BuildError> {
        if self.jobs.limit() == 0 {
            self.jobs = Arc::new(Jobs::new(self.jobs()?, &self.environment));
        }
        Ok(())
    }

    /// How many programs of parts may run at once: what the profile or the command line says, else what `make` was
    /// told, else one for each processor.
    fn jobs(&mut self) -> Result<usize, BuildError> {
        let Some(value) = self.buildout_option("jobs")? else {
            let flags = self.environment.get("MAKEFLAGS").map_or("", String::as_str);
            let told = flags.split_whitespace().find_map(|word| word.strip_prefix("-j")?.parse().ok());
            return Ok(told.filter(|jobs| *jobs > 0).unwrap_or_else(host::system::processors));
        };
        match value.trim().parse() {
            Ok(jobs) if jobs > 0 => Ok(jobs),
            _ => {
                let option = "jobs".to_owned();
                Err(Fault::InvalidValue { option, value, expected: "a number of jobs, 1 or more," }.into())
            }
        }
    }
}
