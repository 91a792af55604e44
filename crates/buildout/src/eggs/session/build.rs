//! Building: distributions as a part wants them, setup scripts, wheels of source archives.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use pep440_rs::{VersionSpecifier, VersionSpecifiers};

use super::super::at_once::locked;
use super::super::build::EggBuild;
use super::super::error::EggError;
use super::super::index::{Preferences, Search};
use super::super::requirement::Requirement;
use super::super::resolve::Wanted;
use super::super::service::Eggs;
use super::super::setup_script::SetupScript;
use super::super::source::{BUILD_LIMIT, Builder};
use super::Session;
use crate::{Level, unfinished};

/// Builds that may wait for one another.
const DEEPEST: u32 = 5;

impl Session<'_> {
    /// As [`Eggs::build`].
    ///
    /// # Errors
    /// As [`Eggs::build`].
    pub(in crate::eggs) fn build(
        mut self,
        requested: &Requirement,
        build: &EggBuild,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        let requirement = self.pins.constrain(requested)?;
        let installed = self.best_installed(&requirement);
        if let Some(installed) = &installed
            && (installed.is_linked() || requirement.only_version().is_some() || !self.settings.newest)
        {
            return Ok(installed.location.clone());
        }
        let wanted = Wanted { requirement, chain: Vec::new() };
        if self.settings.offline {
            let (requirement, chain) = (wanted.requirement.to_string(), wanted.chain);
            return Err(EggError::Offline { requirement, chain });
        }
        // The version of the patched distribution is ours; its sources have that of their author.
        let sources = match wanted.requirement.only_version() {
            Some(version) => wanted.requirement.with_versions(VersionSpecifiers::from(
                VersionSpecifier::equals_version(build.source_version(version)),
            )),
            None => wanted.requirement.clone(),
        };
        let preferences = Preferences { sources_only: true, ..self.preferences() };
        let getting =
            || self.told.tell(Level::Info, format!("Getting distribution for '{}'.", wanted.requirement));
        let archive = match self.find_in_network_cache(&sources, preferences)? {
            Some((archive, _)) => {
                getting();
                archive
            }
            None => {
                let index = self.index(&[])?;
                let search = self.search(&index, &sources, preferences)?;
                if let (Some(installed), Search::Found(candidate)) = (&installed, &search)
                    && !self.is_better(&candidate.version, &build.source_version(&installed.version))
                {
                    return Ok(installed.location.clone());
                }
                getting();
                self.download(&index, &self.found(search, &index, &wanted)?)?
            }
        };
        let made = self.build_source(&archive, build)?;
        let version = self.said_in(&made)?.0.version;
        if !version.parse().is_ok_and(|version| wanted.requirement.allows(&version)) {
            let reason = format!("it is of version {version}, and {} is needed", wanted.requirement);
            return Err(EggError::Damaged { path: made, reason });
        }
        let egg = self.destination(directory).install(&made)?;
        self.told.tell(Level::Info, format!("Got {} {version}.", wanted.requirement.written));
        if let Some(memory) = self.memory {
            locked(&memory.shelf).take();
        }
        self.fill_shelf()?;
        Ok(egg)
    }

    /// As [`Eggs::develop`].
    ///
    /// # Errors
    /// As [`Eggs::develop`].
    pub(in crate::eggs) fn develop(
        &self,
        script: &Utf8Path,
        build: &EggBuild,
    ) -> Result<Utf8PathBuf, EggError> {
        let links = &self.settings.develop_eggs_directory;
        let failed = |source| EggError::Io { action: "write", path: links.clone(), source };
        files::ensure_directory(links, 0o755).map_err(failed)?;
        let scratch = unfinished::directory_in(links).map_err(failed)?;
        let scratch = Utf8Path::from_path(scratch.path())
            .ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        let words = ["-q".to_owned()];
        let made =
            self.link(&SetupScript { path: script, words: &words, build, is_attached: false }, scratch)?;
        let link = links.join(made.file_name().unwrap_or_default());
        fs::rename(&made, &link).map_err(failed)?;
        if let Some(memory) = self.memory {
            locked(&memory.shelf).take();
        }
        Ok(link)
    }

    /// As [`Eggs::link`].
    ///
    /// # Errors
    /// As [`Eggs::link`].
    pub(in crate::eggs) fn link(
        &self,
        script: &SetupScript<'_>,
        target: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        self.with_builder(script.path, |builder| builder.link(script, target))
    }

    /// As [`Eggs::run_script`].
    ///
    /// # Errors
    /// As [`Eggs::run_script`].
    pub(in crate::eggs) fn run_script(&self, script: &SetupScript<'_>) -> Result<(), EggError> {
        self.with_builder(script.path, |builder| builder.run_script(script))
    }

    /// Makes a wheel or an egg of a source archive.
    pub(super) fn build_source(&self, archive: &Utf8Path, build: &EggBuild) -> Result<Utf8PathBuf, EggError> {
        self.with_builder(archive, |builder| builder.build(archive, build))
    }

    /// Does a build, and tells its whole output if it fails.
    fn with_builder<T>(
        &self,
        what: &Utf8Path,
        work: impl FnOnce(&Builder<'_>) -> Result<T, EggError>,
    ) -> Result<T, EggError> {
        let cache = match &self.settings.shared_store {
            Some(store) => store.join("built"),
            None => self.scratch()?.join("built"),
        };
        if self.eggs.depth >= DEEPEST {
            let (what, output) = (what.to_string(), String::new());
            return Err(EggError::Build { what, verdict: "builds that need one another".to_owned(), output });
        }
        let provide = |requirements: &[String]| {
            let settings = self.eggs.tools.unwrap_or(self.settings);
            let nested = Eggs { depth: self.eggs.depth + 1, settings, ..self.eggs };
            Ok(nested.install(requirements)?.path())
        };
        let builder = Builder {
            python: &self.python,
            settings: self.settings,
            cache: &cache,
            provide: &provide,
            limit: BUILD_LIMIT,
        };
        work(&builder).inspect_err(|error| {
            if let EggError::Build { output, .. } | EggError::SetupScript { output: Some(output), .. } = error
                && !output.is_empty()
            {
                self.told.tell(Level::Error, output.trim_end().to_owned());
            }
        })
    }
}
