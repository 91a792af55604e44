//! What a build is asked to do, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use host::clock::{Clock, SystemClock};

use crate::{BuildHook, CommandLine, ForeignRecipes, RecipeKind, Sink};

/// Whose rules hold where the two dialects of the language differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// SlapOS's.
    #[default]
    Slapos,
    /// zc.buildout's, for its conformance suite.
    Upstream,
}

/// Everything that a build needs from outside.
pub struct Settings {
    /// What the user typed.
    pub command_line: CommandLine,
    /// The directory that relative paths of the command line start from.
    pub working_directory: Utf8PathBuf,
    /// The environment of the processes that parts start; `HOME` is also where `~` leads.
    pub environment: BTreeMap<String, String>,
    /// The user's defaults, usually `~/.buildout/default.cfg`; skipped when missing, and with `-U`.
    pub user_defaults: Option<Utf8PathBuf>,
    /// The built-in recipes.
    pub registry: &'static [&'static dyn RecipeKind],
    /// Where recipes that are not built in are looked for.
    pub foreign: Option<Arc<dyn ForeignRecipes>>,
    /// The Python to use where the profile names none; otherwise that of the command line, or the first `python3` of the environment's `PATH`.
    pub python: Option<Utf8PathBuf>,
    /// Directory where descriptions of interpreters are kept between builds.
    pub python_cache: Option<Utf8PathBuf>,
    /// What the caller does around the parts.
    pub hooks: Vec<Box<dyn BuildHook>>,
    /// Takes the log and the progress.
    pub sink: Arc<dyn Sink>,
    /// Tells how long parts take.
    pub clock: Arc<dyn Clock>,
    /// Whose rules hold.
    pub dialect: Dialect,
    /// The program that `bin/buildout` is to start: its path, and words before the arguments.
    pub engine: Vec<String>,
    /// Directory of the machine where unpacked distributions are shared by builds.
    pub shared_store: Option<Utf8PathBuf>,
}

impl Settings {
    /// Settings without recipes, hooks, environment or listener.
    #[must_use]
    pub fn new(command_line: CommandLine, working_directory: impl Into<Utf8PathBuf>) -> Self {
        Self {
            command_line,
            working_directory: working_directory.into(),
            environment: BTreeMap::new(),
            user_defaults: None,
            registry: &[],
            foreign: None,
            python: None,
            python_cache: None,
            hooks: Vec::new(),
            sink: Arc::new(()),
            clock: Arc::new(SystemClock),
            dialect: Dialect::default(),
            engine: Vec::new(),
            shared_store: None,
        }
    }
}

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Parts built from nothing, in order.
    pub installed: Vec<String>,
    /// Parts looked after, in order.
    pub updated: Vec<String>,
    /// Parts removed, in order; one that was built again is in `installed` too.
    pub uninstalled: Vec<String>,
}
