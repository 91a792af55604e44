//! What an interpreter says of itself, and how it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{PythonError, run_script};

/// How long an interpreter may take to describe itself.
const LIMIT: Duration = Duration::from_secs(30);
const SCRIPT: &str = include_str!("facts.py");

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

/// Starts the interpreter and lets it describe itself.
pub(super) fn ask(path: &Utf8Path) -> Result<Facts, PythonError> {
    let answer = run_script(path, &["-I", "-S", "-B"], SCRIPT, &[], LIMIT)?;
    serde_json::from_str(&answer).map_err(|source| PythonError::Unusable { path: path.to_owned(), source })
}
