//! What a recipe sees of a build through its section or part: options, other sections, Python, distributions,
//! downloads, the log.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use host::python::Interpreter;
use indexmap::IndexMap;

use crate::desk::Desk;
use crate::download::{Download, Downloaded};
use crate::eggs::{EggBuild, EggError, Eggs, WorkingSet};
use crate::engine::Engine;
use crate::{EggSettings, Level, RecipeError, Value};

/// The build as one section sees it; [`crate::Section`] and [`crate::Part`] are this and more.
pub struct Window<'a> {
    pub(crate) sight: Sight<'a>,
    pub(crate) name: &'a str,
}

/// Through what a section sees the build.
pub(crate) enum Sight<'a> {
    /// The build itself: reading another section may initialise it.
    Build(&'a mut Engine),
    /// What was known when the work on the parts began: the part is worked on beside others.
    Desk(&'a Desk),
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
        self.other(self.name, option)
    }

    /// As [`Window::get`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Window::get`], and a missing option.
    pub fn require(&mut self, option: &str) -> Result<String, RecipeError> {
        self.require_other(self.name, option)
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
        match &mut self.sight {
            Sight::Build(engine) => engine.set(self.name, option, value.into()),
            Sight::Desk(desk) => desk.set(self.name, option, value.into()),
        }
    }

    /// Every option of this section, expanded.
    ///
    /// # Errors
    /// As [`Window::get`].
    pub fn options(&mut self) -> Result<IndexMap<String, String>, RecipeError> {
        self.section(self.name)
    }

    /// The expanded text of an option of another section.
    ///
    /// # Errors
    /// The section does not exist, or cannot be initialised.
    pub fn other(&mut self, section: &str, option: &str) -> Result<Option<String>, RecipeError> {
        match &mut self.sight {
            Sight::Build(engine) => Ok(engine.read(section, option)?),
            Sight::Desk(desk) => desk.read(section, option),
        }
    }

    /// As [`Window::other`], for an option that must be there.
    ///
    /// # Errors
    /// As [`Window::other`], and a missing option.
    pub fn require_other(&mut self, section: &str, option: &str) -> Result<String, RecipeError> {
        match &mut self.sight {
            Sight::Build(engine) => Ok(engine.require(section, option)?),
            Sight::Desk(desk) => desk.require(section, option),
        }
    }

    /// As [`Window::other`], decoded.
    ///
    /// # Errors
    /// As [`Window::other`], and text that starts like a typed value and is none.
    pub fn other_value(&mut self, section: &str, option: &str) -> Result<Option<Value>, RecipeError> {
        self.other(section, option)?.map(|text| decode(&text, option)).transpose()
    }

    /// Every option of another section, expanded.
    ///
    /// # Errors
    /// As [`Window::other`].
    pub fn section(&mut self, section: &str) -> Result<IndexMap<String, String>, RecipeError> {
        match &mut self.sight {
            Sight::Build(engine) => Ok(engine.copy(section)?),
            Sight::Desk(desk) => desk.copy(section),
        }
    }

    /// Expands the references in a text as if it were an option of this section. `$$` is left as it is, and protects
    /// a `{` behind it.
    ///
    /// # Errors
    /// A reference that leads nowhere.
    pub fn expand(&mut self, text: &str) -> Result<String, RecipeError> {
        let name = self.name;
        Ok(self.build("expand a text")?.expand(name, "(text of the recipe)", text)?)
    }

    /// The directory, as a path or URL without a slash at its end, of the profile that gave this section its recipe.
    #[must_use]
    pub fn profile_base(&self) -> String {
        match &self.sight {
            Sight::Build(engine) => engine.profile_base(self.name),
            Sight::Desk(desk) => desk.profile_base(self.name),
        }
    }

    /// The buildout directory.
    #[must_use]
    pub fn directory(&self) -> &Utf8Path {
        match &self.sight {
            Sight::Build(engine) => engine.directory(),
            Sight::Desk(desk) => desk.directory(),
        }
    }

    /// A relative path taken from the buildout directory.
    #[must_use]
    pub fn resolve(&self, path: &str) -> Utf8PathBuf {
        self.directory().join(path)
    }

    /// Whether nothing may be fetched from the network.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        match &self.sight {
            Sight::Build(engine) => engine.is_offline(),
            Sight::Desk(desk) => desk.is_offline(),
        }
    }

    /// Whether newer versions are to be looked for when what is there would do.
    #[must_use]
    pub fn is_newest(&self) -> bool {
        match &self.sight {
            Sight::Build(engine) => engine.is_newest(),
            Sight::Desk(desk) => desk.is_newest(),
        }
    }

    /// Path of the Python of the build; it is not started.
    ///
    /// # Errors
    /// None is installed, or the section that gives it cannot be initialised.
    pub fn python(&mut self) -> Result<Utf8PathBuf, RecipeError> {
        Ok(self.build("ask for the Python of the build")?.python()?)
    }

    /// The Python of the build with what it says of itself; it is started unless that is known already.
    ///
    /// # Errors
    /// As [`Window::python`], and one that does not answer.
    pub fn interpreter(&mut self) -> Result<Interpreter, RecipeError> {
        Ok(self.build("ask for the Python of the build")?.interpreter()?)
    }

    /// What the profile says about distributions.
    ///
    /// # Errors
    /// As [`Window::python`].
    pub fn egg_settings(&mut self) -> Result<EggSettings, RecipeError> {
        Ok(self.build("ask what the profile says about distributions")?.egg_settings()?)
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
        self.with_eggs(settings, |eggs| eggs.install(requirements))
    }

    /// Builds a distribution from its sources and installs it as an egg in `directory`, unless what satisfies the
    /// requirement is installed already; gives the directory of the egg.
    ///
    /// # Errors
    /// As [`Window::install_eggs`]; and sources that do not exist or do not build.
    pub fn build_egg(
        &self,
        settings: &EggSettings,
        requirement: &str,
        build: &EggBuild,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, RecipeError> {
        self.with_eggs(settings, |eggs| eggs.build(requirement, build, directory))
    }

    /// Installs the directory of a setup script in development mode; gives the link to it.
    ///
    /// # Errors
    /// The script fails.
    pub fn develop_egg(
        &self,
        settings: &EggSettings,
        script: &Utf8Path,
        build: &EggBuild,
    ) -> Result<Utf8PathBuf, RecipeError> {
        self.with_eggs(settings, |eggs| eggs.develop(script, build))
    }

    fn with_eggs<T>(
        &self,
        settings: &EggSettings,
        work: impl FnOnce(&Eggs<'_>) -> Result<T, EggError>,
    ) -> Result<T, RecipeError> {
        Ok(match &self.sight {
            Sight::Build(engine) => engine.with_eggs(settings, work),
            Sight::Desk(desk) => desk.with_eggs(settings, work),
        }?)
    }

    /// Fetches a file; what it holds is checked before it can be used.
    ///
    /// # Errors
    /// It cannot be had, or is not what the profile expects.
    pub fn download(&mut self, download: &Download) -> Result<Downloaded, RecipeError> {
        match &mut self.sight {
            Sight::Build(engine) => Ok(engine.download(download)?),
            Sight::Desk(desk) => desk.download(download),
        }
    }

    /// The environment of processes that this build starts.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        match &self.sight {
            Sight::Build(engine) => &engine.environment,
            Sight::Desk(desk) => desk.environment(),
        }
    }

    /// The environment of processes as it was when the build began; parts may have changed it since.
    #[must_use]
    pub fn initial_environment(&self) -> &BTreeMap<String, String> {
        match &self.sight {
            Sight::Build(engine) => &engine.initial_environment,
            Sight::Desk(desk) => desk.initial_environment(),
        }
    }

    /// Path of the program that runs this build, for scripts that start it again; `None` when it has none.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        match &self.sight {
            Sight::Build(engine) => engine.program.as_deref(),
            Sight::Desk(desk) => desk.program(),
        }
    }

    /// Writes a line into the log, under the name of this section.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        match &self.sight {
            Sight::Build(engine) => engine.log(level, Some(self.name), message.into()),
            Sight::Desk(desk) => desk.log(level, Some(self.name), message.into()),
        }
    }

    /// The whole build, for what no part can do beside others.
    pub(crate) fn build(&mut self, doing: &str) -> Result<&mut Engine, RecipeError> {
        match &mut self.sight {
            Sight::Build(engine) => Ok(engine),
            Sight::Desk(_) => Err(RecipeError::new(format!(
                "the recipe of [{}] wants to {doing} while other parts are built beside it",
                self.name
            ))
            .hint("it must do so when its section is initialised; report this to who made the recipe")),
        }
    }

    /// Writes a line into the log without a name before it, as the engine does.
    pub fn log_plainly(&self, level: Level, message: impl Into<String>) {
        match &self.sight {
            Sight::Build(engine) => engine.log(level, None, message.into()),
            Sight::Desk(desk) => desk.log(level, None, message.into()),
        }
    }
}

fn decode(text: &str, option: &str) -> Result<Value, RecipeError> {
    Value::from_option(text).map_err(|error| {
        RecipeError::new(format!("option `{option}` cannot be decoded"))
            .because(error)
            .code("E-profile-value")
    })
}
