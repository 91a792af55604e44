//! `buildout install`: sections initialised, what is not wanted removed, parts installed or updated, all recorded.

use camino::{Utf8Path, Utf8PathBuf};
use host::locks::FileLock;
use indexmap::IndexMap;

use super::extensions::Extensions;
use super::launcher::Replace;
use super::parts::Run;
use super::territory::Territory;
use super::{conducts, develop, launcher, past, rebootstrap, record::Record, record::check_directory};
use crate::engine::{Activity, Engine};
use crate::installed::SIGNATURE;
use crate::plan::{Plan, Wanted, Why, plan};
use crate::{Action, Build, BuildError, Dialect, Event, Fault, Level, Outcome, RecipeError, Settings};

pub(super) type Options = IndexMap<String, String>;

pub(super) fn install(
    engine: &mut Engine,
    settings: &mut Settings,
    only: &[String],
) -> Result<Outcome, BuildError> {
    engine.doing(Activity::Plain("Installing."), |engine| {
        let _lock = lock(engine.directory())?;
        let first = rebootstrap::run(engine, settings)?;
        if first.is_all {
            return Ok(Outcome::default());
        }
        let extensions = engine.doing(Activity::Plain("Loading extensions."), Extensions::load)?;
        make_directories(engine)?;
        engine.doing(Activity::Plain("Checking for upgrades."), check_cache)?;
        let path = engine.require("buildout", "installed")?;
        let path = (!path.is_empty()).then(|| Utf8PathBuf::from(path));
        let has_work =
            engine.buildout_option("parts")?.is_some() || engine.buildout_option("develop")?.is_some();
        check_directory(path.as_deref().filter(|_| has_work))?;
        let mut record = Record::load(path.clone(), &*settings.clock)?;
        // Compatibility: zc.buildout removes whatever is recorded.
        if engine.dialect() == Dialect::Slapos {
            record.confine(Territory::of(engine)?);
        }
        engine.tell_own_distributions()?;
        develop::develop(engine, &mut record)?;
        for hook in &mut settings.hooks {
            call(engine, |build| hook.before_parts(build))?;
        }
        let parts = initialise_parts(engine, settings, only)?;
        if engine.is_verbose() {
            show_configuration(engine)?;
        }
        first.hand_over(&mut record, &parts);
        let is_dry = engine.flag("dry-run", false)?;
        let check_signatures = engine.flag("check-signature", true)?;
        let wanted = Wanted { parts: &parts, keep_others: !only.is_empty(), check_signatures };
        let directory = engine.directory().to_owned();
        let plan = plan(&record.installed(), &wanted, &|path| directory.join(path).exists());
        announce(engine, &plan, is_dry);
        if is_dry {
            return Ok(Outcome::default());
        }
        let mut run = Run { engine, settings, record, outcome: Outcome::default() };
        let done = run.apply(plan, &parts);
        // Whatever happened, what is on disk is what the record says.
        let saved = run.record.save();
        if let Some(path) = path {
            let parts = run.record.installed().parts;
            past::remember(run.engine, &path, &parts, done.is_ok());
            conducts::remember(run.engine, &path, &parts, done.is_ok());
        }
        let outcome = run.outcome;
        done.and(saved)?;
        engine.doing(Activity::Plain("Unloading extensions."), |engine| extensions.unload(engine))?;
        engine.report_picked(&*settings.clock)?;
        launcher::write(engine, &settings.engine, Replace::Own)?;
        Ok(outcome)
    })
}

/// zc.buildout looks for newer versions of itself here, and finds out that it cannot look anywhere.
fn check_cache(engine: &mut Engine) -> Result<(), BuildError> {
    let has_cache = engine.buildout_option("download-cache")?.is_some();
    if has_cache || !engine.is_newest() || !engine.flag("install-from-cache", false)? {
        return Ok(());
    }
    Err(Fault::Exception {
        name: "ValueError",
        option: "install-from-cache",
        message: "install_from_cache set to true with no download cache".to_owned(),
        hint: "set `download-cache`, or leave `install-from-cache` out",
        code: "E-profile-value",
    }
    .into())
}

fn lock(directory: &Utf8Path) -> Result<FileLock, BuildError> {
    let lock = host::files::ensure_directory(directory, 0o777)
        .and_then(|()| FileLock::try_acquire_directory(directory))
        .map_err(|source| BuildError::file(format!("cannot use the directory {directory}"), source))?;
    lock.ok_or_else(|| {
        Fault::Locked { directory: directory.to_owned(), pid: host::locks::holder(directory) }.into()
    })
}

