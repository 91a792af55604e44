//! A section while its recipe initialises it: the window through which a recipe sees the whole engine.

use camino::Utf8Path;
use host::python::Interpreter;
use indexmap::IndexMap;

use crate::download::{Download, Downloaded};
use crate::eggs::WorkingSet;
use crate::engine::Engine;
use crate::{EggSettings, Level, RecipeError, Value};

/// A section that is being initialised. Reading another section initialises that one first and makes this one depend
/// on it: when its options change, this part is built again.
pub struct Section<'a> {
    pub(crate) engine: &'a mut Engine,
    name: &'a str,
}

impl<'a> Section<'a> {
    pub(crate) fn new(engine: &'a mut Engine, name: &'a str) -> Self {
        Self { engine, name }
    }

    /// Name of the section.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// The expanded text of an option of this section. A typed value is given as its text; [`Section::value`] decodes.
    ///
    /// # Errors
    /// What it refers to cannot be had.
    pub fn get(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        Ok(self.engine.read(self.name, option)?)
    }

    /// As [`Section::get`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Section::get`], and a missing option.
    pub fn require(&mut self, option: &str) -> Result<String, RecipeError> {
        Ok(self.engine.require(self.name, option)?)
    }

    /// As [`Section::get`], decoded; text stands for itself.
    ///
    /// # Errors
    /// As [`Section::get`], and text that starts like a typed value and is none.
    pub fn value(&mut self, option: &str) -> Result<Option<Value>, RecipeError> {
        self.other_value(self.name, option)
    }

    /// Sets an option of this section. It is recorded, and others see it. The text is not expanded.
    pub fn set(&mut self, option: &str, value: impl Into<String>) {
        self.engine.set(self.name, option, value.into());
    }

    /// Sets an option of this section to a typed value.
    ///
    /// # Errors
    /// The value has no text.
    pub fn set_value(&mut self, option: &str, value: &Value) -> Result<(), RecipeError> {
        let text = value
            .to_option()
            .map_err(|error| RecipeError::new("Value cannot be serialised").because(error).option(option))?;
        self.set(option, text);
        Ok(())
    }

    /// Removes an option of this section, as if the profile did not have it.
    pub fn remove(&mut self, option: &str) {
        self.engine.remove(self.name, option);
    }

    /// Keeps an option out of the record of installed parts, and out of every signature: for secrets, and for what
    /// may change without the part being built again.
    pub fn hide(&mut self, option: &str) {
        self.engine.hide(self.name, option);
    }

    /// Names of this section's options, in the order in which the profile has them, then those that were set.
    #[must_use]
    pub fn option_names(&self) -> Vec<String> {
        self.engine.option_names(self.name)
    }

    /// Every option of this section, expanded.
    ///
    /// # Errors
    /// As [`Section::get`].
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

    /// As [`Section::other`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Section::other`], and a missing option.
    pub fn require_other(&mut self, section: &str, option: &str) -> Result<String, RecipeError> {
        Ok(self.engine.require(section, option)?)
    }

    /// As [`Section::other`], decoded.
    ///
    /// # Errors
    /// As [`Section::other`], and text that starts like a typed value and is none.
    pub fn other_value(&mut self, section: &str, option: &str) -> Result<Option<Value>, RecipeError> {
        self.engine.read(section, option)?.map(|text| decode(&text, option)).transpose()
    }

    /// Every option of another section, expanded.
    ///
    /// # Errors
    /// As [`Section::other`].
    pub fn section(&mut self, section: &str) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.copy(section)?)
    }

    /// Initialises another section and depends on it, for its effects only.
    ///
    /// # Errors
    /// As [`Section::other`].
    pub fn depend_on(&mut self, section: &str) -> Result<(), RecipeError> {
        Ok(self.engine.access(section, None)?)
    }

    /// Sets an option of another section, as snippets of Python do.
    ///
    /// # Errors
    /// As [`Section::other`].
    pub fn set_other(
        &mut self,
        section: &str,
        option: &str,
        value: impl Into<String>,
    ) -> Result<(), RecipeError> {
        self.engine.access(section, None)?;
        self.engine.set(section, option, value.into());
        Ok(())
    }

    /// Adds a section that the profile does not have, and initialises it.
    ///
    /// # Errors
    /// It exists already, or cannot be initialised.
    pub fn add_section(&mut self, name: &str, options: IndexMap<String, String>) -> Result<(), RecipeError> {
        Ok(self.engine.add_section(name, options)?)
    }

    /// Whether the profile has a section of that name; it is not initialised.
    #[must_use]
    pub fn has_section(&self, section: &str) -> bool {
        self.engine.table.contains(section)
    }

    /// Names of all sections.
    #[must_use]
    pub fn section_names(&self) -> Vec<String> {
        self.engine.table.sections.keys().cloned().collect()
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
    pub fn resolve(&self, path: &str) -> camino::Utf8PathBuf {
        self.engine.directory().join(path)
    }

    /// The signature of this section, which names everything that the part depends on. Dependencies that come later
    /// are not in it.
    ///
    /// # Errors
    /// A signature of what it depends on cannot be made.
    pub fn signature(&mut self) -> Result<String, RecipeError> {
        Ok(self.engine.freeze_signature(self.name)?)
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

    /// The pins of the profile: the section that `[buildout] versions` names.
    ///
    /// # Errors
    /// It cannot be initialised.
    pub fn versions(&mut self) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine.versions()?)
    }

    /// Path of the Python of the build; it is not started.
    ///
    /// # Errors
    /// None is installed, or the section that gives it cannot be initialised.
    pub fn python(&mut self) -> Result<camino::Utf8PathBuf, RecipeError> {
        Ok(self.engine.python()?)
    }

    /// The Python of the build with what it says of itself; it is started unless that is known already.
    ///
    /// # Errors
    /// As [`Section::python`], and one that does not answer.
    pub fn interpreter(&mut self) -> Result<Interpreter, RecipeError> {
        Ok(self.engine.interpreter()?)
    }

    /// What the profile says about distributions.
    ///
    /// # Errors
    /// As [`Section::python`].
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
    pub fn environment(&self) -> &std::collections::BTreeMap<String, String> {
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

pub(crate) fn decode(text: &str, option: &str) -> Result<Value, RecipeError> {
    Value::from_option(text).map_err(|error| {
        RecipeError::new(format!("option `{option}` cannot be decoded"))
            .because(error)
            .code("E-profile-value")
    })
}
