//! Child processes: started as a given user with a given environment, their output followed line by line, and never
//! left behind.
//!
//! Every child leads a process group of its own and is killed by the kernel when the thread that started it ends, so
//! a killed agent leaves no build running; what children started themselves needs [`Program::guarded`]. No descriptor
//! beyond 0, 1 and 2 reaches a child unless it is passed.

mod ending;
mod finished;
mod group;
mod guardian;
mod lines;
mod number;
mod prepare;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

pub use self::ending::{Followed, ending, followed, is_ending, kill_followed_children};
pub use self::finished::Finished;
pub use self::group::{ask_to_end, end_group, kill, kill_group};
pub use self::guardian::Guardian;
pub use self::number::{is_alive, number_space};
pub(crate) use self::prepare::{close_beyond_standard, receive_every_signal};
use crate::jobs::JobServer;
use crate::users::Account;

/// How to start a child process.
#[derive(Debug, Clone)]
pub struct Program {
    path: Utf8PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    inherit_environment: bool,
    directory: Option<Utf8PathBuf>,
    account: Option<Account>,
    umask: Option<u32>,
    jobs: Option<Arc<JobServer>>,
    is_guarded: bool,
}

impl Program {
    /// A program with no arguments, an empty environment, standard input closed, and the caller's user and directory.
    #[must_use]
    pub fn new(path: impl Into<Utf8PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            inherit_environment: false,
            directory: None,
            account: None,
            umask: None,
            jobs: None,
            is_guarded: false,
        }
    }

    /// The program's path.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether a directory was set to run it in.
    #[must_use]
    pub fn has_directory(&self) -> bool {
        self.directory.is_some()
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Sets variables of the environment.
    #[must_use]
    pub fn envs<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Starts from this process's environment instead of an empty one.
    #[must_use]
    pub fn inherit_env(mut self) -> Self {
        self.inherit_environment = true;
        self
    }

    /// Runs it in `directory`.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<Utf8PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs it as `account`, with all its groups. Without effect when this process already is that user.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = Some(account);
        self
    }

    /// Sets the umask of the child.
    #[must_use]
    pub fn umask(mut self, umask: u32) -> Self {
        self.umask = Some(umask);
        self
    }

    /// Lets it, and what it starts, take jobs from `server`; `makeflags` is what its `MAKEFLAGS` would be without.
    #[must_use]
    pub fn jobs(mut self, server: &Arc<JobServer>, makeflags: &str) -> Self {
        self.environment.insert("MAKEFLAGS".into(), server.makeflags(makeflags).into());
        self.jobs = Some(Arc::clone(server));
        self
    }

    /// Ends it with everything that it started even when this process is killed, for what must not go on working without
    /// us: the kernel ends only what we have started ourselves. Counts for [`Program::run`].
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.is_guarded = true;
        self
    }

    /// What was set for a variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&std::ffi::OsStr> {
        self.environment.get(std::ffi::OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The command line, for messages.
    #[must_use]
    pub fn command_line(&self) -> String {
        let mut line = self.path.to_string();
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(&argument.to_string_lossy());
        }
        line
    }
}

/// The umask of this process, read without changing it even for a moment.
#[must_use]
pub fn umask() -> u32 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()).unwrap_or(0o022)
}
