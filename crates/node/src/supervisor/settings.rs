//! What the configuration files tell the daemon, read and checked as a whole before any of it counts.

mod read;
mod section;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::Utf8PathBuf;
use indexmap::IndexMap;

use super::configuration::{SERVICE_MARK, WatchdogArguments};
use super::ini::IniError;

/// Everything that the files say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) socket: Utf8PathBuf,
    pub(super) socket_mode: u32,
    pub(super) log: Utf8PathBuf,
    pub(super) log_limit: LogLimit,
    pub(super) pid_file: Utf8PathBuf,
    pub(super) identifier: String,
    pub(super) groups: BTreeMap<String, GroupSettings>,
}

/// How large a log may become, and how many old ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogLimit {
    /// In bytes; 0 for no limit.
    pub(super) largest: u64,
    pub(super) backups: u32,
}

/// Programs that are started and stopped together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupSettings {
    pub(super) priority: i64,
    /// In the order in which the group lists them.
    pub(super) programs: IndexMap<String, ProgramSettings>,
}

/// What a program is to the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    Program,
    /// Gets the named events on its standard input.
    Listener(Vec<String>),
    /// The watchdog, which the daemon is itself; `None` when it has nobody to tell.
    Watchdog(Option<WatchdogArguments>),
}

/// When a program that ended by itself is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restart {
    Never,
    Unexpected,
    Always,
}

/// One process to run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProgramSettings {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) command: String,
    pub(super) directory: Option<Utf8PathBuf>,
    pub(super) user: Option<String>,
    pub(super) umask: u32,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) priority: i64,
    pub(super) autostart: bool,
    pub(super) autorestart: Restart,
    pub(super) start_seconds: Duration,
    pub(super) start_retries: u32,
    pub(super) exit_codes: Vec<i32>,
    pub(super) stop_signal: i32,
    pub(super) stop_wait: Duration,
    pub(super) stop_as_group: bool,
    pub(super) kill_as_group: bool,
    pub(super) merge_output: bool,
    pub(super) stdout: LogSettings,
    pub(super) stderr: LogSettings,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogSettings {
    /// `None` for nowhere.
    pub(super) file: Option<Utf8PathBuf>,
    pub(super) limit: LogLimit,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("failed to read `{file}`")]
    Read {
        /// The file.
        file: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not in the notation.
    #[error("`{file}` is no supervisor configuration")]
    Notation {
        /// The file.
        file: Utf8PathBuf,
        /// Where.
        #[source]
        source: IniError,
    },
    /// An option has a value that it cannot have.
    #[error("option `{option}` of section `{section}` cannot be `{value}`")]
    Value {
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// Its value.
        value: String,
    },
    /// A section that another needs is not there.
    #[error("section `{section}` is missing")]
    Missing {
        /// The section.
        section: String,
    },
}

impl ProgramSettings {
    /// Whether the watchdog looks after it: it is restarted, and its ending bangs.
    pub(super) fn is_watched(&self) -> bool {
        self.name.contains(SERVICE_MARK)
    }

    /// When it is started again after it ended by itself. Services are, whatever the file says, because the file has
    /// to say "never" for supervisord, where the master restarts them.
    pub(super) fn restart(&self) -> Restart {
        if self.is_watched() { Restart::Always } else { self.autorestart }
    }

    /// Whether a running process of `self` is as good as one of `other`.
    pub(super) fn runs_the_same_as(&self, other: &Self) -> bool {
        let Self {
            name,
            role,
            command,
            directory,
            user,
            umask,
            environment,
            merge_output,
            stdout,
            stderr,
            ..
        } = self;
        (name, role, command, directory) == (&other.name, &other.role, &other.command, &other.directory)
            && (user, umask, environment) == (&other.user, &other.umask, &other.environment)
            && (merge_output, stdout, stderr) == (&other.merge_output, &other.stdout, &other.stderr)
    }
}