/// Lets a hook look at the build.
pub(super) fn call(
    engine: &mut Engine,
    hook: impl FnOnce(&mut Build<'_>) -> Result<(), RecipeError>,
) -> Result<(), BuildError> {
    hook(&mut Build::new(engine)).map_err(|error| BuildError::from_recipe("buildout", error))
}

/// Makes the directories that `[buildout]` names and that are missing.
pub(super) fn make_directories(engine: &mut Engine) -> Result<(), BuildError> {
    make_caches(engine)?;
    let options = ["bin-directory", "parts-directory", "develop-eggs-directory"];
    options.into_iter().try_for_each(|option| make_directory(engine, option))
}

/// Makes those of the directories that builds may share.
pub(super) fn make_caches(engine: &mut Engine) -> Result<(), BuildError> {
    for option in ["download-cache", "extends-cache"] {
        if engine.buildout_option(option)?.is_some() {
            make_directory(engine, option)?;
        }
    }
    if engine.buildout_option("download-cache")?.is_some() {
        let distributions = engine.buildout_directory("download-cache")?.join("dist");
        host::files::ensure_directory(&distributions, 0o777).map_err(|source| {
            BuildError::file(format!("cannot make the directory {distributions}"), source)
        })?;
    }
    make_directory(engine, "eggs-directory")
}

fn make_directory(engine: &mut Engine, option: &str) -> Result<(), BuildError> {
    let path = engine.buildout_directory(option)?;
    if !path.is_dir() {
        engine.log(Level::Info, None, format!("Creating directory '{path}'."));
        host::files::ensure_directory(&path, 0o777)
            .map_err(|source| BuildError::file(format!("cannot make the directory {path}"), source))?;
    }
    Ok(())
}

/// Initialises the sections of all parts; gives those to install, in order, with the options to record.
pub(super) fn initialise_parts(
    engine: &mut Engine,
    settings: &mut Settings,
    only: &[String],
) -> Result<IndexMap<String, Options>, BuildError> {
    let wanted: Vec<String> = match only {
        // Without this option everything that is installed would go, and it is easily misspelt.
        [] => engine.require("buildout", "parts")?.split_whitespace().map(str::to_owned).collect(),
        only => only.to_vec(),
    };
    for part in &wanted {
        engine.require(part, "recipe")?;
    }
    for hook in &mut settings.hooks {
        call(engine, |build| hook.before_install(build))?;
    }
    let mut names = engine.order.clone();
    if !only.is_empty() {
        names.retain(|name| wanted.contains(name));
        names.sort_by_key(|name| wanted.iter().position(|part| part == name));
    }
    options_of(engine, names)
}

/// What is to be recorded of parts, by name.
pub(super) fn options_of(
    engine: &mut Engine,
    names: Vec<String>,
) -> Result<IndexMap<String, Options>, BuildError> {
    let mut parts = IndexMap::new();
    for name in names {
        let signature = engine.signature(&name)?;
        let mut options = engine.options_to_record(&name);
        options.insert(SIGNATURE.to_owned(), signature);
        parts.insert(name, options);
    }
    Ok(parts)
}

pub(super) fn announce(engine: &mut Engine, plan: &Plan, is_dry: bool) {
    let with = |wanted: Action| {
        let steps = plan.steps.iter().filter(|(_, action)| *action == wanted);
        steps.map(|(part, _)| part.clone()).collect::<Vec<_>>()
    };
    let uninstall: Vec<String> = plan.removals.iter().map(|removal| removal.part.clone()).collect();
    if is_dry {
        for part in &uninstall {
            engine.log(Level::Info, None, format!("Would uninstall {part}."));
        }
        for part in with(Action::Install) {
            engine.log(Level::Info, None, format!("Would install {part}."));
        }
    }
    for removal in plan.removals.iter().filter(|_| engine.is_verbose()) {
        let part = &removal.part;
        let message = match &removal.why {
            Why::NotWanted => continue,
            Why::Changed(option) => format!("Part {part}, option {option} changed."),
            Why::PathGone(path) => format!("Part {part}, path {path} is missing."),
            Why::PathGoes { path, with } => format!("Part {part}, path {path} goes with part {with}."),
        };
        engine.log(Level::Debug, None, message);
    }
    engine.sink().event(Event::Plan {
        install: with(Action::Install),
        update: with(Action::Update),
        uninstall,
    });
}

fn show_configuration(engine: &mut Engine) -> Result<(), BuildError> {
    let executable = engine.require("buildout", "executable")?;
    engine.set("buildout", "executable", executable);
    let text = format!("\nConfiguration data:\n{}\n", engine.configuration_text());
    engine.sink().event(Event::Text { text });
    Ok(())
}
