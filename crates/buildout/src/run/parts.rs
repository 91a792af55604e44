//! Parts removed, installed and updated, each recorded when it is done.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::books::{Books, Task};
use super::install::{Options, call};
use super::record::Record;
use super::sequence::Sequence;
use super::territory::Territory;
use super::{team, work};
use crate::engine::{Activity, Engine};
use crate::installed::paths;
use crate::plan::Plan;
use crate::{Action, BuildError, BuildHook, Dialect, Event, Level, Outcome, Settings, Turn, Uninstall};

/// The parts of one run being worked on.
pub(super) struct Run<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) settings: &'a mut Settings,
    pub(super) record: Record,
    pub(super) outcome: Outcome,
}

impl Run<'_> {
    /// Does what was planned: removals in their order, then the parts, several at once where that is known to make no
    /// difference. After a failure the parts before it are completed, none after it is begun, and what runs is brought to
    /// its end.
    pub(super) fn apply(&mut self, plan: Plan, parts: &IndexMap<String, Options>) -> Result<(), BuildError> {
        for part in parts.keys().filter(|part| self.record.recorded(part).is_some()) {
            self.engine.compared_with_record(part);
        }
        let removes = !plan.removals.is_empty();
        for removal in plan.removals {
            self.remove(&removal.part)?;
        }
        if removes {
            // A build that is killed while it makes a part again must not leave the word that the part is there.
            self.record.save()?;
        }
        self.engine.warn_of_unused("buildout");
        let tasks: Vec<Task<'_>> = plan
            .steps
            .iter()
            .map(|(part, action)| {
                // Upstream reads every option of a part that it has installed before, to compare them.
                let warns =
                    self.engine.dialect() == Dialect::Slapos || !self.outcome.uninstalled.contains(part);
                Task { part, action: *action, warns, options: &parts[part] }
            })
            .collect();
        let installed = tasks.iter().filter(|task| task.action == Action::Install);
        let downloads = installed.flat_map(|task| self.engine.downloads_of(task.part)).collect();
        self.engine.fetch_ahead(downloads)?;
        self.engine.settle_jobs()?;
        let limit = self.engine.jobs.limit();
        let keep_in = (self.engine.dialect() == Dialect::Slapos).then(|| self.engine.directory().to_owned());
        let sequence = Sequence::new(self.engine.sink(), tasks.len(), keep_in.as_deref());
        let steps = team::steps(self.engine, &tasks);
        let books = Books::new(&mut self.record, &*self.settings.clock, &tasks, self.engine.dialect());
        let books = if limit > 1 && steps.iter().any(|step| step.turn == Turn::Beside) {
            team::together(self.engine, books, &steps, &sequence)?
        } else {
            one_by_one(self.engine, books, &sequence)
        };
        sequence.close();
        self.engine.end_fetching_ahead();
        let (installed, updated, failed) = books.close();
        self.outcome.installed = installed;
        self.outcome.updated = updated;
        self.report(failed, &sequence, &tasks)?;
        let mut hooks: Vec<Box<dyn BuildHook>> = std::mem::take(&mut self.settings.hooks);
        hooks.iter_mut().try_for_each(|hook| call(self.engine, |build| hook.after_parts(build)))
    }

    /// Of several failures the first in the order of the parts is the one that ends the build.
    fn report(
        &self,
        failed: Vec<(usize, BuildError)>,
        sequence: &Sequence,
        tasks: &[Task<'_>],
    ) -> Result<(), BuildError> {
        let mut failed = failed.into_iter();
        let Some((place, error)) = failed.next() else { return Ok(()) };
        for (other, error) in failed.filter(|(_, error)| error.code() != work::INTERRUPTED) {
            let message = format!("Part {} failed, too: {error}", tasks[other].part);
            self.engine.log(Level::Error, None, message);
        }
        if sequence.was_talked_over(place)
            && let Some(path) = sequence.log_of(tasks[place].part)
            && let Ok(output) = fs_err::read_to_string(path)
        {
            let text = format!("\nOutput of part {}, which failed:\n{output}", tasks[place].part);
            sequence.tell(Event::Text { text });
        }
        Err(error)
    }

    fn remove(&mut self, part: &str) -> Result<(), BuildError> {
        let start = self.settings.clock.now();
        let action = Action::Uninstall;
        let sink = self.engine.sink();
        sink.event(Event::PartStarted { part: part.to_owned(), action });
        let options = self.record.recorded(part).cloned().unwrap_or_default();
        let done = self.engine.doing(Activity::Uninstalling(part.to_owned()), |engine| {
            engine.log(Level::Info, None, format!("Uninstalling {part}."));
            let directory = engine.directory().to_owned();
            let uninstall = Uninstall { part, options: &options, directory: &directory };
            work::attempt(part, || engine.uninstall_by_recipe(&uninstall))
                .map_err(|error| BuildError::from_recipe(part, error))?;
            let warn = |message| engine.log(Level::Warning, None, message);
            remove_paths(&directory, self.record.territory(), paths(&options), &warn);
            Ok(())
        });
        let seconds = self.settings.clock.now().duration_since(start).as_secs_f64();
        let part = part.to_owned();
        sink.event(match done {
            Ok(()) => Event::PartFinished { part: part.clone(), action, seconds },
            Err(_) => Event::PartFailed { part: part.clone(), action, seconds },
        });
        done?;
        self.record.remove(&part);
        self.outcome.uninstalled.push(part);
        self.record.save_when_worth(seconds, &*self.settings.clock)
    }
}

/// Works on all parts in their order, until one fails.
fn one_by_one<'b>(engine: &mut Engine, mut books: Books<'b>, sequence: &Arc<Sequence>) -> Books<'b> {
    for place in 0..books.tasks().len() {
        let task = books.tasks()[place];
        let start = books.begin(place, sequence);
        let sink = sequence.part(place, task.part);
        let done = work::here(engine, task, &sink);
        if !books.end(place, start, done, &work::Voice::of(&sink, engine), sequence) {
            break;
        }
    }
    books
}

/// Removes what a part owns. What cannot be removed is reported and left.
///
/// With a `territory`, what is outside of it is reported and left, too.
pub(super) fn remove_paths<'p>(
    directory: &Utf8Path,
    territory: Option<&Territory>,
    paths: impl Iterator<Item = &'p str>,
    warn: &dyn Fn(String),
) {
    for path in paths.filter(|path| !path.is_empty()) {
        let path = crate::profiles::normalise(&directory.join(path));
        if directory.starts_with(&path) {
            warn(format!("'{path}' is not removed: the buildout itself is in it."));
            continue;
        }
        if territory.is_some_and(|territory| !territory.has(&path)) {
            if path.symlink_metadata().is_ok() {
                warn(format!("'{path}' is not removed: it is outside of the buildout."));
            }
            continue;
        }
        if let Err(error) = host::files::remove_tree(&path) {
            warn(format!("Couldn't clean up '{path}': {error}"));
        }
    }
}

/// Paths as they are recorded.
pub(super) fn texts(paths: Vec<Utf8PathBuf>) -> Vec<String> {
    paths.into_iter().map(Utf8PathBuf::into_string).collect()
}
