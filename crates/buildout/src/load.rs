//! From settings to a table that is complete and an engine that knows its directory: defaults, the user's defaults,
//! profiles, the command line.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use crate::command_line::CommandLineAssignment;
use crate::engine::Engine;
use crate::profiles::{FetchOptions, Location, Reader, expand_home, normalise, profiles_like};
use crate::syntax::Operator;
use crate::table::{Origin, Step, Table};
use crate::{BuildError, Command, Dialect, Fault, Settings};

/// Directories that are relative to the profile that sets them.
const OWN_BASE: [&str; 3] = ["download-cache", "eggs-directory", "extends-cache"];
/// Directories that are relative to the buildout directory.
const BUILDOUT_BASE: [&str; 4] =
    ["bin-directory", "parts-directory", "eggs-directory", "develop-eggs-directory"];

/// Fills the table of an engine.
pub(crate) fn load(engine: &mut Engine, settings: &Settings) -> Result<(), BuildError> {
    let line = &settings.command_line;
    engine.apply_defaults();
    let working = Location::Path(settings.working_directory.clone());
    let root = match working.join(&line.profile) {
        Location::Path(path) => Location::Path(normalise(&path)),
        url => url,
    };
    let directory = match &root {
        Location::Path(path) => path.parent().unwrap_or(path).to_owned(),
        Location::Url(_) => settings.working_directory.clone(),
    };
    // `setup` works without a profile.
    let present = match &root {
        Location::Path(path) => path.exists(),
        Location::Url(_) => true,
    };
    if let Location::Path(path) = &root
        && !present
        && line.command != Command::Setup
    {
        return Err(Fault::NoProfile { path: path.clone(), near: profiles_like(path) }.into());
    }
    // Compatibility: zc.buildout does not know where to build what it got from the network.
    if engine.dialect() == Dialect::Slapos || matches!(root, Location::Path(_)) {
        engine.table.set_computed("buildout", "directory", directory.to_string());
    }
    engine.set_directory(directory);
    let mut users = Table::default();
    if line.use_user_defaults
        && let Some(path) = settings.user_defaults.as_ref().filter(|path| path.exists())
    {
        let path = Location::Path(path.clone());
        match engine.dialect() {
            Dialect::Slapos => lay(engine, settings, path, &users)?,
            Dialect::Upstream => users = merge(engine, settings, path, Table::default())?,
        }
    }
    if present {
        lay(engine, settings, root, &users)?;
    }
    for assignment in &line.assignments {
        let extends = assignment.section == "buildout" && assignment.option == "extends";
        if extends && assignment.operator != Operator::Remove {
            for word in assignment.value.split_whitespace() {
                lay(engine, settings, working.join(word), &users)?;
            }
        }
    }
    assign(engine, &line.assignments);
    complete(engine, settings)
}

/// Applies the assignments of the command line but for those that name profiles.
fn assign(engine: &mut Engine, assignments: &[CommandLineAssignment]) {
    let dialect = engine.dialect();
    let mut apart: IndexMap<String, Vec<(String, Step)>> = IndexMap::new();
    for CommandLineAssignment { section, option, operator, value } in assignments {
        if section == "buildout" && option == "extends" {
            continue;
        }
        let step = Step { operator: *operator, value: value.clone(), origin: Origin::CommandLine };
        match dialect {
            Dialect::Slapos => engine.table.assign(section, option, step),
            Dialect::Upstream => apart.entry(section.clone()).or_default().push((option.clone(), step)),
        }
    }
    engine.table.assign_apart(apart);
}

/// Lays a profile with everything that it extends over the engine's table.
fn lay(
    engine: &mut Engine,
    settings: &Settings,
    location: Location,
    users: &Table,
) -> Result<(), BuildError> {
    let below = engine.table.clone();
    engine.table = match engine.dialect() {
        Dialect::Slapos => merge(engine, settings, location, below)?,
        Dialect::Upstream => {
            engine.table.overlay(users.clone());
            let profiles = merge(engine, settings, location, users.clone())?;
            let mut table = below;
            table.overlay(profiles);
            table
        }
    };
    Ok(())
}

/// Merges a profile with everything that it extends into a table.
fn merge(
    engine: &mut Engine,
    settings: &Settings,
    location: Location,
    table: Table,
) -> Result<Table, BuildError> {
    let options = FetchOptions { assignments: &settings.command_line.assignments, home: home(settings) };
    Reader::new(engine, options.rules(&engine.table)?).apply(location, table, &options)
}

