//! The way from an archive to an installed part: unpacked, patched, configured, made, installed.

use std::collections::BTreeMap;

use buildout::{Download, Level, Part, RecipeError};
use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::process::Program;

use super::commands::Commands;
use super::{environment_script, long_headers};
use crate::options::lines;
use crate::output_file::refused;
use crate::part_environment::{self, PartEnvironment};
use crate::shell::quote;
use crate::unpack::{self, TopDirectory};

/// What a part is made from, and how.
pub(super) struct Build {
    pub(super) source: Source,
    /// Where the part is installed.
    pub(super) location: Utf8PathBuf,
    /// Where the source is compiled.
    pub(super) compile_directory: Utf8PathBuf,
    pub(super) patches: Vec<Download>,
    pub(super) environment: PartEnvironment,
    pub(super) keeps_compile_directory: bool,
}

/// Where the source comes from.
pub(super) enum Source {
    Archive(Download, TopDirectory),
    /// A directory of somebody else, compiled in its place.
    Directory,
}

/// One part at work.
struct Work<'b, 'p, 'w> {
    build: &'b Build,
    part: &'p mut Part<'w>,
    commands: Commands,
    /// The whole environment of the commands.
    variables: BTreeMap<String, String>,
    /// Where the commands run.
    directory: Utf8PathBuf,
}

impl Build {
    /// Builds the part into its location, which is empty. After a failure the compile directory stays as it is.
    ///
    /// # Errors
    /// The source cannot be had, or a command fails.
    pub(super) fn run(&self, part: &mut Part<'_>) -> Result<(), RecipeError> {
        // Mistakes in the profile are told before anything takes time.
        let commands = Commands::new(&part.options()?)?;
        let own = self.environment.variables(part)?;
        self.fetch(part).inspect_err(|_| {
            // There is nothing to look at; what cannot be removed now is removed by the next build.
            let _ = files::remove_tree(&self.location);
        })?;
        let directory = source_directory(&self.compile_directory)
            .map_err(|error| refused(&self.compile_directory, error))?;
        let mut variables = part.environment().clone();
        variables.extend(own.clone());
        let mut work = Work { build: self, part, commands, variables, directory };
        work.all_steps(&own).map_err(|error| work.left(error))?;
        if self.keeps_compile_directory {
            work.write_script()?;
        }
        self.finish(part)
    }

    fn fetch(&self, part: &mut Part<'_>) -> Result<(), RecipeError> {
        match &self.source {
            Source::Archive(download, top) => {
                let archive = part.download(download)?;
                unpack::unpack(archive.path(), &self.compile_directory, *top).map(drop)
            }
            Source::Directory if self.compile_directory.is_dir() => {
                let message = format!("Using local source directory: {}", self.compile_directory);
                part.log(Level::Info, message);
                Ok(())
            }
            Source::Directory => Err(RecipeError::new(format!("{} is no directory", self.compile_directory))
                .option("path")
                .hint("`path` is a directory with sources; use `url` for an archive")),
        }
    }

    /// What is left to do when all commands have run.
    fn finish(&self, part: &mut Part<'_>) -> Result<(), RecipeError> {
        if matches!(self.source, Source::Archive(..)) && !self.keeps_compile_directory {
            files::remove_tree(&self.compile_directory)
                .map_err(|error| refused(&self.compile_directory, error))?;
        }
        for promise in lines(&part.get("promises")?.unwrap_or_default()) {
            if !part.resolve(promise).exists() {
                part.log(Level::Warning, format!("could not find promise '{promise}'"));
            }
        }
        long_headers::mend(&self.location).map_err(|error| refused(&self.location, error))
    }
}

impl Work<'_, '_, '_> {
    fn all_steps(&mut self, own: &BTreeMap<String, String>) -> Result<(), RecipeError> {
        if !self.build.patches.is_empty() {
            self.part.log(Level::Info, "Applying patches");
        }
        part_environment::tell(own, self.part);
        for patch in &self.build.patches {
            let file = self.part.download(patch)?;
            let command = format!("{} < {}", self.commands.patch, quote(file.path().as_str()));
            self.step("patch", "patches", &command)
                .map_err(|error| error.hint(format!("the patch is {}", patch.url)))?;
        }
        let commands = self.commands.clone();
        self.hook("pre-configure", commands.pre_configure.as_deref())?;
        self.step("configure", "configure-command", &commands.configure)?;
        self.hook("pre-build", commands.pre_build.as_deref())?;
        self.step("make", "make-options", &commands.make)?;
        self.hook("pre-install", commands.pre_install.as_deref())?;
        self.step("make install", "make-targets", &commands.install)?;
        self.hook("post-install", commands.post_install.as_deref())
    }

    fn hook(&mut self, option: &str, text: Option<&str>) -> Result<(), RecipeError> {
        let Some(text) = text else { return Ok(()) };
        self.part.log(Level::Info, format!("Executing {option}"));
        self.step(option, option, text)
    }

    /// Runs one command; `option` is the one to blame when it fails.
    fn step(&mut self, name: &str, option: &str, command: &str) -> Result<(), RecipeError> {
        let shell = Program::new("/bin/sh")
            .arg("-c")
            .arg(format!("set -e;{command}"))
            .envs(self.variables.clone())
            .directory(&self.directory);
        let finished = self.part.run(shell)?;
        if finished.success() {
            return Ok(());
        }
        Err(RecipeError::new(format!("`{name}` of the part ended with {}", finished.verdict()))
            .because(Command(command.trim().to_owned()))
            .option(option)
            .code("E-recipe-command"))
    }

    /// Says where a failure can be looked at.
    fn left(&mut self, error: RecipeError) -> RecipeError {
        let directory = &self.directory;
        let error = error.hint(format!("sources and everything compiled so far stay in {directory}"));
        match self.write_script() {
            Ok(()) => error.hint(format!(
                "to try it by hand: cd {} && . ./{}",
                quote(directory.as_str()),
                environment_script::NAME
            )),
            Err(other) => {
                self.part.log(Level::Warning, format!("no script for looking at the failure: {other}"));
                error
            }
        }
    }

    fn write_script(&self) -> Result<(), RecipeError> {
        let path = self.directory.join(environment_script::NAME);
        let text = environment_script::text(&self.variables, self.part.initial_environment(), &self.commands);
        files::replace_unsynced(&path, text, 0o644).map_err(|error| refused(&path, error))
    }
}

/// The command that failed, as the cause of a failure.
#[derive(Debug, thiserror::Error)]
#[error("the command was: {0}")]
struct Command(String);

/// The directory of the sources: archives have their files at their top or in a single directory.
fn source_directory(directory: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
    let mut entries = directory.read_dir_utf8()?;
    Ok(match (entries.next(), entries.next()) {
        (Some(only), None) if only.as_ref().is_ok_and(|only| only.path().is_dir()) => only?.into_path(),
        _ => directory.to_owned(),
    })
}
