//! Source archives: each becomes a wheel in a child process, by way of pip, and is then installed like any wheel.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::python::Interpreter;
use sha2::{Digest, Sha256};

use super::error::EggError;
use super::index::pip::FIND_PIP;
use super::install::{HashWriter, hex};
use crate::{EggSettings, unfinished};

/// How long one build may take.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);
/// How much of the builder's output an error shows.
const LAST_LINES: usize = 20;

/// Builds wheels from source archives.
pub(super) struct Builder<'a> {
    /// The interpreter to build for.
    pub python: &'a Interpreter,
    /// The environment of the builder.
    pub settings: &'a EggSettings,
    /// Directory that keeps the wheels built before.
    pub cache: &'a Utf8Path,
    /// The index that the build's own requirements come from, if the profile names one.
    pub index: Option<&'a str>,
}

impl Builder<'_> {
    /// Builds a wheel, or finds the one that was built from the same archive for the same interpreter.
    ///
    /// # Errors
    /// The archive does not build, or there is no pip to build it with.
    pub(super) fn build(&self, archive: &Utf8Path) -> Result<Utf8PathBuf, EggError> {
        let directory = self.cache.join(self.key(archive)?);
        if let Some(wheel) = wheel_in(&directory) {
            return Ok(wheel);
        }
        let failed = |source| EggError::Io { action: "write", path: directory.clone(), source };
        files::ensure_directory(self.cache, 0o755).map_err(failed)?;
        let scratch = unfinished::directory_in(self.cache).map_err(failed)?;
        let target = Utf8PathBuf::try_from(scratch.path().join("wheel"))
            .map_err(|error| failed(std::io::Error::other(error)))?;
        self.run_pip(archive, &target)?;
        if wheel_in(&target).is_none() {
            let verdict = "no wheel".to_owned();
            return Err(EggError::Build { what: archive.to_string(), verdict, output: String::new() });
        }
        if let Err(source) = fs::rename(&target, &directory)
            && !directory.is_dir()
        {
            return Err(failed(source));
        }
        wheel_in(&directory).ok_or_else(|| failed(std::io::Error::from(std::io::ErrorKind::NotFound)))
    }

    fn run_pip(&self, archive: &Utf8Path, target: &Utf8Path) -> Result<(), EggError> {
        let script = format!(
            "{FIND_PIP}\nimport runpy\nsys.argv[0] = 'pip'\nrunpy.run_module('pip', run_name='__main__', alter_sys=True)\n"
        );
        let check = self.python.run(FIND_PIP, &[], Duration::from_secs(60));
        if check.is_err() {
            return Err(EggError::NoBuilder { what: archive.to_string() });
        }
        let mut program = self
            .python
            .program()
            .inherit_env()
            .envs(&self.settings.environment)
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .args(["-c", script.as_str(), "wheel", "--no-deps", "--quiet", "--wheel-dir", target.as_str()]);
        if let Some(index) = self.index {
            program = program.args(["--index-url", index]);
        }
        for place in &self.settings.find_links {
            program = program.args(["--find-links", place.as_str()]);
        }
        let finished =
            program.arg(archive.as_str()).run(Some(BUILD_LIMIT), &mut |_| {}).map_err(|source| {
                EggError::Python(host::python::PythonError::Run {
                    path: self.python.path().to_owned(),
                    source,
                })
            })?;
        if finished.success() {
            return Ok(());
        }
        let output = finished.text();
        let lines: Vec<&str> = output.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        Err(EggError::Build { what: archive.to_string(), verdict: finished.verdict(), output: last })
    }

    fn key(&self, archive: &Utf8Path) -> Result<String, EggError> {
        let failed = |source| EggError::Io { action: "read", path: archive.to_owned(), source };
        let facts = self.python.facts();
        let mut hash = Sha256::new();
        hash.update(format!(
            "{} {} {:?}\n",
            self.python.short_version(),
            facts.platform,
            facts.extension_suffix
        ));
        std::io::copy(&mut fs::File::open(archive).map_err(failed)?, &mut HashWriter(&mut hash))
            .map_err(failed)?;
        Ok(hex(&hash.finalize()))
    }
}

fn wheel_in(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let entries = directory.read_dir_utf8().ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.into_path())).find(|path| path.extension() == Some("whl"))
}
