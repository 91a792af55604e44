//! `buildout install`: sections initialised, what is not wanted removed, parts installed or updated, all recorded.

use camino::{Utf8Path, Utf8PathBuf};
use host::locks::FileLock;
use indexmap::IndexMap;
use jiff::Timestamp;

use super::{launcher, record::Record};
use crate::engine::{Activity, Engine};
use crate::installed::{SIGNATURE, paths};
use crate::plan::{Plan, Wanted, Why, plan};
use crate::{
    Action, Build, BuildError, BuildHook, Event, Fault, Level, Outcome, Part, RecipeError, Settings,
    Uninstall,
};

/// Extensions whose work this engine does itself.
const BUILT_IN_EXTENSIONS: [&str; 1] = ["slapos.rebootstrap"];
/// Extensions without which a build means the same.
const OPTIONAL_EXTENSIONS: [&str; 2] = ["slapos.extension.shared", "slapos.extension.strip"];

type Options = IndexMap<String, String>;

pub(super) fn install(
    engine: &mut Engine,
    settings: &mut Settings,
    only: &[String],
) -> Result<Outcome, BuildError> {
    engine.doing(Activity::Plain("Installing."), |engine| {
        let _lock = lock(engine.directory())?;
        engine.doing(Activity::Plain("Loading extensions."), check_extensions)?;
        check_develop(engine)?;
        make_directories(engine)?;
        let path = engine.require("buildout", "installed")?;
        let path = (!path.is_empty()).then(|| Utf8PathBuf::from(path));
        let record = Record::load(path, &*settings.clock)?;
        for hook in &mut settings.hooks {
            call(engine, |build| hook.before_parts(build))?;
        }
        let parts = initialise_parts(engine, settings, only)?;
        if engine.is_verbose() {
            show_configuration(engine)?;
        }
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
        let outcome = run.outcome;
        done.and(saved)?;
        launcher::write(engine, &settings.engine)?;
        Ok(outcome)
    })
}

fn lock(directory: &Utf8Path) -> Result<FileLock, BuildError> {
    let lock = FileLock::try_acquire_directory(directory)
        .map_err(|source| BuildError::file(format!("cannot use the directory {directory}"), source))?;
    lock.ok_or_else(|| {
        Fault::Locked { directory: directory.to_owned(), pid: host::locks::holder(directory) }.into()
    })
}

