//! `buildout bootstrap`, `init` and `setup`: the directories, the launcher, a first profile; setup scripts run by hand.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use super::launcher::Replace;
use super::{install, launcher};
use crate::eggs::{EggBuild, SetupScript};
use crate::engine::{Activity, Engine};
use crate::profiles::Location;
use crate::{BuildError, Dialect, Event, Fault, Level, Outcome, Settings};

pub(super) fn bootstrap(engine: &mut Engine, settings: &Settings) -> Result<Outcome, BuildError> {
    engine.doing(Activity::Plain("Bootstrapping."), |engine| {
        if engine.dialect() == Dialect::Upstream {
            let links = engine.buildout_directory("develop-eggs-directory")?;
            host::files::remove_tree(&links)
                .map_err(|source| BuildError::file(format!("cannot remove {links}"), source))?;
        }
        install::make_directories(engine)?;
        if let Some(path) = launcher::write(engine, &settings.engine, Replace::Any)? {
            engine.log(Level::Info, None, format!("Generated script '{path}'."));
        }
        Ok(())
    })?;
    Ok(Outcome::default())
}

/// Runs a setup script with setuptools at hand.
pub(super) fn run_script(engine: &mut Engine, arguments: &[String]) -> Result<Outcome, BuildError> {
    install::make_caches(engine)?;
    let Some((script, arguments)) = arguments.split_first() else {
        let message = "The setup command requires the path to a setup script or \n\
            directory containing a setup script, and its arguments.";
        return Err(Fault::Usage(message.to_owned()).into());
    };
    let mut script = Utf8PathBuf::from(script);
    if engine.directory().join(&script).is_dir() {
        script.push("setup.py");
    }
    engine.log(Level::Info, None, format!("Running setup script '{script}'."));
    let script = engine.directory().join(script);
    let settings = engine.egg_settings()?;
    let build = EggBuild::default();
    let script = SetupScript { path: &script, words: arguments, build: &build, is_attached: true };
    engine
        .with_eggs(&settings, |eggs| eggs.run_script(&script))
        .map_err(|error| BuildError::from_recipe("buildout", error.into()))?;
    Ok(Outcome::default())
}

/// Writes a profile where there is none: with an interpreter that has the requirements, if there are any. Words with
/// a slash are directories to import from.
pub(super) fn write_first_profile(engine: &Engine, settings: &Settings) -> Result<(), BuildError> {
    let line = &settings.command_line;
    let Location::Path(path) = Location::Path(settings.working_directory.clone()).join(&line.profile) else {
        let message = "a profile can only be written on this machine".to_owned();
        return Err(Fault::Refused { message, hint: None, code: "E-usage" }.into());
    };
    if path.exists() {
        return Err(Fault::ProfileExists { path }.into());
    }
    engine.sink().event(Event::Text { text: format!("Creating '{path}'.\n") });
    let (paths, requirements): (Vec<&String>, Vec<&String>) =
        line.arguments.iter().partition(|argument| argument.contains('/'));
    let lines = |words: &[&String]| {
        words.iter().fold(String::new(), |mut text, word| {
            let _ = writeln!(text, "  {word}");
            text
        })
    };
    let mut text = String::from("[buildout]\nparts =\n");
    if !line.arguments.is_empty() {
        text = format!(
            "[buildout]\nparts = py\n\n[py]\nrecipe = zc.recipe.egg\ninterpreter = py\neggs =\n{}",
            lines(&requirements)
        );
        if !paths.is_empty() {
            let _ = write!(text, "extra-paths =\n{}", lines(&paths));
            for directory in paths {
                let directory = settings.working_directory.join(directory);
                host::files::ensure_directory(&directory, 0o777)
                    .map_err(|source| BuildError::file(format!("cannot make {directory}"), source))?;
            }
        }
    }
    host::files::replace_keeping_mode(&path, text)
        .map_err(|source| BuildError::file(format!("cannot write {path}"), source))
}
