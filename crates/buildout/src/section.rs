//! A section while its recipe initialises it.

use std::ops::{Deref, DerefMut};

use indexmap::IndexMap;

use crate::engine::Engine;
use crate::window::Sight;
use crate::{Recipe, RecipeError, Value, Window};

/// A section that is being initialised. Reading another section initialises that one first and makes this one depend
/// on it: when its options change, this part is built again.
pub struct Section<'a>(Window<'a>);

impl<'a> Deref for Section<'a> {
    type Target = Window<'a>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Section<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> Section<'a> {
    pub(crate) fn new(engine: &'a mut Engine, name: &'a str) -> Self {
        Self(Window { sight: Sight::Build(engine), name })
    }

    /// The whole build.
    pub(crate) fn engine(&mut self) -> &mut Engine {
        match &mut self.0.sight {
            Sight::Build(engine) => engine,
            Sight::Desk(_) => unreachable!("sections are initialised by the build itself"),
        }
    }

    /// The whole build, to look at.
    pub(crate) fn build_itself(&self) -> &Engine {
        match &self.0.sight {
            Sight::Build(engine) => engine,
            Sight::Desk(_) => unreachable!("sections are initialised by the build itself"),
        }
    }

    /// Sets an option of this section. It is recorded, and others see it. The text is not expanded.
    pub fn set(&mut self, option: &str, value: impl Into<String>) {
        self.0.set(option, value);
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

    /// Whether somebody only wants to know what a build would do: nothing may be written, started or told to anybody.
    /// What is needed to know the options may be read and asked for.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        self.build_itself().only_looks()
    }

    /// Removes an option of this section, as if the profile did not have it.
    pub fn remove(&mut self, option: &str) {
        let name = self.0.name;
        self.engine().remove(name, option);
    }

    /// Keeps an option out of the record of installed parts, and out of every signature: for secrets, and for what
    /// may change without the part being built again.
    pub fn hide(&mut self, option: &str) {
        let name = self.0.name;
        self.engine().hide(name, option);
    }

    /// Names of this section's options, in the order in which the profile has them, then those that were set.
    #[must_use]
    pub fn option_names(&self) -> Vec<String> {
        self.build_itself().option_names(self.0.name)
    }

    /// Initialises another section and depends on it, for its effects only.
    ///
    /// # Errors
    /// As [`Window::other`].
    pub fn depend_on(&mut self, section: &str) -> Result<(), RecipeError> {
        Ok(self.engine().access(section, None)?)
    }

    /// Sets an option of another section, as snippets of Python do.
    ///
    /// # Errors
    /// As [`Window::other`].
    pub fn set_other(
        &mut self,
        section: &str,
        option: &str,
        value: impl Into<String>,
    ) -> Result<(), RecipeError> {
        self.engine().access(section, None)?;
        self.engine().set(section, option, value.into());
        Ok(())
    }

    /// Adds a section that the profile does not have, and initialises it.
    ///
    /// # Errors
    /// It exists already, or cannot be initialised.
    pub fn add_section(&mut self, name: &str, options: IndexMap<String, String>) -> Result<(), RecipeError> {
        Ok(self.engine().add_section(name, options)?)
    }

    /// Whether the profile has a section of that name; it is not initialised.
    #[must_use]
    pub fn has_section(&self, section: &str) -> bool {
        self.build_itself().table.contains(section)
    }

    /// Names of all sections.
    #[must_use]
    pub fn section_names(&self) -> Vec<String> {
        self.build_itself().table.sections.keys().cloned().collect()
    }

    /// The signature of this section, which names everything that the part depends on. Dependencies that come later
    /// are not in it.
    ///
    /// # Errors
    /// A signature of what it depends on cannot be made.
    pub fn signature(&mut self) -> Result<String, RecipeError> {
        let name = self.0.name;
        Ok(self.engine().freeze_signature(name)?)
    }

    /// Forgets what this section has depended on so far. Parts that depend on it are built again when its options
    /// change, and no more when what it takes them from does.
    pub fn barrier(&mut self) {
        let name = self.0.name;
        self.engine().barrier(name);
    }

    /// The pins of the profile: the section that `[buildout] versions` names.
    ///
    /// # Errors
    /// It cannot be initialised.
    pub fn versions(&mut self) -> Result<IndexMap<String, String>, RecipeError> {
        Ok(self.engine().versions()?)
    }

    /// The recipe object that Python makes of this section, for a section that the native recipe cannot serve; `None`
    /// when there is no such Python recipe.
    ///
    /// # Errors
    /// The Python recipe cannot be had, or refuses the section.
    pub fn python_recipe(&mut self, specification: &str) -> Result<Option<Box<dyn Recipe>>, RecipeError> {
        let name = self.0.name;
        match self.build_itself().foreign.clone() {
            Some(_) if self.only_looks() => {
                Ok(Some(self.engine().unasked_recipe(name).map_err(RecipeError::from)?))
            }
            Some(foreign) => foreign.initialise(specification, self),
            None => Ok(None),
        }
    }
}
