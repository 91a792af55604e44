//! Python interpreters: finding one, asking it once what it is, and running scripts in it.
//!
//! What an interpreter says of itself is kept in a small file, so that repeated builds start no Python.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use nix::unistd::AccessFlags;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::process::Program;

/// How long an interpreter may take to describe itself.
const FACTS_LIMIT: Duration = Duration::from_secs(30);
/// Raised when [`Facts`] gains a field, so that older cache files are asked again.
const CACHE_FORMAT: u32 = 2;
const FACTS_SCRIPT: &str = include_str!("python_facts.py");

/// Why there is no usable interpreter, or why a script did not give its answer.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// No directory of the search path has a `python3` that this user may execute.
    #[error("no `python3` that this user may execute in {search_path}")]
    Missing {
        /// The directories searched, separated by colons.
        search_path: String,
    },
    /// The interpreter that was named does not exist or may not be executed.
    #[error("this user may not execute the Python interpreter `{path}`")]
    NotExecutable {
        /// The path that was given.
        path: Utf8PathBuf,
    },
    /// The process could not be started or followed.
    #[error("failed to run `{path}`")]
    Run {
        /// The interpreter.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The script ended in another way than with code 0.
    #[error("a script of this program failed in `{path}` with {verdict}")]
    Script {
        /// The interpreter.
        path: Utf8PathBuf,
        /// How it ended.
        verdict: String,
        /// What it printed.
        output: String,
    },
    /// The interpreter answered something else than its description.
    #[error("`{path}` does not answer like a Python 3 interpreter")]
    Unusable {
        /// The interpreter.
        path: Utf8PathBuf,
        /// Why its answer was not understood.
        source: serde_json::Error,
    },
}

impl PythonError {
    /// The code by which manuals and scripts know this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NotExecutable { .. } => "E-bridge-python-missing",
            Self::Run { .. } | Self::Script { .. } | Self::Unusable { .. } => "E-bridge-python-failed",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } => "install it with `apt install python3`".to_owned(),
            Self::NotExecutable { path } => {
                format!(
                    "give every user access to `{path}`, or remove it from the configuration and `apt install python3`"
                )
            }
            Self::Run { path, .. } | Self::Script { path, .. } | Self::Unusable { path, .. } => {
                format!("run `{path} -V` by hand; when it is broken, `apt install --reinstall python3`")
            }
        }
    }
}

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The interpreter's own path, as it writes it in scripts.
    pub executable: Utf8PathBuf,
    /// `3.11.2`
    pub version: String,
    /// `final` and 0, or `alpha`, `beta`, `candidate` and which.
    pub release_level: (String, u32),
    /// Bits of a pointer.
    pub bits: u32,
    /// Whether the machine is big-endian.
    pub big_endian: bool,
    /// First number of the version.
    pub major: u32,
    /// Second number of the version.
    pub minor: u32,
    /// Its installation prefix, or that of its virtual environment.
    pub prefix: Utf8PathBuf,
    /// The directories of installed packages that exist.
    pub site_directories: Vec<Utf8PathBuf>,
    /// `linux-x86_64`
    pub platform: String,
    /// Suffix of extension modules, `.cpython-311-x86_64-linux-gnu.so`
    pub extension_suffix: Option<String>,
    /// Version of the GNU C library, when it is the one in use.
    pub glibc: Option<String>,
    /// The variables of environment markers, by name.
    pub markers: BTreeMap<String, String>,
}

/// An interpreter that this user may execute, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    facts: Facts,
}

#[derive(Serialize, Deserialize)]
struct Cached {
    format: u32,
    asked: Stamp,
    executable: Stamp,
    facts: Facts,
}

/// What identifies a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    path: Utf8PathBuf,
    size: u64,
    modified_ns: i128,
}

