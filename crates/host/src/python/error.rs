//! Why there is no usable interpreter, and what to do about it.

use std::io;

use camino::Utf8PathBuf;

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
