//! Parts removed, installed and updated, each recorded when it is done.

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use jiff::Timestamp;

use super::install::{Options, call};
use super::record::Record;
use crate::engine::{Activity, Engine};
use crate::installed::paths;
use crate::plan::Plan;
use crate::{Action, BuildError, BuildHook, Event, Level, Outcome, Part, Settings, Uninstall};

/// The parts of one run being worked on.
pub(super) struct Run<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) settings: &'a mut Settings,
    pub(super) record: Record,
    pub(super) outcome: Outcome,
}

impl Run<'_> {
    /// Does what was planned, in that order; ends at the first failure.
    pub(super) fn apply(&mut self, plan: Plan, parts: &IndexMap<String, Options>) -> Result<(), BuildError> {
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
