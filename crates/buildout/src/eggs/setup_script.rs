//! Setup scripts of source directories, run by the Python of the build with its setuptools: as they are, or to leave a
//! link to their directory, which is all that the development mode installs; extensions are built beside their sources.

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::process::Finished;
use host::python::PythonError;

use super::build::EggBuild;
use super::error::EggError;
use super::name::ProjectName;
use super::source::Builder;

/// Runs a setup script with setuptools imported before it, and may leave a link to its directory.
const DRIVER: &str = include_str!("../../../../python/slapos_bridge/setup_script.py");
/// The code with which the driver ends when the interpreter has no setuptools.
const NO_SETUPTOOLS: i32 = 96;
/// The distribution that setup scripts need.
const SETUPTOOLS: &str = "setuptools";

/// A setup script, and how it is run.
pub(crate) struct SetupScript<'a> {
    /// Where it is.
    pub(crate) path: &'a Utf8Path,
    /// What it is told: all of its arguments, or those before what makes the link.
    pub(crate) words: &'a [String],
    /// What setuptools is told, and what is to be importable.
    pub(crate) build: &'a EggBuild,
    /// Whether what it prints is the output of this build, at once. Otherwise an error has it.
    pub(crate) is_attached: bool,
}

impl Builder<'_> {
    /// Runs a setup script in its directory.
    ///
    /// # Errors
    /// It fails, or there is no setuptools for it.
    pub(super) fn run_script(&self, script: &SetupScript<'_>) -> Result<(), EggError> {
        self.drive(script, &["run", script.path.as_str()], None).map(drop)
    }

    /// Makes an egg of a source directory in `target`, by the setuptools of the interpreter and its `settings`.
    ///
    /// # Errors
    /// As [`Self::run_script`].
    pub(super) fn make_egg(
        &self,
        source: &Utf8Path,
        build: &EggBuild,
        settings: Option<&Utf8Path>,
        target: &Utf8Path,
    ) -> Result<(), EggError> {
        let path = source.join("setup.py");
        let words = ["-q", "bdist_egg", "--dist-dir", target.as_str()].map(str::to_owned);
        let script = SetupScript { path: &path, words: &words, build, is_attached: false };
        self.drive(&script, &["run", path.as_str()], settings).map(drop)
    }

    /// Leaves a link to the directory of a setup script in `target`, which is empty; gives the link.
    ///
    /// # Errors
    /// As [`Self::run_script`]; and a script that makes none.
    pub(super) fn link(&self, script: &SetupScript<'_>, target: &Utf8Path) -> Result<Utf8PathBuf, EggError> {
        let text = script.build.settings_for_setuptools();
        let settings = text.as_ref().map(|_| target.join("setuptools.cfg"));
        if let (Some(text), Some(settings)) = (text, &settings) {
            let failed = |source| EggError::Io { action: "write", path: settings.clone(), source };
            files::replace_unsynced(settings, text, 0o644).map_err(failed)?;
        }
        let how = ["develop", script.path.as_str(), target.as_str()];
        let output = self.drive(script, &how, settings.as_deref())?;
        let mut links = target.read_dir_utf8().into_iter().flatten().filter_map(|entry| {
            let path = entry.ok()?.into_path();
            (path.extension() == Some("egg-link")).then_some(path)
        });
        match (links.next(), links.next()) {
            (Some(link), None) => Ok(link),
            _ => Err(failed(script, "no link to its directory".to_owned(), output)),
        }
    }

    /// Runs the driver, with the setuptools that is pinned; without a pin with that of the interpreter if it has one.
    /// Gives what was printed and not shown.
    fn drive(
        &self,
        script: &SetupScript<'_>,
        how: &[&str],
        settings: Option<&Utf8Path>,
    ) -> Result<String, EggError> {
        let setuptools = [SETUPTOOLS.to_owned()];
        let is_pinned = self.settings.pins.keys().any(|name| ProjectName::new(name).as_str() == SETUPTOOLS);
        let mut wanted = script.build.setup_eggs.clone();
        if is_pinned {
            wanted.extend_from_slice(&setuptools);
        }
        let mut path = if wanted.is_empty() { Vec::new() } else { (self.provide)(&wanted)? };
        let mut finished = self.drive_once(script, how, settings, &path)?;
        if finished.status.code() == Some(NO_SETUPTOOLS) && !is_pinned {
            path.extend((self.provide)(&setuptools)?);
            finished = self.drive_once(script, how, settings, &path)?;
        }
        if finished.success() {
            return Ok(finished.text());
        }
        Err(failed(script, finished.verdict(), finished.text()))
    }

    fn drive_once(
        &self,
        script: &SetupScript<'_>,
        how: &[&str],
        settings: Option<&Utf8Path>,
        path: &[Utf8PathBuf],
    ) -> Result<Finished, EggError> {
        let mut program = self.program(script.build, path).args(["-c", DRIVER]);
        program = program.args(how.iter().copied()).args(script.words);
        if let Some(settings) = settings {
            program = program.env("DIST_EXTRA_CONFIG", settings.as_str());
        }
        let finished = if script.is_attached {
            let status = program.run_attached();
            status.map(|status| Finished { status, output: Vec::new(), timed_out: false })
        } else {
            program.run(Some(self.limit), &mut |_| {})
        };
        finished.map_err(|source| {
            EggError::Python(PythonError::Run { path: self.python.path().to_owned(), source })
        })
    }
}

fn failed(script: &SetupScript<'_>, verdict: String, output: String) -> EggError {
    let output = (!script.is_attached).then_some(output);
    EggError::SetupScript { script: script.path.to_owned(), verdict, output }
}
