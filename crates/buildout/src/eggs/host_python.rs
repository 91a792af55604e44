//! What pip in the interpreter of the build knows: its own index.

use std::time::Duration;

use host::python::Interpreter;

use super::error::EggError;

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
