//! Python interpreters: finding one, asking it once what it is, and running scripts in it.
//!
//! What an interpreter says of itself is kept in a small file, so that repeated builds start no Python.

mod error;
mod facts;
mod kept;
#[cfg(test)]
mod tests;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::unistd::AccessFlags;

pub use self::error::PythonError;
pub use self::facts::Facts;
use crate::process::Program;

/// An interpreter that this user may execute, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    facts: Facts,
}

impl Interpreter {
    /// Finds an interpreter: the one that is `given`, else the first `python3` of `search_path` (directories separated
    /// by colons) that this user may execute.
    ///
    /// Its description is read from the directory `cache` when the interpreter has not changed since, and else asked
    /// from it and kept there. A cache that cannot be written costs a start each time and is no error.
    ///
    /// # Errors
    /// None is found, or it does not describe itself.
    pub fn discover(
        given: Option<&Utf8Path>,
        search_path: &str,
        cache: Option<&Utf8Path>,
    ) -> Result<Self, PythonError> {
        let path = find(given, search_path)?;
        let cache_file =
            cache.map(|directory| directory.join(format!("python{}.json", path.as_str().replace('/', "_"))));
        if let Some(facts) = cache_file.as_deref().and_then(|file| kept::read(file, &path)) {
            return Ok(Self { facts });
        }
        let facts = facts::ask(&path)?;
        if let Some(file) = cache_file {
            kept::write(&file, &path, &facts);
        }
        Ok(Self { facts })
    }

    /// An interpreter of which everything is known already.
    #[must_use]
    pub fn from_facts(facts: Facts) -> Self {
        Self { facts }
    }

    /// What it says of itself.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its path, as it is written in scripts.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.facts.executable
    }

    /// `3.11`
    #[must_use]
    pub fn short_version(&self) -> String {
        format!("{}.{}", self.facts.major, self.facts.minor)
    }

    /// A program that runs this interpreter.
    #[must_use]
    pub fn program(&self) -> Program {
        Program::new(self.path())
    }

    /// Runs `script` isolated from the user's settings and environment, and gives what it wrote on standard output.
    /// `arguments` are its `sys.argv[1:]`.
    ///
    /// # Errors
    /// The script could not be started, took longer than `limit`, or ended with another code than 0.
    pub fn run(&self, script: &str, arguments: &[&str], limit: Duration) -> Result<String, PythonError> {
        run_script(self.path(), &["-I", "-B"], script, arguments, limit)
    }
}

/// Path of the interpreter that [`Interpreter::discover`] would take; it is not started.
///
/// # Errors
/// None is found, or the one that is `given` may not be executed.
pub fn find(given: Option<&Utf8Path>, search_path: &str) -> Result<Utf8PathBuf, PythonError> {
    match given {
        Some(path) if may_execute(path) => Ok(path.to_owned()),
        Some(path) => Err(PythonError::NotExecutable { path: path.to_owned() }),
        None => search_path
            .split(':')
            .filter(|directory| !directory.is_empty())
            .map(|directory| Utf8Path::new(directory).join("python3"))
            .find(|path| may_execute(path))
            .ok_or_else(|| PythonError::Missing { search_path: search_path.to_owned() }),
    }
}

fn run_script(
    path: &Utf8Path,
    flags: &[&str],
    script: &str,
    arguments: &[&str],
    limit: Duration,
) -> Result<String, PythonError> {
    let finished = Program::new(path)
        .inherit_env()
        .args(flags.iter().copied())
        .arg("-c")
        .arg(script)
        .args(arguments.iter().copied())
        .capture(limit)
        .map_err(|source| PythonError::Run { path: path.to_owned(), source })?;
    if finished.success() {
        return Ok(finished.text());
    }
    Err(PythonError::Script { path: path.to_owned(), verdict: finished.verdict(), output: finished.text() })
}

/// Whether the path is a file that the effective user may execute, all its directories included.
fn may_execute(path: &Utf8Path) -> bool {
    path.is_file() && nix::unistd::eaccess(path.as_std_path(), AccessFlags::X_OK).is_ok()
}
