//! The interpreter of the machine, as builds ask for it.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::python::Interpreter;

use super::error::EggError;
use crate::{PythonError, PythonFacts, PythonSource};

/// Finds the Python of a build on the machine and keeps what it says of itself.
#[derive(Debug, Clone, Default)]
pub struct HostPython {
    /// The interpreter to use; none means the first `python3` of the search path that this user may execute.
    pub given: Option<Utf8PathBuf>,
    /// Directories to search, separated by colons.
    pub search_path: String,
    /// Directory that keeps descriptions of interpreters.
    pub cache: Option<Utf8PathBuf>,
}

impl PythonSource for HostPython {
    fn executable(&self) -> Result<Utf8PathBuf, PythonError> {
        Ok(Interpreter::discover(self.given.as_deref(), &self.search_path, self.cache.as_deref())?
            .path()
            .to_owned())
    }

    fn facts(&self, executable: &Utf8Path) -> Result<PythonFacts, PythonError> {
        let python = Interpreter::discover(Some(executable), "", self.cache.as_deref())?;
        let facts = python.facts();
        let marker = |name: &str| facts.markers.get(name).cloned().unwrap_or_default();
        let mut numbers = facts.version.split('.').map(|number| number.parse().unwrap_or(0));
        Ok(PythonFacts {
            version: std::array::from_fn(|_| numbers.next().unwrap_or(0)),
            release_level: facts.release_level.clone(),
            implementation: marker("platform_python_implementation"),
            sys_platform: marker("sys_platform"),
            os_name: marker("os_name"),
            machine: marker("platform_machine"),
            system: marker("platform_system"),
            release: marker("platform_release"),
            platform_version: marker("platform_version"),
            bits: facts.bits,
            big_endian: facts.big_endian,
        })
    }
}

/// How long pip may take to tell its own index.
const INDEX_LIMIT: Duration = Duration::from_secs(60);

/// Makes pip importable, from the wheel that comes with Python if it is not installed.
pub(super) const FIND_PIP: &str = "
import glob, os, sys
try:
    import pip
except ImportError:
    places = [os.path.join(os.path.dirname(os.__file__), 'ensurepip', '_bundled'), '/usr/share/python-wheels']
    sys.path[:0] = sorted(wheel for place in places for wheel in glob.glob(os.path.join(place, 'pip-*.whl')))[-1:]
    import pip
";

/// The index that pip asks when nothing is configured, as pip itself says.
///
/// # Errors
/// There is no pip, or it does not say.
pub(super) fn default_index(python: &Interpreter) -> Result<String, EggError> {
    let script = format!("{FIND_PIP}\nfrom pip._internal.models.index import PyPI\nprint(PyPI.simple_url)\n");
    let answer =
        python.run(&script, &[], INDEX_LIMIT).map_err(|error| EggError::NoIndex { source: Some(error) })?;
    match answer.trim() {
        "" => Err(EggError::NoIndex { source: None }),
        index => Ok(index.to_owned()),
    }
}
