//! What a recipe sees of a build through its section or part: options, other sections, Python, distributions,
//! downloads, the log.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use host::python::Interpreter;
use indexmap::IndexMap;

use crate::download::{Download, Downloaded};
use crate::eggs::WorkingSet;
use crate::engine::Engine;
use crate::{EggSettings, Level, RecipeError, Value};

/// The build as one section sees it; [`crate::Section`] and [`crate::Part`] are this and more.
pub struct Window<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) name: &'a str,
}

impl Window<'_> {
    /// Name of the section.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// The expanded text of an option of this section. A typed value is given as its text; [`Window::value`] decodes.
    ///
    /// # Errors
    /// What it refers to cannot be had.
    pub fn get(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(self.engine.read(self.name, option)?)
    }

    /// As [`Window::get`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Window::get`], and a missing option.
    pub fn require(&mut self, option: &str) -> Result<String, RecipeError> {
        Ok(self.engine.require(self.name, option)?)
    }

    /// As [`Window::get`], decoded; text stands for itself.
    ///
    /// # Errors
    /// As [`Window::get`], and text that starts like a typed value and is none.
    pub fn value(&mut self, option: &str) -> Result<Option<Value>, RecipeError> {
        self.other_value(self.name, option)
    }

    /// Sets an option of this section. It is recorded, and others see it. The text is not expanded.
    pub fn set(&mut self, option: &str, value: impl Into<String>) {
        self.engine.set(self.name, option, value.into());
    }

    /// Every option of this section, expanded.
    ///
    /// # Errors
    /// As [`Window::get`].
    pub fn options(&mut self) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.copy(self.name)?)
    }

    /// The expanded text of an option of another section.
    ///
    /// # Errors
    /// The section does not exist, or cannot be initialised.
    pub fn other(&mut self, section: &str, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(self.engine.read(section, option)?)
    }

    /// As [`Window::other`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Window::other`], and a missing option.
    pub fn require_other(&mut self, section: &str, option: &str) -> Result<String, RecipeError> {
        Ok(self.engine.require(section, option)?)
    }

    /// As [`Window::other`], decoded.
    ///
    /// # Errors
    /// As [`Window::other`], and text that starts like a typed value and is none.
    pub fn other_value(&mut self, section: &str, option: &str) -> Result<Option<Value>, RecipeError> {
        self.engine.read(section, option)?.map(|text| decode(&text, option)).transpose()
    }

    /// Every option of another section, expanded.
    ///
    /// # Errors
    /// As [`Window::other`].
    pub fn section(&mut self, section: &str) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.copy(section)?)
    }

    /// Expands the references in a text as if it were an option of this section. `$$` is left as it is, and protects
    /// a `{` behind it.
    ///
    /// # Errors
    /// A reference that leads nowhere.
    pub fn expand(&mut self, text: &str) -> Result<String, RecipeError> {
        Ok(self.engine.expand(self.name, "(text of the recipe)", text)?)
    }

    /// The directory, as a path or URL without a slash at its end, of the profile that gave this section its recipe.
    #[must_use]
    pub fn profile_base(&self) -> String {
        self.engine.profile_base(self.name)
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
    /// As [`Window::python`], and one that does not answer.
    pub fn interpreter(&mut self) -> Result<Interpreter, RecipeError> {
        Ok(self.engine.interpreter()?)
    }

    /// What the profile says about distributions.
    ///
    /// # Errors
    /// As [`Window::python`].
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

    /// Path of the program that runs this build, for scripts that start it again; `None` when it has none.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.engine.program.as_deref()
    }

    /// Writes a line into the log, under the name of this section.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.engine.log(level, Some(self.name), message.into());
    }
}

fn decode(text: &str, option: &str) -> Result<Value, RecipeError> {
    Value::from_option(text).map_err(|error| {
        RecipeError::new(format!("option `{option}` cannot be decoded"))
            .because(error)
            .code("E-profile-value")
    })
}
