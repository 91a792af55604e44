//! Source directories in development mode: a link is all that is installed, and extensions are built beside their sources.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::process::Finished;
use host::python::PythonError;

use super::build::EggBuild;
use super::error::EggError;
use super::source::Builder;
use crate::unfinished;

/// Runs a setup script and leaves a link to its directory.
const DRIVER: &str = include_str!("../../../../python/slapos_bridge/setup_script.py");
/// The code with which the driver ends when the interpreter has no setuptools.
const NO_SETUPTOOLS: i32 = 96;

impl Builder<'_> {
    /// Links to the directory of a setup script from `links`; gives the link.
    ///
    /// # Errors
    /// The script fails, or there is no setuptools for it.
    pub(super) fn develop(
        &self,
        script: &Utf8Path,
        build: &EggBuild,
        links: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        let failed = |source| EggError::Io { action: "write", path: links.to_owned(), source };
        files::ensure_directory(links, 0o755).map_err(failed)?;
        let scratch = unfinished::directory_in(links).map_err(failed)?;
        let scratch = Utf8Path::from_path(scratch.path())
            .ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        let mut path =
            if build.setup_eggs.is_empty() { Vec::new() } else { (self.provide)(&build.setup_eggs)? };
        let mut finished = self.run_driver(script, build, &path, scratch)?;
        if finished.status.code() == Some(NO_SETUPTOOLS) {
            path.extend((self.provide)(&["setuptools".to_owned()])?);
            finished = self.run_driver(script, build, &path, scratch)?;
        }
        let made = link_in(scratch).filter(|_| finished.success()).ok_or_else(|| EggError::Build {
            what: script.to_string(),
            verdict: if finished.success() { "no link".to_owned() } else { finished.verdict() },
            output: finished.text(),
        })?;
        let link = links.join(made.file_name().unwrap_or_default());
        fs::rename(&made, &link).map_err(failed)?;
        Ok(link)
    }

    fn run_driver(
        &self,
        script: &Utf8Path,
        build: &EggBuild,
        path: &[Utf8PathBuf],
        target: &Utf8Path,
    ) -> Result<Finished, EggError> {
        let mut program =
            self.program(build, path).args(["-c", DRIVER, "develop", script.as_str(), target.as_str(), "-q"]);
        if let Some(text) = build.settings_for_setuptools() {
            let settings = target.join("setuptools.cfg");
            files::replace_unsynced(&settings, text, 0o644).map_err(|source| EggError::Io {
                action: "write",
                path: settings.clone(),
                source,
            })?;
            program = program.env("DIST_EXTRA_CONFIG", settings.as_str());
        }
        program.run(None, &mut |_| {}).map_err(|source| {
            EggError::Python(PythonError::Run { path: self.python.path().to_owned(), source })
        })
    }
}

fn link_in(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let entries = directory.read_dir_utf8().ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .find(|path| path.extension() == Some("egg-link"))
}