impl Stamp {
    fn of(path: &Utf8Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Some(Self { path: path.to_owned(), size: metadata.size(), modified_ns })
    }
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
        if let Some(facts) = cache_file.as_deref().and_then(|file| read_cache(file, &path)) {
            return Ok(Self { facts });
        }
        let facts = ask(&path)?;
        if let Some(file) = cache_file {
            write_cache(&file, &path, &facts);
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

fn ask(path: &Utf8Path) -> Result<Facts, PythonError> {
    let answer = run_script(path, &["-I", "-S", "-B"], FACTS_SCRIPT, &[], FACTS_LIMIT)?;
    serde_json::from_str(&answer).map_err(|source| PythonError::Unusable { path: path.to_owned(), source })
}

/// Whether the path is a file that the effective user may execute, all its directories included.
fn may_execute(path: &Utf8Path) -> bool {
    path.is_file() && nix::unistd::eaccess(path.as_std_path(), AccessFlags::X_OK).is_ok()
}

fn read_cache(file: &Utf8Path, path: &Utf8Path) -> Option<Facts> {
    let cached: Cached = serde_json::from_str(&files::read_text_if_present(file).ok()??).ok()?;
    // The path found may be a launcher, so the interpreter behind it must be the same, too.
    let unchanged = cached.format == CACHE_FORMAT
        && Stamp::of(path).as_ref() == Some(&cached.asked)
        && Stamp::of(&cached.facts.executable).as_ref() == Some(&cached.executable)
        && may_execute(&cached.facts.executable);
    unchanged.then_some(cached.facts)
}

fn write_cache(file: &Utf8Path, path: &Utf8Path, facts: &Facts) {
    let (Some(asked), Some(executable)) = (Stamp::of(path), Stamp::of(&facts.executable)) else { return };
    let cached = Cached { format: CACHE_FORMAT, asked, executable, facts: facts.clone() };
    let written = serde_json::to_vec(&cached).map_err(io::Error::from).and_then(|text| {
        if let Some(directory) = file.parent() {
            files::ensure_directory(directory, 0o755)?;
        }
        files::replace(file, text, 0o644)
    });
    if let Err(error) = written {
        tracing::debug!(%error, "the description of the interpreter could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    fn launcher(directory: &Utf8Path, text: &str) -> Utf8PathBuf {
        let path = directory.join("python3");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_interpreter_of_the_machine_describes_itself() {
        let python = Interpreter::discover(None, SEARCH, None).unwrap();

        assert_eq!(python.facts().major, 3);
        assert_eq!(python.facts().markers["python_version"], python.short_version());
        assert_eq!(python.facts().markers["sys_platform"], "linux");
    }

    #[test]
    fn a_described_interpreter_is_not_started_again() {
        let (_guard, root) = scratch();
        let starts = root.join("starts");
        let real = Interpreter::discover(None, SEARCH, None).unwrap();
        let path =
            launcher(&root, &format!("#!/bin/sh\necho start >> {starts}\nexec {} \"$@\"\n", real.path()));
        let cache = root.join("cache");

        let first = Interpreter::discover(Some(&path), "", Some(&cache)).unwrap();
        let second = Interpreter::discover(Some(&path), "", Some(&cache)).unwrap();

        assert_eq!(first, second);
        assert_eq!(first.path(), real.path());
        assert_eq!(fs::read_to_string(&starts).unwrap(), "start\n");
    }

    #[test]
    fn a_changed_interpreter_is_asked_again() {
        let (_guard, root) = scratch();
        let real = Interpreter::discover(None, SEARCH, None).unwrap();
        let path = launcher(&root, &format!("#!/bin/sh\nexec {} \"$@\"\n", real.path()));
        let cache = root.join("cache");
        Interpreter::discover(Some(&path), "", Some(&cache)).unwrap();
        launcher(&root, "#!/bin/sh\necho no longer Python\n");

        let error = Interpreter::discover(Some(&path), "", Some(&cache)).unwrap_err();

        assert!(matches!(error, PythonError::Unusable { .. }), "{error:?}");
    }

    #[test]
    fn no_interpreter_is_an_error_with_a_remedy() {
        let (_guard, root) = scratch();

        let error = Interpreter::discover(None, root.as_str(), None).unwrap_err();

        assert_eq!(error.code(), "E-bridge-python-missing");
        assert!(error.hint().contains("apt install python3"));
    }

    #[test]
    fn a_named_interpreter_without_permission_is_refused() {
        let (_guard, root) = scratch();
        let path = root.join("python3");
        fs::write(&path, "").unwrap();

        let error = Interpreter::discover(Some(&path), SEARCH, None).unwrap_err();

        assert_eq!(error.code(), "E-bridge-python-missing");
    }

    #[test]
    fn a_script_is_stopped_at_its_limit() {
        let python = Interpreter::discover(None, SEARCH, None).unwrap();

        let error = python.run("import time; time.sleep(60)", &[], Duration::from_millis(300)).unwrap_err();

        assert!(
            matches!(&error, PythonError::Script { verdict, .. } if verdict == "out of time"),
            "{error:?}"
        );
    }

    #[test]
    fn a_script_gets_its_arguments() {
        let python = Interpreter::discover(None, SEARCH, None).unwrap();

        let answer =
            python.run("import sys; print(sys.argv[1:])", &["a b"], Duration::from_secs(30)).unwrap();

        assert_eq!(answer, "['a b']\n");
    }
}
