//! What is written down of the work on parts: in the record of installed parts, in the outcome, as failures.

use std::collections::BTreeMap;

use host::clock::Clock;
use jiff::Timestamp;

use super::install::Options;
use super::parts::remove_paths;
use super::record::Record;
use super::sequence::Sequence;
use super::work::Voice;
use crate::foreign::WORKER_LOST;
use crate::installed::paths;
use crate::{Action, BuildError, Dialect, Event};

/// One part to work on.
#[derive(Clone, Copy)]
pub(super) struct Task<'t> {
    pub(super) part: &'t str,
    pub(super) action: Action,
    /// Whether options of it that nobody reads are told.
    pub(super) warns: bool,
    /// What is to be recorded of it.
    pub(super) options: &'t Options,
}

/// The books of one run. Parts are known by their places in the classic order.
pub(super) struct Books<'b> {
    record: &'b mut Record,
    clock: &'b dyn Clock,
    tasks: &'b [Task<'b>],
    is_done: Vec<bool>,
    failed: BTreeMap<usize, BuildError>,
    dialect: Dialect,
}

impl<'b> Books<'b> {
    pub(super) fn new(
        record: &'b mut Record,
        clock: &'b dyn Clock,
        tasks: &'b [Task<'b>],
        dialect: Dialect,
    ) -> Self {
        record.order(tasks.iter().map(|task| task.part));
        Self { record, clock, tasks, is_done: vec![false; tasks.len()], failed: BTreeMap::new(), dialect }
    }

    pub(super) fn tasks(&self) -> &'b [Task<'b>] {
        self.tasks
    }

    /// The work on a part begins.
    pub(super) fn begin(&self, place: usize, sequence: &Sequence) -> Timestamp {
        let Task { part, action, .. } = self.tasks[place];
        sequence.tell(Event::PartStarted { part: part.to_owned(), action });
        self.clock.now()
    }

    /// The work on a part ended; `done` has the paths that its recipe gave. Tells whether it ended well.
    pub(super) fn end(
        &mut self,
        place: usize,
        start: Timestamp,
        done: Result<Vec<String>, BuildError>,
        voice: &Voice<'_>,
        sequence: &Sequence,
    ) -> bool {
        let Task { part, action, .. } = self.tasks[place];
        let seconds = self.clock.now().duration_since(start).as_secs_f64();
        let done = done.inspect_err(|error| {
            // A recipe that ends the process ends the Python engine with it, and so does not change its record.
            if self.dialect == Dialect::Slapos || error.code() != WORKER_LOST {
                self.forget_update(place, voice);
            }
        });
        sequence.end(place);
        let part = part.to_owned();
        let done = match done {
            Ok(paths) => {
                self.note(place, paths);
                sequence.tell(Event::PartFinished { part, action, seconds });
                // What was merely looked after need not be remembered before the end.
                if action == Action::Update {
                    Ok(())
                } else {
                    self.record.save_when_worth(seconds, self.clock)
                }
            }
            Err(error) => {
                sequence.tell(Event::PartFailed { part, action, seconds });
                Err(error)
            }
        };
        let is_well = done.is_ok();
        if let Err(error) = done {
            self.failed.insert(place, error);
        }
        is_well
    }

    /// What a failed update left is not trusted: the next build starts from nothing.
    fn forget_update(&mut self, place: usize, voice: &Voice<'_>) {
        let Task { part, action, .. } = self.tasks[place];
        if action == Action::Update
            && let Some(recorded) = self.record.remove(part)
        {
            let warn = |message| voice.warn(message);
            remove_paths(voice.directory, self.record.territory(), paths(&recorded), &warn);
        }
    }

    fn note(&mut self, place: usize, given: Vec<String>) {
        let Task { part, action, options, .. } = self.tasks[place];
        self.is_done[place] = true;
        if action != Action::Update {
            self.record.put(part, options.clone(), &given);
            return;
        }
        let recorded = self.record.recorded(part).map(paths);
        let mut owned: Vec<String> = recorded.into_iter().flatten().map(str::to_owned).collect();
        let count = owned.len();
        for path in given {
            if !owned.contains(&path) {
                owned.push(path);
            }
        }
        if owned.len() > count && self.dialect == Dialect::Slapos {
            owned.sort_unstable();
        }
        self.record.put(part, options.clone(), &owned);
    }

    /// The parts that were installed, those that were updated, and what failed, each in the order of the parts.
    pub(super) fn close(self) -> (Vec<String>, Vec<String>, Vec<(usize, BuildError)>) {
        let with = |wanted: fn(Action) -> bool| {
            let done = self.tasks.iter().zip(&self.is_done);
            let done = done.filter(|(task, is_done)| **is_done && wanted(task.action));
            done.map(|(task, _)| task.part.to_owned()).collect()
        };
        let installed = with(|action| action != Action::Update);
        let updated = with(|action| action == Action::Update);
        (installed, updated, self.failed.into_iter().collect())
    }
}