fn call(
    engine: &mut Engine,
    hook: impl FnOnce(&mut Build<'_>) -> Result<(), RecipeError>,
) -> Result<(), BuildError> {
    hook(&mut Build::new(engine)).map_err(|error| BuildError::from_recipe("buildout", error))
}

fn check_extensions(engine: &mut Engine) -> Result<(), BuildError> {
    let wanted = engine.buildout_option("extensions")?.unwrap_or_default();
    for extension in wanted.split_whitespace() {
        if BUILT_IN_EXTENSIONS.contains(&extension) {
            continue;
        }
        if OPTIONAL_EXTENSIONS.contains(&extension) {
            engine.log(Level::Debug, None, format!("The extension {extension} is not done by this engine."));
            continue;
        }
        let (message, hint) = if matches!(extension, "buildout-versions" | "buildout.dumppickedversions") {
            let hint = "remove the extension and set `show-picked-versions = true` in [buildout]";
            (format!("the extension {extension} is part of the engine"), hint)
        } else {
            (
                format!("the extension {extension} does not exist here"),
                "remove it from `extensions` in [buildout]",
            )
        };
        return Err(
            Fault::Refused { message, hint: Some(hint.to_owned()), code: "E-extension-missing" }.into()
        );
    }
    Ok(())
}

fn check_develop(engine: &mut Engine) -> Result<(), BuildError> {
    match engine.buildout_option("develop")? {
        None => Ok(()),
        Some(_) => {
            let message = "`develop` in [buildout] is not supported".to_owned();
            let hint = Some("make the distribution a part with the recipe zc.recipe.egg:develop".to_owned());
            Err(Fault::Refused { message, hint, code: "E-develop" }.into())
        }
    }
}

/// Makes the directories that `[buildout]` names and that are missing.
pub(super) fn make_directories(engine: &mut Engine) -> Result<(), BuildError> {
    let mut wanted = Vec::new();
    for option in ["download-cache", "extends-cache"] {
        if engine.buildout_option(option)?.is_some() {
            wanted.push(engine.buildout_directory(option)?);
        }
    }
    for option in ["eggs-directory", "bin-directory", "parts-directory", "develop-eggs-directory"] {
        wanted.push(engine.buildout_directory(option)?);
    }
    for path in wanted.into_iter().filter(|path| !path.is_dir()) {
        engine.log(Level::Info, None, format!("Creating directory '{path}'."));
        host::files::ensure_directory(&path, 0o777)
            .map_err(|source| BuildError::file(format!("cannot make the directory {path}"), source))?;
    }
    Ok(())
}

/// Initialises the sections of all parts; gives those to install, in order, with the options to record.
fn initialise_parts(
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
    let mut parts = IndexMap::new();
    for name in names {
        let signature = engine.signature(&name)?;
        let mut options = engine.options_to_record(&name);
        options.insert(SIGNATURE.to_owned(), signature);
        parts.insert(name, options);
    }
    Ok(parts)
}

fn announce(engine: &mut Engine, plan: &Plan, is_dry: bool) {
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
    for removal in &plan.removals {
        let part = &removal.part;
        let message = match &removal.why {
            Why::NotWanted => continue,
            Why::Changed(option) => format!("Part {part}, option {option} changed."),
            Why::PathGone(path) => format!("Part {part}, path {path} is missing."),
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
    let text = format!("\nConfiguration data:\n{}\n", engine.configuration_text());
    engine.sink().event(Event::Text { text });
    Ok(())
}

struct Run<'a> {
    engine: &'a mut Engine,
    settings: &'a mut Settings,
    record: Record,
    outcome: Outcome,
}

impl Run<'_> {
    fn apply(&mut self, plan: Plan, parts: &IndexMap<String, Options>) -> Result<(), BuildError> {
        for removal in plan.removals {
            self.remove(&removal.part)?;
        }
        self.engine.warn_of_unused("buildout");
        for (part, action) in plan.steps {
            self.engine.sink().event(Event::PartStarted { part: part.clone(), action });
            let start = self.settings.clock.now();
            let done = match action {
                Action::Update => self.update(&part, &parts[&part]),
                Action::Install | Action::Uninstall => self.install(&part, &parts[&part]),
            };
            self.finish(&part, action, start, done)?;
        }
        let mut hooks: Vec<Box<dyn BuildHook>> = std::mem::take(&mut self.settings.hooks);
        hooks.iter_mut().try_for_each(|hook| call(self.engine, |build| hook.after_parts(build)))
    }

    fn finish(
        &mut self,
        part: &str,
        action: Action,
        start: Timestamp,
        done: Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let seconds = self.settings.clock.now().duration_since(start).as_secs_f64();
        let part = part.to_owned();
        self.engine.sink().event(match done {
            Ok(()) => Event::PartFinished { part, action, seconds },
            Err(_) => Event::PartFailed { part, action, seconds },
        });
        done?;
        // What was merely looked after need not be remembered before the end.
        if action == Action::Update { Ok(()) } else { self.record.save_now_and_then(&*self.settings.clock) }
    }

    fn install(&mut self, part: &str, options: &Options) -> Result<(), BuildError> {
        let paths = self.engine.doing(Activity::Installing(part.to_owned()), |engine| {
            engine.log(Level::Info, None, format!("Installing {part}."));
            let Some(mut recipe) = engine.take_recipe(part) else { return Ok(Vec::new()) };
            let mut window = Part::new(engine, part);
            let done = recipe.install(&mut window);
            let created = window.into_created();
            engine.put_recipe(part, recipe);
            done.map_err(|error| {
                remove_paths(engine, created.iter().map(|path| path.as_str()));
                BuildError::from_recipe(part, error)
            })
        })?;
        let paths: Vec<String> = paths.into_iter().map(Utf8PathBuf::into_string).collect();
        self.record.put(part, options.clone(), &paths);
        self.engine.warn_of_unused(part);
        self.outcome.installed.push(part.to_owned());
        Ok(())
    }

    fn update(&mut self, part: &str, options: &Options) -> Result<(), BuildError> {
        let recorded = self.record.recorded(part).map(paths);
        let mut owned: Vec<String> = recorded.into_iter().flatten().map(str::to_owned).collect();
        let added = self.engine.doing(Activity::Updating(part.to_owned()), |engine| {
            engine.log(Level::Info, None, format!("Updating {part}."));
            let Some(mut recipe) = engine.take_recipe(part) else { return Ok(Vec::new()) };
            let done = recipe.update(&mut Part::new(engine, part));
            engine.put_recipe(part, recipe);
            done.map_err(|error| BuildError::from_recipe(part, error))
        });
        let added = match added {
            Ok(added) => added,
            Err(error) => {
                // What a failed update left is not trusted: the next build starts from nothing.
                remove_paths(self.engine, owned.iter().map(String::as_str));
                self.record.remove(part);
                return Err(error);
            }
        };
        let added: Vec<String> =
            added.into_iter().map(Utf8PathBuf::into_string).filter(|path| !owned.contains(path)).collect();
        if !added.is_empty() {
            owned.extend(added);
            owned.sort_unstable();
        }
        self.record.put(part, options.clone(), &owned);
        self.outcome.updated.push(part.to_owned());
        Ok(())
    }

    fn remove(&mut self, part: &str) -> Result<(), BuildError> {
        let start = self.settings.clock.now();
        let action = Action::Uninstall;
        self.engine.sink().event(Event::PartStarted { part: part.to_owned(), action });
        let options = self.record.recorded(part).cloned().unwrap_or_default();
        let done = self.engine.doing(Activity::Uninstalling(part.to_owned()), |engine| {
            engine.log(Level::Info, None, format!("Uninstalling {part}."));
            let directory = engine.directory().to_owned();
            engine
                .uninstall_by_recipe(&Uninstall { part, options: &options, directory: &directory })
                .map_err(|error| BuildError::from_recipe(part, error))?;
            remove_paths(engine, paths(&options));
            Ok(())
        });
        if done.is_ok() {
            self.record.remove(part);
            self.outcome.uninstalled.push(part.to_owned());
        }
        self.finish(part, action, start, done)
    }
}

/// Removes what a part owns. What cannot be removed is reported and left.
fn remove_paths<'p>(engine: &Engine, paths: impl Iterator<Item = &'p str>) {
    let directory = engine.directory();
    for path in paths.filter(|path| !path.is_empty()) {
        let path = crate::profiles::normalise(&directory.join(path));
        if directory.starts_with(&path) {
            engine.log(
                Level::Warning,
                None,
                format!("'{path}' is not removed: the buildout itself is in it."),
            );
            continue;
        }
        if let Err(error) = host::files::remove_tree(&path) {
            engine.log(Level::Warning, None, format!("Couldn't clean up '{path}': {error}"));
        }
    }
}
