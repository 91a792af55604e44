//! Recipes that are not built in: the seam through which Python recipes run.

mod channel;
mod distributions;
mod python;
mod scripts;
mod serve;
#[cfg(test)]
mod trials;

pub use python::PythonRecipes;

use crate::{Build, Recipe, RecipeError, Section, Uninstall};

/// The code of the error that a recipe ended the process it ran in.
pub const WORKER_LOST: &str = "E-bridge-worker-lost";

/// When extensions are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The profile is read, and nothing is done yet.
    Load,
    /// Everything is done.
    Unload,
}

/// Makes and removes parts whose recipe is not in the registry, and calls extensions that the engine does not have.
///
/// One object serves the whole run. Calls nest: while it initialises a section, that section may read another one
/// whose recipe is foreign too, so no lock may be held across calls to the [`Section`].
pub trait ForeignRecipes: Send + Sync {
    /// Makes the recipe object of a section; `specification` is the text of its `recipe` option.
    ///
    /// # Errors
    /// `Ok(None)` when no such recipe exists; an error when it exists and refuses the section.
    fn initialise(
        &self,
        specification: &str,
        section: &mut Section<'_>,
    ) -> Result<Option<Box<dyn Recipe>>, RecipeError>;

    /// What identifies the code of the recipe in `__buildout_signature__`, blank-separated.
    ///
    /// # Errors
    /// The recipe's distributions cannot be determined.
    fn signature(&self, specification: &str, section: &mut Section<'_>) -> Result<String, RecipeError>;

    /// Lets the recipe undo what its part did beyond creating files; nothing when it has no such entry point.
    ///
    /// # Errors
    /// The recipe failed to.
    fn uninstall(
        &self,
        specification: &str,
        part: &Uninstall<'_>,
        build: &mut Build<'_>,
    ) -> Result<(), RecipeError>;

    /// Installs distributions with extensions, and calls those entry points of theirs that are for this moment.
    ///
    /// # Errors
    /// One cannot be installed or fails.
    fn extend(&self, extensions: &[String], moment: Moment, build: &mut Build<'_>)
    -> Result<(), RecipeError>;
}
