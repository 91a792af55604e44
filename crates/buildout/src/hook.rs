//! Hooks: what the caller does with a build before its parts are initialised and after they are installed.

use camino::Utf8Path;
use indexmap::IndexMap;

use crate::engine::Engine;
use crate::{Level, RecipeError};

/// Something that takes part in a whole build.
pub trait BuildHook: Send {
    /// Called when the profile is read and nothing is initialised yet.
    ///
    /// # Errors
    /// Ends the build.
    fn before_parts(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        let _ = build;
        Ok(())
    }

    /// Called when every part is initialised and none is installed yet; sections that are not parts can be
    /// initialised here, the parts that they refer to are then installed too.
    ///
    /// # Errors
    /// Ends the build.
    fn before_install(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        let _ = build;
        Ok(())
    }

    /// Called when every part is installed.
    ///
    /// # Errors
    /// Fails the build; the parts stay installed.
    fn after_parts(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        let _ = build;
        Ok(())
    }
}

/// A build, as its hooks see it.
pub struct Build<'a> {
    engine: &'a mut Engine,
}

impl<'a> Build<'a> {
    pub(crate) fn new(engine: &'a mut Engine) -> Self {
        Self { engine }
    }

    /// All of it.
    pub(crate) fn engine(&mut self) -> &mut Engine {
        self.engine
    }

    /// The buildout directory.
    #[must_use]
    pub fn directory(&self) -> &Utf8Path {
        self.engine.directory()
    }

    /// Whether the profile has such a section.
    #[must_use]
    pub fn has_section(&self, section: &str) -> bool {
        self.engine.table.contains(section)
    }

    /// The options of a section as the profile writes them, macros applied, nothing expanded.
    ///
    /// # Errors
    /// A macro that does not exist or that refers to itself.
    pub fn raw(&self, section: &str) -> Result<Option<IndexMap<String, String>>, RecipeError> {
        if !self.has_section(section) {
            return Ok(None);
        }
        Ok(Some(self.engine.table.resolve(section)?))
    }

    /// Sets an option of a section that is not initialised yet, creating the section when it is missing. The value is
    /// expanded as if the profile had it.
    pub fn set(&mut self, section: &str, option: &str, value: impl Into<String>) {
        self.engine.table.set_computed(section, option, value.into());
    }

    /// The expanded value of an option; its section is initialised first.
    ///
    /// # Errors
    /// As `Section::other`.
    pub fn get(&mut self, section: &str, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(self.engine.read(section, option)?)
    }

    /// The expanded options of a section; it is initialised first, and with it the parts that it refers to.
    ///
    /// # Errors
    /// As `Section::section`.
    pub fn section(&mut self, section: &str) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.copy(section)?)
    }

    /// Writes a line into the log.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.engine.log(level, None, message.into());
    }
}
