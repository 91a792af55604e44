//! The service: from requirements to a working set on disk.

use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use shacache::HttpCacheSettings;

use super::at_once::locked;
use super::build::EggBuild;
use super::compile::Compiling;
use super::error::EggError;
use super::index::{Index, Places};
use super::network_cache::NetworkCache;
use super::picked::Picked;
use super::requirement::Requirement;
use super::scripts::python_text;
use super::session::Session;
use super::setup_script::SetupScript;
use super::shelf::{Shelf, ShelfStamp};
use super::told::Notice;
use super::working_set::WorkingSet;
use crate::EggSettings;

/// Finds and installs distributions for one set of settings.
#[derive(Clone, Copy)]
pub struct Eggs<'a> {
    pub(super) settings: &'a EggSettings,
    pub(super) notice: &'a Notice<'a>,
    pub(super) every_step: bool,
    pub(super) memory: Option<&'a EggMemory>,
    /// What holds for that with which distributions are built, when that is something else.
    pub(super) tools: Option<&'a EggSettings>,
    /// How many builds wait for what is being installed.
    pub(super) depth: u32,
}

/// What the parts of one build need not look at twice: what is installed, and what the index answered; and what the
/// build tells at its end.
#[derive(Default)]
pub struct EggMemory {
    pub(super) shelf: Mutex<Option<(ShelfStamp, Arc<Shelf>)>>,
    pub(super) indexes: Mutex<Vec<(Places, Arc<Index>)>>,
    pub(super) network_caches: Mutex<Vec<(HttpCacheSettings, Option<Arc<NetworkCache>>)>>,
    pub(super) compiling: Mutex<Compiling>,
    pub(super) picked: Mutex<Picked>,
}

impl EggMemory {
    /// The lines of a `[versions]` section that pins what was picked; empty when nothing was.
    #[must_use]
    pub fn picked(&self) -> Vec<String> {
        locked(&self.picked).lines()
    }
}

impl<'a> Eggs<'a> {
    /// The service for these settings; `notice` gets a line for each distribution that is fetched. Nothing is read yet.
    #[must_use]
    pub fn new(settings: &'a EggSettings, notice: &'a Notice<'a>) -> Self {
        Self { settings, notice, every_step: false, memory: None, tools: None, depth: 0 }
    }

    /// The same service, which shares what it learns with others of the same build.
    #[must_use]
    pub fn with_memory(self, memory: &'a EggMemory) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// The same service, which installs under these settings what it needs to build with.
    #[must_use]
    pub fn with_tools(self, settings: &'a EggSettings) -> Self {
        Self { tools: Some(settings), ..self }
    }

    /// The same service, which also tells why it chooses what.
    #[must_use]
    pub fn telling_every_step(self, every_step: bool) -> Self {
        Self { every_step, ..self }
    }

    /// Finds everything that `requirements` need, installs what is not installed, and gives all of it in order.
    ///
    /// # Errors
    /// A requirement or pin that cannot be satisfied, a place that cannot be reached, a file that is not what it should
    /// be. Nothing is left half installed.
    pub fn install(&self, requirements: &[impl AsRef<str>]) -> Result<WorkingSet, EggError> {
        let requested: Vec<Requirement> = requirements
            .iter()
            .map(|text| text.as_ref().parse().map_err(|source| EggError::Requirement { by: None, source }))
            .collect::<Result<_, _>>()?;
        let words: Vec<String> = requirements.iter().map(|text| python_text(text.as_ref())).collect();
        Session::new(self)?.install(&requested, &words.join(", "))
    }

    /// Builds a distribution from its sources as `build` says and installs it as an egg in `directory`, unless what
    /// satisfies the requirement is installed already. Gives the directory of the egg.
    ///
    /// # Errors
    /// As [`Eggs::install`]; and sources that do not exist or do not build.
    pub fn build(
        &self,
        requirement: &str,
        build: &EggBuild,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        let requirement = requirement.parse().map_err(|source| EggError::Requirement { by: None, source })?;
        Session::new(self)?.build(&requirement, build, directory)
    }

    /// Installs the directory of a setup script in development mode: gives the link in the directory of develop eggs.
    ///
    /// # Errors
    /// The script fails, or what it needs cannot be had.
    pub fn develop(&self, script: &Utf8Path, build: &EggBuild) -> Result<Utf8PathBuf, EggError> {
        Session::new(self)?.develop(script, build)
    }

    /// Leaves a link to the directory of a setup script in the directory `target`, which is empty; gives the link.
    ///
    /// # Errors
    /// As [`Eggs::develop`].
    pub(crate) fn link(&self, script: &SetupScript<'_>, target: &Utf8Path) -> Result<Utf8PathBuf, EggError> {
        Session::new(self)?.link(script, target)
    }

    /// Runs a setup script in its directory.
    ///
    /// # Errors
    /// As [`Eggs::develop`].
    pub(crate) fn run_script(&self, script: &SetupScript<'_>) -> Result<(), EggError> {
        Session::new(self)?.run_script(script)
    }
}
