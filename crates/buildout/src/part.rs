//! A part while its recipe installs or updates it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use host::process::{Finished, Program};
use host::python::Interpreter;
use indexmap::IndexMap;

use crate::download::{Download, Downloaded};
use crate::eggs::WorkingSet;
use crate::engine::Engine;
use crate::section::decode;
use crate::{EggSettings, Event, Level, RecipeError, Value};

/// A part that is being installed or updated.
pub struct Part<'a> {
    pub(crate) engine: &'a mut Engine,
    name: &'a str,
    created: Vec<Utf8PathBuf>,
}

impl<'a> Part<'a> {
    pub(crate) fn new(engine: &'a mut Engine, name: &'a str) -> Self {
        Self { engine, name, created: Vec::new() }
    }

    /// Name of the part.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Every option of the part, expanded.
    ///
    /// # Errors
    /// What it refers to cannot be had.
    pub fn options(&mut self) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.copy(self.name)?)
    }

    /// The expanded text of an option of the part.
    ///
    /// # Errors
    /// What it refers to cannot be had.
    pub fn get(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(self.engine.read(self.name, option)?)
    }

    /// As [`Part::get`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Part::get`], and a missing option.
    pub fn require(&mut self, option: &str) -> Result<String, RecipeError> {
        Ok(self.engine.require(self.name, option)?)
    }

    /// As [`Part::get`], decoded; text stands for itself.
    ///
    /// # Errors
    /// As [`Part::get`], and text that starts like a typed value and is none.
    pub fn value(&mut self, option: &str) -> Result<Option<Value>, RecipeError> {
        self.get(option)?.map(|text| decode(&text, option)).transpose()
    }

    /// Sets an option of the part; others see it, the record does not.
    pub fn set(&mut self, option: &str, value: impl Into<String>) {
        self.engine.set(self.name, option, value.into());
    }

    /// The expanded text of an option of another section.
    ///
    /// # Errors
    /// The section does not exist, or cannot be initialised.
    pub fn other(&mut self, section: &str, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(self.engine.read(section, option)?)
    }

    /// As [`Part::other`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Part::other`], and a missing option.
    pub fn require_other(&mut self, section: &str, option: &str) -> Result<String, RecipeError> {
        Ok(self.engine.require(section, option)?)
    }

    /// As [`Part::other`], decoded.
    ///
    /// # Errors
    /// As [`Part::other`], and text that starts like a typed value and is none.
    pub fn other_value(&mut self, section: &str, option: &str) -> Result<Option<Value>, RecipeError> {
        self.other(section, option)?.map(|text| decode(&text, option)).transpose()
    }

    /// Every option of another section, expanded.
    ///
    /// # Errors
    /// As [`Part::other`].
    pub fn section(&mut self, section: &str) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.copy(section)?)
    }

    /// Expands the references in a text as if it were an option of the part.
    ///
    /// # Errors
    /// A reference that leads nowhere.
    pub fn expand(&mut self, text: &str) -> Result<String, RecipeError> {
        Ok(self.engine.expand(self.name, "(text of the recipe)", text)?)
    }

    /// The buildout directory.
    #[must_use]
    pub fn directory(&self) -> &Utf8Path {
        self.engine.directory()
    }

    /// A relative path taken from the buildout directory.
    #[must_use]
    pub fn resolve(&self, path: &str) -> Utf8PathBuf {
        self.engine.directory().join(path)
    }

    /// The directory of the profile that gave the part its recipe, as a path or URL without a slash at its end.
    #[must_use]
    pub fn profile_base(&self) -> String {
        self.engine.profile_base(self.name)
    }

    /// Tells of a path that is to be removed if the installation fails.
    pub fn created(&mut self, path: impl Into<Utf8PathBuf>) {
        self.created.push(path.into());
    }

    /// Whether nothing may be fetched from the network.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.engine.is_offline()
    }

    /// Whether newer versions are to be looked for when what is there would do.
    #[must_use]
    pub fn is_newest(&self) -> bool {
        self.engine.is_newest()
    }

    /// Path of the Python of the build; it is not started.
    ///
    /// # Errors
    /// None is installed, or the section that gives it cannot be initialised.
    pub fn python(&mut self) -> Result<Utf8PathBuf, RecipeError> {
        Ok(self.engine.python()?)
    }

    /// The Python of the build with what it says of itself; it is started unless that is known already.
    ///
    /// # Errors
    /// As [`Part::python`], and one that does not answer.
    pub fn interpreter(&mut self) -> Result<Interpreter, RecipeError> {
        Ok(self.engine.interpreter()?)
    }

    /// What the profile says about distributions.
    ///
    /// # Errors
    /// As [`Part::python`].
    pub fn egg_settings(&mut self) -> Result<EggSettings, RecipeError> {
        Ok(self.engine.egg_settings()?)
    }

    /// Installs distributions and everything that they need, and gives them in the order of `sys.path`. `settings` are
    /// those of `egg_settings`, changed where the part wants other places.
    ///
    /// # Errors
    /// A requirement or pin that cannot be satisfied, or a file that cannot be had.
    pub fn install_eggs(
        &self,
        settings: &EggSettings,
        requirements: &[impl AsRef<str>],
    ) -> Result<WorkingSet, RecipeError> {
        Ok(self.engine.install_eggs(settings, requirements)?)
    }

    /// Fetches a file; what it holds is checked before it can be used.
    ///
    /// # Errors
    /// It cannot be had, or is not what the profile expects.
    pub fn download(&mut self, download: &Download) -> Result<Downloaded, RecipeError> {
        Ok(self.engine.download(download)?)
    }

    /// The environment of processes that this build starts.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.engine.environment
    }

    /// Changes the environment of processes that this build starts from here on.
    pub fn set_environment(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.engine.environment.insert(name.into(), value.into());
    }

    /// Runs a program in the buildout directory, unless it has a directory of its own, with its output going into the
    /// progress of the build line by line. The program's own environment is all that it gets.
    ///
    /// # Errors
    /// It could not be started. A program that ends badly is no error here.
    pub fn run(&mut self, program: Program) -> Result<Finished, RecipeError> {
        let program =
            if program.has_directory() { program } else { program.directory(self.engine.directory()) };
        let name = self.name.to_owned();
        let sink = self.engine.sink();
        let finished = program.run(None, &mut |line| {
            sink.event(Event::PartOutput { part: name.clone(), line: line.to_owned() });
        });
        finished.map_err(|error| RecipeError::new(format!("cannot run {}", program.path())).because(error))
    }

    /// Writes a line into the log, under the name of the part.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.engine.log(level, Some(self.name), message.into());
    }

    pub(crate) fn into_created(self) -> Vec<Utf8PathBuf> {
        self.created
    }
}
