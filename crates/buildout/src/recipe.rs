//! What a recipe is: one static [`RecipeKind`] per recipe, one [`Recipe`] object per part.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use crate::{Action, Download, Part, RecipeError, Section};

/// One part's recipe object, made when its section is initialised.
pub trait Recipe: Send {
    /// Builds the part from nothing. Returns the paths that the part owns: they are recorded, watched for their
    /// existence, and removed when the part is.
    ///
    /// # Errors
    /// Whatever keeps the part from being built; what [`Part::created`] was told is then removed.
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError>;

    /// Looks after a part whose options are as they were when it was installed. Returns paths to add to those that
    /// the part owns.
    ///
    /// # Errors
    /// Whatever keeps the part from being brought up to date; its recorded paths are then removed.
    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let _ = part;
        Ok(Vec::new())
    }

    /// What [`Recipe::install`] will ask for with [`crate::Window::download`], as far as it is known before. It is fetched
    /// while other parts are built; a part that says nothing fetches everything when it is its turn.
    fn downloads(&self) -> Vec<Download> {
        Vec::new()
    }

    /// When the part may be worked on.
    ///
    /// Anything but [`Turn::InOrder`] is a promise: the part then uses nothing of other parts but what it has read of
    /// their sections while it was initialised, others use nothing of it but what they read of its section, and
    /// neither `install` nor `update` reads a section that was not initialised.
    fn turn(&self, action: Action) -> Turn {
        let _ = action;
        Turn::InOrder
    }

    /// Computes an option that the section does not have, when somebody asks for it. It is not recorded.
    ///
    /// # Errors
    /// The option is one of this recipe's and cannot be computed.
    fn late_option(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        let _ = option;
        Ok(None)
    }
}

/// One recipe: its names, its manual page, and how its parts come to be.
pub trait RecipeKind: Sync {
    /// The texts of the `recipe` option that mean this recipe, the usual one first; `package` is `package:default`.
    fn names(&self) -> &'static [&'static str];

    /// What it is for: one line, an imperative without full stop.
    fn summary(&self) -> &'static str;

    /// The options that it reads, for the manual page and for checks of profiles.
    fn options(&self) -> &'static [OptionDoc];

    /// Makes the recipe object of a section, and adds the options that the section offers to others.
    ///
    /// # Errors
    /// The section's options make no sense; or another section, read through `section`, fails.
    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError>;

    /// Whether a section asks for what only the recipe of the same name in Python can do; that one then gets it.
    ///
    /// # Errors
    /// An option that decides it cannot be had.
    fn leaves_to_python(&self, section: &mut Section<'_>) -> Result<bool, RecipeError> {
        let _ = section;
        Ok(false)
    }

    /// A number to increase when parts must be built again because this code changed.
    fn behaviour_version(&self) -> u32 {
        1
    }

    /// Undoes what a part did beyond creating files, before its files are removed.
    ///
    /// # Errors
    /// It could not be undone.
    fn uninstall(&self, part: &Uninstall<'_>) -> Result<(), RecipeError> {
        let _ = part;
        Ok(())
    }
}

/// When a part is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// In its place in the order of the parts, when all parts before it are there.
    InOrder,
    /// As soon as the parts are there that it refers to; it takes hardly any time.
    Quick,
    /// As soon as the parts are there that it refers to, beside others.
    Beside,
}

/// One option of a recipe, as its manual page tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionDoc {
    /// Its name; one that ends in `*` stands for every option that starts so.
    pub name: &'static str,
    /// What it means: a phrase without full stop.
    pub meaning: &'static str,
    /// What holds when it is absent.
    pub default: Option<&'static str>,
    /// Whether a section without it is refused.
    pub required: bool,
}

impl OptionDoc {
    /// An option that may be absent.
    #[must_use]
    pub const fn optional(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning, default: None, required: false }
    }

    /// An option that every section of this recipe has.
    #[must_use]
    pub const fn required(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning, default: None, required: true }
    }

    /// An option with a default.
    #[must_use]
    pub const fn with_default(name: &'static str, meaning: &'static str, default: &'static str) -> Self {
        Self { name, meaning, default: Some(default), required: false }
    }
}

/// A part that is about to be removed, as it was recorded.
#[derive(Debug)]
pub struct Uninstall<'a> {
    /// Name of the part.
    pub part: &'a str,
    /// Its recorded options, `__buildout_installed__` and `__buildout_signature__` included.
    pub options: &'a IndexMap<String, String>,
    /// The buildout directory.
    pub directory: &'a Utf8Path,
}
