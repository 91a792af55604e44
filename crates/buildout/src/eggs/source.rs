//! Source archives: each becomes a wheel in a child process, by way of pip, and is then installed like any wheel.
//!
//! The build runs in the Python of the profile. What it needs is installed as eggs, under the pins, and put into its
//! path; pip fetches nothing, except in the dialect of zc.buildout, where it isolates builds. What has a setup script
//! alone and an interpreter without `wheel` becomes an egg there: pip would want an index with setuptools.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::process::{Finished, Program};
use host::python::{Interpreter, PythonError};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use shacache::hexadecimal;

use super::build::EggBuild;
use super::error::EggError;
use super::index::pip::FIND_PIP;
use super::install::HashWriter;
use super::name::ProjectName;
use super::requirement::Requirement;
use crate::{EggSettings, unfinished};

/// How long one build may take, unless somebody knows better.
pub(super) const BUILD_LIMIT: Duration = Duration::from_secs(3600);
/// Unpacks, patches, and tells what the build needs.
const PREPARE: &str = include_str!("../../../../python/slapos_bridge/prepare_source.py");
const RUN_PIP: &str =
    "import runpy\nsys.argv[0] = 'pip'\nrunpy.run_module('pip', run_name='__main__', alter_sys=True)\n";

/// The distribution by which setuptools makes wheels, and the directory for them in that of the build.
const WHEEL: &str = "wheel";
/// The file with settings for setuptools, in the directory of the build.
const SETTINGS: &str = "setuptools.cfg";

/// Installs requirements and gives the directories in which they are.
pub(super) type Provide<'a> = dyn Fn(&[String]) -> Result<Vec<Utf8PathBuf>, EggError> + Sync + 'a;

/// Builds wheels from source archives.
pub(super) struct Builder<'a> {
    /// The interpreter to build for.
    pub python: &'a Interpreter,
    /// The environment of the builder, and where isolated builds find what they need.
    pub settings: &'a EggSettings,
    /// Directory that keeps the wheels built before.
    pub cache: &'a Utf8Path,
    /// Installs what a build needs.
    pub provide: &'a Provide<'a>,
    /// How long one build may take.
    pub limit: Duration,
}

/// What became of an archive before it is built.
#[derive(Deserialize)]
struct Prepared {
    source: Utf8PathBuf,
    /// Whether it has no word of what builds it: then it is the setup script, with setuptools.
    is_script: bool,
    requires: Vec<String>,
    missing: Vec<String>,
}

impl Prepared {
    /// Whether it has to be built by the setuptools of the interpreter, which could make everything but a wheel.
    fn makes_no_wheel(&self) -> bool {
        self.is_script && self.missing == [WHEEL]
    }
}

