//! The work on one part: its recipe called, in the thread that has the engine or beside others, and what a failed
//! installation left removed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use camino::Utf8Path;
use host::locks::FileLock;

use super::books::Task;
use super::parts::{remove_paths, texts};
use super::sequence::PartSink;
use crate::desk::Desk;
use crate::engine::{Activity, Engine, unused_message};
use crate::{Action, BuildError, Event, Level, Part, Recipe, RecipeError, Sink, shared_part};

/// The code of the error that somebody has interrupted the build.
pub(super) const INTERRUPTED: &str = "E-interrupted";

/// Calls code of a recipe. A panic in it is an error of the part, so that the record of the build is not lost.
pub(super) fn attempt<T>(
    part: &str,
    work: impl FnOnce() -> Result<T, RecipeError>,
) -> Result<T, RecipeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        let error = RecipeError::new(format!("the recipe of [{part}] has a fault of its own: it panicked"));
        let error = match said {
            Some(said) => error.because(said),
            None => error,
        };
        Err(error.code("E-recipe-panic").hint("report this with the profile to who made the recipe"))
    })
}

fn call(recipe: &mut dyn Recipe, part: &mut Part<'_>, action: Action) -> Result<Vec<String>, RecipeError> {
    let name = part.name().to_owned();
    let paths = attempt(&name, || match action {
        Action::Update => recipe.update(part),
        Action::Install | Action::Uninstall => recipe.install(part),
    });
    if host::process::is_ending() {
        // Programs of the part were killed; whether its recipe minds that or not, it is not complete.
        return Err(RecipeError::new(format!("the build was interrupted at [{name}]"))
            .code(INTERRUPTED)
            .hint("what is complete is recorded: run the same command again, it goes on from here"));
    }
    paths.map(texts)
}

fn activity(task: Task<'_>) -> Activity {
    let part = task.part.to_owned();
    if task.action == Action::Update { Activity::Updating(part) } else { Activity::Installing(part) }
}

/// Works on a part with the engine; gives the paths that the recipe gave.
pub(super) fn here(
    engine: &mut Engine,
    task: Task<'_>,
    sink: &Arc<PartSink>,
) -> Result<Vec<String>, BuildError> {
    let before = engine.replace_sink(Arc::clone(sink) as Arc<dyn Sink>);
    let done = engine.doing(activity(task), |engine| {
        engine.log(Level::Info, None, activity(task).to_string());
        let guard = if engine.is_foreign(task.part) { shared_part::guard(engine, task.part)? } else { None };
        let Some(mut recipe) = engine.take_recipe(task.part) else { return Ok(Vec::new()) };
        let mut part = Part::new(engine, task.part);
        let done = call(&mut *recipe, &mut part, task.action);
        let created = texts(part.into_created());
        engine.put_recipe(task.part, recipe);
        if let Some(Err(error)) = guard.map(FileLock::remove) {
            engine.log(Level::Warning, None, format!("Couldn't remove a lock: {error}"));
        }
        let directory = engine.directory().to_owned();
        let warn = |message| engine.log(Level::Warning, None, message);
        done.map_err(|error| failed(task, error, sink, &created, (&directory, &warn)))
    });
    if done.is_ok() && task.action == Action::Install && task.warns {
        engine.warn_of_unused(task.part);
    }
    engine.replace_sink(before);
    done
}

/// Works on a part without the engine; `above` is what the build as a whole is doing.
pub(super) fn beside(
    desk: &Desk,
    recipe: &mut dyn Recipe,
    task: Task<'_>,
    sink: &PartSink,
    above: &[String],
) -> Result<Vec<String>, BuildError> {
    desk.log(Level::Info, None, activity(task).to_string());
    let mut part = Part::beside(desk, task.part);
    let done = call(recipe, &mut part, task.action);
    let created = texts(part.into_created());
    let warn = |message| desk.log(Level::Warning, None, message);
    let done = done.map_err(|error| {
        let error = failed(task, error, sink, &created, (desk.directory(), &warn));
        error.during(|| above.iter().cloned().chain([activity(task).to_string()]).collect())
    });
    if done.is_ok()
        && task.action == Action::Install
        && task.warns
        && let Some(message) = unused_message(task.part, desk.unused().into_iter())
    {
        desk.log(Level::Warning, None, message);
    }
    done
}

/// Removes what a failed installation created, and makes its error one of the build.
fn failed(
    task: Task<'_>,
    error: RecipeError,
    sink: &PartSink,
    created: &[String],
    (directory, warn): (&Utf8Path, &dyn Fn(String)),
) -> BuildError {
    if task.action == Action::Install {
        remove_paths(directory, None, created.iter().map(String::as_str), warn);
    }
    let error = match sink.kept() {
        Some(path) => error.hint(format!("the whole output of the part is in {path}")),
        None => error,
    };
    BuildError::from_recipe(task.part, error)
}

/// A part's sink with the directory of its build, for who speaks about the part when the work is over.
pub(super) struct Voice<'a> {
    sink: &'a PartSink,
    pub(super) directory: &'a Utf8Path,
}

impl<'a> Voice<'a> {
    pub(super) fn of(sink: &'a PartSink, engine: &'a Engine) -> Self {
        Self { sink, directory: engine.directory() }
    }

    pub(super) fn at(sink: &'a PartSink, directory: &'a Utf8Path) -> Self {
        Self { sink, directory }
    }

    pub(super) fn warn(&self, message: String) {
        self.sink.event(Event::Log { level: Level::Warning, logger: None, message });
    }
}
