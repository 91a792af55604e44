//! Running the build engine on one directory, as the owner of that directory, in a clean environment.
//!
//! The engine is a child and may be any program with the command line of buildout. Its output is the only thing known
//! of it: it is followed line by line for whoever watches, and kept whole for the report of a failure.

mod narration;
mod orphans;

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::process::Program;
use host::users::Account;

use crate::Node;
use crate::outcome::with_causes;
use narration::Narration;
pub(crate) use narration::tail;
pub(crate) use orphans::{end_orphans, end_own};

/// File mode mask of everything that is built.
const UMASK: u32 = 0o027;

/// One run of the engine.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    /// What is built, as events name it: address of a release or name of a partition.
    pub(crate) subject: String,
    /// Where it is built; also the home of the child, and its owner is the child's user.
    pub(crate) directory: Utf8PathBuf,
    /// Program and its first arguments, before those of this build.
    pub(crate) engine: Vec<OsString>,
    /// Arguments of this build.
    pub(crate) arguments: Vec<OsString>,
    /// Time given to it.
    pub(crate) limit: Option<Duration>,
    /// Whether the child owns the terminal; nothing is captured then.
    pub(crate) attached: bool,
}

/// A build that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The engine ran and failed, or was out of time.
    #[error("Failed to run buildout profile in directory '{directory}': {}", narration::reason(output).unwrap_or(verdict))]
    Failed {
        /// Where it ran.
        directory: Utf8PathBuf,
        /// How it ended.
        verdict: String,
        /// Everything that it wrote.
        output: String,
    },
    /// The engine could not be started.
    #[error("Failed to run buildout profile in directory '{directory}': cannot start `{program}`")]
    NotStarted {
        /// Where it was to run.
        directory: Utf8PathBuf,
        /// The engine.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The directory's owner may not run builds, or is unknown.
    #[error("nothing can be built in '{directory}' as its owner")]
    Owner {
        /// The directory.
        directory: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl BuildError {
    /// The whole output, as far as there is any.
    #[must_use]
    pub fn output(&self) -> &str {
        match self {
            Self::Failed { output, .. } => output,
            Self::NotStarted { .. } | Self::Owner { .. } => "",
        }
    }

    /// Stable code of the failure: that of the engine's message when it ends with one.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Failed { output, .. } if is_disk_full(output) => "E-disk-full",
            Self::Failed { output, .. } => narration::code(output).unwrap_or("E-build-failed"),
            Self::NotStarted { .. } => "E-build-engine-missing",
            Self::Owner { .. } => "E-partition-owner",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Failed { output, directory, .. } if is_disk_full(output) => Some(format!(
                "free space on the file system of {directory}; the next pass continues where this one ended"
            )),
            Self::Failed { output, .. } => narration::hint(output).map(str::to_owned),
            Self::NotStarted { .. } => {
                Some("check the command line of the build engine in the configuration".to_owned())
            }
            Self::Owner { directory, .. } => {
                Some(format!("give {directory} to the user it belongs to: slapos node format"))
            }
        }
    }
}

/// A failure that may be that of a build.
pub(crate) trait Failure: std::error::Error + Sized {
    /// The build that failed, if it was one.
    fn build(&self) -> Option<&BuildError>;

    /// What the build wrote.
    fn output(&self) -> &str {
        self.build().map_or("", BuildError::output)
    }

    /// What a person is told: the engine's own words, where it gives any.
    fn for_people(&self) -> String {
        narration::reason(self.output()).map_or_else(|| with_causes(self), str::to_owned)
    }

    /// What the master keeps: everything.
    fn for_master(&self) -> String {
        match self.output() {
            "" => with_causes(self),
            output => format!("{self}:\n{output}\n"),
        }
    }
}

fn is_disk_full(output: &str) -> bool {
    // The words of the C library for ENOSPC and EDQUOT, whichever program of the build met them.
    output.contains("No space left on device") || output.contains("Disk quota exceeded")
}

impl Build {
    /// Runs it to its end.
    ///
    /// # Errors
    /// Anything but success; the directory is then as far as the engine came, and another run continues from there.
    pub(crate) fn run(&self, node: &Node, log: &mut dyn FnMut(&str)) -> Result<(), BuildError> {
        end_orphans(&self.directory);
        let program = self.program(node)?;
        let not_started = |source| BuildError::NotStarted {
            directory: self.directory.clone(),
            program: program.path().to_string(),
            source,
        };
        tracing::debug!(command = %program.command_line(), directory = %self.directory, "building");
        if self.attached {
            let status = program.run_attached().map_err(not_started)?;
            return if status.success() {
                Ok(())
            } else {
                Err(self.failed(status.to_string(), String::new()))
            };
        }
        let mut narration = Narration::new(node, &self.subject);
        let finished = program
            .run(self.limit, &mut |line| {
                tracing::info!("{line}");
                log(line);
                narration.line(line);
            })
            .map_err(not_started)?;
        if finished.success() {
            narration.finished();
            Ok(())
        } else {
            end_own(&self.directory);
            Err(self.failed(finished.verdict(), finished.text()))
        }
    }

    fn failed(&self, verdict: String, output: String) -> BuildError {
        BuildError::Failed { directory: self.directory.clone(), verdict, output }
    }

    fn program(&self, node: &Node) -> Result<Program, BuildError> {
        let mut words = self.engine.iter();
        let path = words.next().and_then(|path| path.to_str()).ok_or_else(|| BuildError::NotStarted {
            directory: self.directory.clone(),
            program: String::new(),
            source: io::Error::new(io::ErrorKind::InvalidInput, "the configured command line is empty"),
        })?;
        let mut program = Program::new(path)
            .args(words.cloned())
            .args(self.arguments.iter().cloned())
            .directory(&self.directory)
            .umask(UMASK)
            .envs(node.environment.variables())
            .env("HOME", self.directory.as_str())
            .env("PYTHONNOUSERSITE", "true")
            .env("SLAPGRID_INSTANCE_ROOT", node.configuration.instance_root.as_str());
        if let Some(mark) = orphans::mark(&self.directory) {
            program = program.env(orphans::MARK, mark);
        }
        if let Some(cache) = &node.configuration.cache_directory {
            program = program.env("SLAPOS_CACHE", cache.as_str());
        }
        if let Some(account) = account_of(&self.directory)
            .map_err(|source| BuildError::Owner { directory: self.directory.clone(), source })?
        {
            program = program.account(account);
        }
        Ok(program)
    }
}

/// Who children working in `directory` run as: its owner when this process is root, else nobody but this process.
///
/// # Errors
/// The owner is root, or unknown: nothing is built or run as root.
pub(crate) fn account_of(directory: &Utf8Path) -> io::Result<Option<Account>> {
    if !host::users::is_root() {
        return Ok(None);
    }
    let account = Account::owner_of(directory)?;
    if account.uid == 0 || account.gid == 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{directory} belongs to user {} and group {}: nothing is run as root",
                account.uid, account.gid
            ),
        ));
    }
    Ok(Some(account))
}
