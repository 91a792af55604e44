//! The command line of `buildout`: options and assignments in any order, then the command and its arguments.

mod read;
#[cfg(test)]
mod tests;

use camino::{Utf8Path, Utf8PathBuf};

use crate::profiles::{Location, normalise};
use crate::syntax::Operator;
use crate::{BuildError, Dialect, Fault};

/// What the user typed, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// `-c`: path or URL of the profile.
    pub profile: String,
    /// Options set on the command line, in order; flags such as `-o` are assignments too.
    pub assignments: Vec<CommandLineAssignment>,
    /// Whether the user's defaults are read; `-U` says no.
    pub use_user_defaults: bool,
    /// `-D`: show how an error came about.
    pub debug: bool,
    /// `--dialect`: whose rules hold.
    pub dialect: Dialect,
    /// `--user`: the user that root builds as.
    pub user: Option<String>,
    /// `--allow-root`: root is not warned.
    pub allow_root: bool,
    /// `--python`: the Python to use where the profile names none.
    pub python: Option<String>,
    /// What to do.
    pub command: Command,
    /// The words behind the command.
    pub arguments: Vec<String>,
}

/// One `section:option=value` of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLineAssignment {
    /// The section, `buildout` when none is given.
    pub section: String,
    /// The option.
    pub option: String,
    /// Its value.
    pub value: String,
    pub(crate) operator: Operator,
}

/// What the engine can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Bring the directory to what the profile says.
    Install,
    /// Make the directories and `bin/buildout`.
    Bootstrap,
    /// Write a first profile, then bootstrap.
    Init,
    /// Show what an installation would do, and why.
    Plan,
    /// Show what makes a part be built again.
    Why,
    /// Draw parts or profiles.
    Graph,
    /// Run a setup script.
    Setup,
    /// Show every option with its origin.
    Annotate,
    /// Show one option.
    Query,
    /// Show the usage.
    Help,
    /// Show the version.
    Version,
}

impl Command {
    /// The word for it.
    fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Bootstrap => "bootstrap",
            Self::Init => "init",
            Self::Plan => "plan",
            Self::Why => "why",
            Self::Graph => "graph",
            Self::Setup => "setup",
            Self::Annotate => "annotate",
            Self::Query => "query",
            Self::Help => "help",
            Self::Version => "version",
        }
    }
}

/// A command line that makes no sense; the text is what the classic engine says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UsageError {
    message: String,
    /// The dialect that the line had named until then.
    pub dialect: Dialect,
}

impl From<UsageError> for BuildError {
    fn from(error: UsageError) -> Self {
        Fault::Usage(error.message).into()
    }
}

impl Default for CommandLine {
    fn default() -> Self {
        Self {
            profile: "buildout.cfg".to_owned(),
            assignments: Vec::new(),
            use_user_defaults: true,
            debug: false,
            dialect: Dialect::default(),
            user: None,
            allow_root: false,
            python: None,
            command: Command::Install,
            arguments: Vec::new(),
        }
    }
}

impl CommandLine {
    /// Sets an option of `[buildout]`, as `buildout:option=value` on the command line does.
    pub fn set(&mut self, option: &str, value: &str) {
        self.assignments.push(CommandLineAssignment {
            section: "buildout".to_owned(),
            option: option.to_owned(),
            value: value.to_owned(),
            operator: Operator::Set,
        });
    }

    /// The directory of the build as far as the command line tells: that of the profile, or the working directory for
    /// one that has an address, unless an assignment names another.
    #[must_use]
    pub fn directory(&self, working_directory: &Utf8Path) -> Utf8PathBuf {
        let of_profile = match Location::Path(working_directory.to_owned()).join(&self.profile) {
            Location::Path(path) => normalise(path.parent().unwrap_or(&path)),
            Location::Url(_) => working_directory.to_owned(),
        };
        let is_it = |assignment: &&CommandLineAssignment| {
            assignment.section == "buildout" && assignment.option == "directory"
        };
        match self.assignments.iter().rev().find(is_it) {
            Some(assignment) => working_directory.join(&assignment.value),
            None => of_profile,
        }
    }

    /// Whether the command runs or writes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        matches!(self.command, Command::Install | Command::Bootstrap | Command::Init | Command::Setup)
    }

    /// Whether the answer is to be a document for programs.
    #[must_use]
    pub fn wants_document(&self) -> bool {
        let is_it = |pair: &[String]| pair[0] == "--output" && pair[1] == "json";
        let is_attached = |word: &String| word == "--output=json";
        self.answers() && (self.arguments.iter().any(is_attached) || self.arguments.windows(2).any(is_it))
    }

    /// Whether the command has an answer for `--output`.
    #[must_use]
    pub fn answers(&self) -> bool {
        let is_classic = matches!(self.command, Command::Annotate | Command::Query);
        matches!(self.command, Command::Plan | Command::Why | Command::Graph)
            || is_classic && self.dialect == Dialect::Slapos
    }
}