impl Builder<'_> {
    /// Builds a wheel (or an egg), or finds the one that was built from the same archive in the same way for the same
    /// interpreter.
    ///
    /// # Errors
    /// The archive does not build, or there is no pip to build it with.
    pub(super) fn build(&self, archive: &Utf8Path, build: &EggBuild) -> Result<Utf8PathBuf, EggError> {
        let mut path =
            if build.setup_eggs.is_empty() { Vec::new() } else { (self.provide)(&build.setup_eggs)? };
        let directory = self.cache.join(self.key(archive, build, &path)?);
        if let Some(made) = made_in(&directory) {
            return Ok(made);
        }
        let failed = |source| EggError::Io { action: "write", path: directory.clone(), source };
        files::ensure_directory(self.cache, 0o755).map_err(failed)?;
        let scratch = unfinished::directory_in(self.cache).map_err(failed)?;
        let scratch = Utf8Path::from_path(scratch.path())
            .ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        let target = scratch.join(WHEEL);
        let prepared = self.prepare(archive, build, &path, &scratch.join("source"))?;
        let wanted = if self.is_isolated() { Vec::new() } else { self.to_provide(&prepared) };
        if !wanted.is_empty() {
            path.extend((self.provide)(&wanted)?);
        }
        let settings = scratch.join(SETTINGS);
        if let Some(text) = build.settings_for_setuptools() {
            files::replace_unsynced(&settings, text, 0o644).map_err(failed)?;
        }
        if self.is_isolated() && prepared.makes_no_wheel() {
            let settings = Some(&*settings).filter(|path| path.is_file());
            self.make_egg(&prepared.source, build, settings, &target)?;
        } else {
            self.run_pip(archive, &prepared.source, build, &path, scratch)?;
        }
        if made_in(&target).is_none() {
            let verdict = "no wheel".to_owned();
            return Err(EggError::Build { what: archive.to_string(), verdict, output: String::new() });
        }
        if let Err(source) = fs::rename(&target, &directory)
            && !directory.is_dir()
        {
            return Err(failed(source));
        }
        made_in(&directory).ok_or_else(|| failed(std::io::Error::from(std::io::ErrorKind::NotFound)))
    }

    /// What a build is to find before what the interpreter has: what that does not have, and what the profile pins.
    fn to_provide(&self, prepared: &Prepared) -> Vec<String> {
        let pinned: Vec<ProjectName> = self.settings.pins.keys().map(|name| ProjectName::new(name)).collect();
        let is_pinned = |text: &str| {
            text.parse::<Requirement>().is_ok_and(|requirement| pinned.contains(&requirement.project))
        };
        let is_wanted = |text: &&String| prepared.missing.contains(text) || is_pinned(text);
        prepared.requires.iter().filter(is_wanted).cloned().collect()
    }

    fn is_isolated(&self) -> bool {
        self.settings.one_at_a_time
    }

    fn prepare(
        &self,
        archive: &Utf8Path,
        build: &EggBuild,
        path: &[Utf8PathBuf],
        directory: &Utf8Path,
    ) -> Result<Prepared, EggError> {
        if self.python.run(FIND_PIP, &[], Duration::from_secs(60)).is_err() {
            return Err(EggError::NoBuilder { what: archive.to_string() });
        }
        let order = json!({
            "archive": archive, "directory": directory, "patches": build.patches, "patch": build.patch_command,
        });
        let script = format!("{FIND_PIP}\n{PREPARE}");
        let program = self.program(build, path).args(["-c".to_owned(), script, order.to_string()]);
        let finished = self.finish(archive, &program)?;
        let text = finished.text();
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).map_err(|error| EggError::Build {
            what: archive.to_string(),
            verdict: format!("an answer that is none ({error})"),
            output: text.clone(),
        })
    }

    fn run_pip(
        &self,
        archive: &Utf8Path,
        source: &Utf8Path,
        build: &EggBuild,
        path: &[Utf8PathBuf],
        scratch: &Utf8Path,
    ) -> Result<(), EggError> {
        let (settings, target) = (scratch.join(SETTINGS), scratch.join(WHEEL));
        let script = format!("{FIND_PIP}\n{RUN_PIP}");
        let words = ["-c", &script, "wheel", "--no-deps", "--quiet", "--wheel-dir", target.as_str()];
        let mut program = self.program(build, path).env("PIP_DISABLE_PIP_VERSION_CHECK", "1").args(words);
        if settings.is_file() {
            program = program.env("DIST_EXTRA_CONFIG", settings.as_str());
        }
        if self.is_isolated() {
            if let Some(index) = &self.settings.index {
                program = program.args(["--index-url", index.as_str()]);
            }
            for place in &self.settings.find_links {
                program = program.args(["--find-links", place.as_str()]);
            }
        } else {
            program = program.args(["--no-build-isolation", "--no-index"]);
        }
        self.finish(archive, &program.arg(source.as_str())).map(drop)
    }

    /// The interpreter with the environment of the build, and these directories in its path.
    pub(super) fn program(&self, build: &EggBuild, path: &[Utf8PathBuf]) -> Program {
        let settings = &self.settings.environment;
        let inherited = ["PYTHONEXTRAPATH", "PYTHONPATH"].map(|name| settings.get(name).cloned());
        let path: Vec<String> = path
            .iter()
            .map(ToString::to_string)
            .chain(inherited.into_iter().flatten())
            .filter(|place| !place.is_empty())
            .collect();
        let program = self.python.program().envs(settings).envs(&build.environment);
        if path.is_empty() { program } else { program.env("PYTHONPATH", path.join(":")) }
    }

    fn finish(&self, archive: &Utf8Path, program: &Program) -> Result<Finished, EggError> {
        let finished = program.run(Some(self.limit), &mut |_| {}).map_err(|source| {
            EggError::Python(PythonError::Run { path: self.python.path().to_owned(), source })
        })?;
        if finished.success() {
            return Ok(finished);
        }
        let (what, verdict, output) = (archive.to_string(), finished.verdict(), finished.text());
        Err(EggError::Build { what, verdict, output })
    }

    /// What decides the wheel.
    fn key(&self, archive: &Utf8Path, build: &EggBuild, path: &[Utf8PathBuf]) -> Result<String, EggError> {
        let facts = self.python.facts();
        let mut hash = Sha256::new();
        let version = self.python.short_version();
        hash.update(format!("{version} {} {:?}\n{path:?}\n", facts.platform, facts.extension_suffix));
        hash.update(format!("{:?} {:?}\n", build.settings_for_setuptools(), build.environment));
        hash.update(format!("{:?}\n", build.patch_command));
        for file in std::iter::once(archive).chain(build.patches.iter().map(|path| path.as_path())) {
            let failed = |source| EggError::Io { action: "read", path: file.to_owned(), source };
            std::io::copy(&mut fs::File::open(file).map_err(failed)?, &mut HashWriter(&mut hash))
                .map_err(failed)?;
        }
        Ok(hexadecimal(&hash.finalize()))
    }
}

/// The wheel or egg in the directory of one build.
fn made_in(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut entries = directory.read_dir_utf8().ok()?.filter_map(|entry| Some(entry.ok()?.into_path()));
    entries.find(|path| matches!(path.extension(), Some("whl" | "egg")))
}