/// What follows from the options once all are there.
fn complete(engine: &mut Engine, settings: &Settings) -> Result<(), BuildError> {
    if engine.table.history("buildout", "versions").is_none() {
        let step = Step { operator: Operator::Set, value: "versions".to_owned(), origin: Origin::Default };
        engine.table.assign("buildout", "versions", step);
        engine.table.sections.entry("versions".to_owned()).or_default();
    }
    if engine.dialect() == Dialect::Upstream {
        add_own_pins(engine);
    }
    let directory = engine.table.plain("buildout", "directory").unwrap_or_default();
    let directory = own_directory(settings, &directory);
    for option in OWN_BASE {
        let Some(value) = engine.table.plain("buildout", option) else { continue };
        if value.is_empty() && engine.dialect() == Dialect::Slapos && option != "eggs-directory" {
            if let Some(buildout) = engine.table.sections.get_mut("buildout") {
                buildout.options.shift_remove(option);
            }
            continue;
        }
        if value.contains("${") || value.starts_with('/') {
            continue;
        }
        let origin = engine.table.history("buildout", option).and_then(|history| history.last());
        let origin = origin.map_or(Origin::Default, |step| step.origin);
        let base = match origin {
            Origin::Profile { source, .. } => {
                let source = engine.sources.get(source);
                match Location::parse(&source.base) {
                    Location::Path(path) => path,
                    Location::Url(_) => {
                        let (option, file) = (option.to_owned(), source.name.clone());
                        return Err(Fault::RelativeInRemote { option, value, file }.into());
                    }
                }
            }
            _ => directory.clone(),
        };
        let value = normalise(&expand_home(&value, home(settings), &base)).into_string();
        engine.table.assign("buildout", option, Step { operator: Operator::Set, value, origin });
    }
    engine.set_directory(directory);
    Ok(())
}

/// The buildout directory that an option names: a relative one starts where the user stands, not where the profile is.
fn own_directory(settings: &Settings, directory: &str) -> Utf8PathBuf {
    let directory = Utf8Path::new(directory);
    if directory.is_absolute() {
        return directory.to_owned();
    }
    normalise(&settings.working_directory.join(directory))
}

/// Compatibility: zc.buildout keeps its own distributions from being replaced by older ones.
fn add_own_pins(engine: &mut Engine) {
    let section = engine.table.plain("buildout", "versions").unwrap_or_default();
    if section.is_empty() {
        return;
    }
    for (project, constraint) in [("zc.buildout", ">=3.3"), ("zc.recipe.egg", ">=2.0.6")] {
        if engine.table.history(&section, project).is_none() {
            let step =
                Step { operator: Operator::Set, value: constraint.to_owned(), origin: Origin::Default };
            engine.table.assign(&section, project, step);
        }
    }
}

/// Initialises `[buildout]` and makes its directories absolute.
pub(crate) fn initialise_buildout(engine: &mut Engine, settings: &Settings) -> Result<(), BuildError> {
    engine.access("buildout", None)?;
    let directory = engine.require("buildout", "directory")?;
    let directory = own_directory(settings, &directory);
    engine.set("buildout", "directory", directory.to_string());
    engine.set_directory(directory.clone());
    for option in BUILDOUT_BASE {
        let path = engine.require("buildout", option)?;
        // Compatibility: zc.buildout leaves alone what looks like a reference, also a protected one.
        if engine.dialect() == Dialect::Slapos || !path.contains("${") {
            engine.set("buildout", option, directory.join(path).into_string());
        }
    }
    let installed = engine.require("buildout", "installed")?;
    if !installed.is_empty() {
        engine.set("buildout", "installed", directory.join(installed).into_string());
    }
    engine.set_modes()?;
    engine.settle_eggs_directory()?;
    if engine.dialect() == Dialect::Upstream {
        engine.versions()?;
    }
    engine.use_defaults()
}

/// The raw value of an option as `query` shows it.
pub(crate) fn raw_value(engine: &Engine, section: &str, option: &str) -> Option<String> {
    let value = engine.table.plain(section, option)?;
    if section == "buildout" && BUILDOUT_BASE.contains(&option) && !value.contains("${") {
        return Some(engine.directory().join(value).into_string());
    }
    Some(value)
}

fn home(settings: &Settings) -> Option<&Utf8Path> {
    settings.environment.get("HOME").map(Utf8Path::new)
}
