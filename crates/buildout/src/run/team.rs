//! Several parts worked on at once: a few threads take the parts whose recipes allow it, the thread of the engine
//! takes the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::books::{Books, Task};
use super::sequence::Sequence;
use super::work::{self, Voice};
use crate::desk::{Desk, Snapshot};
use crate::engine::{Activity, Engine};
use crate::schedule::{Schedule, Step};
use crate::{BuildError, Recipe, Turn};

/// A recipe may nest calls, but does not follow references of profiles; only what is used takes memory.
const STACK: usize = 16 * 1024 * 1024;

/// What the schedule has to know of the parts.
pub(super) fn steps(engine: &Engine, tasks: &[Task<'_>]) -> Vec<Step> {
    let mut steps: Vec<Step> = tasks
        .iter()
        .map(|task| Step {
            turn: engine.turn(task.part, task.action),
            needs: BTreeSet::new(),
            changes_environment: engine.is_foreign(task.part),
        })
        .collect();
    if steps.iter().all(|step| step.turn != Turn::Beside) {
        return steps;
    }
    let places: HashMap<&str, usize> =
        tasks.iter().enumerate().map(|(place, task)| (task.part, place)).collect();
    for (step, task) in steps.iter_mut().zip(tasks) {
        if step.turn != Turn::InOrder {
            step.needs = needs(engine, task.part, &places);
        }
    }
    steps
}

/// The nearest parts behind the references of a part.
pub(super) fn needs(engine: &Engine, part: &str, places: &HashMap<&str, usize>) -> BTreeSet<usize> {
    let mut needs = BTreeSet::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&str> = vec![part];
    while let Some(section) = todo.pop() {
        for read in engine.reads(section).into_iter().flatten() {
            match places.get(read.as_str()) {
                Some(place) => {
                    needs.insert(*place);
                }
                None if seen.insert(read) => todo.push(read),
                None => {}
            }
        }
    }
    needs
}

/// A part that a thread takes, with what it needs beside the snapshot.
struct Beside {
    place: usize,
    recipe: Box<dyn Recipe>,
    environment: BTreeMap<String, String>,
}

/// What the threads share.
struct Table<'b> {
    schedule: Schedule,
    books: Books<'b>,
    /// The recipes of the parts that are worked on beside others, by place.
    recipes: HashMap<usize, Box<dyn Recipe>>,
    /// The environment of programs, as the parts in order have made it.
    environment: BTreeMap<String, String>,
}

struct Team<'b> {
    table: Mutex<Table<'b>>,
    /// Something at the table changed.
    changed: Condvar,
    tasks: &'b [Task<'b>],
    sequence: &'b Arc<Sequence>,
    snapshot: Arc<Snapshot>,
    /// What the build as a whole is doing.
    above: Vec<String>,
}

/// Works on all parts. When one has failed, those before it are still completed, and those after it not begun.
pub(super) fn together<'b>(
    engine: &mut Engine,
    books: Books<'b>,
    steps: &[Step],
    sequence: &'b Arc<Sequence>,
) -> Result<Books<'b>, BuildError> {
    let tasks = books.tasks();
    let some_part = Activity::Installing(String::new());
    let mut recipes = HashMap::new();
    for (place, step) in steps.iter().enumerate() {
        if step.turn == Turn::Beside
            && let Some(recipe) = engine.take_recipe(tasks[place].part)
        {
            recipes.insert(place, recipe);
        }
    }
    let threads = engine.jobs.limit().min(recipes.len());
    let table =
        Table { schedule: Schedule::new(steps), books, recipes, environment: engine.environment.clone() };
    let team = Team {
        table: Mutex::new(table),
        changed: Condvar::new(),
        tasks,
        sequence,
        snapshot: Arc::new(engine.snapshot()?),
        above: engine.activities_around(Some(&some_part)),
    };
    let started = std::thread::scope(|scope| {
        for _ in 0..threads {
            let thread = std::thread::Builder::new().name("part".to_owned()).stack_size(STACK);
            if let Err(source) = thread.spawn_scoped(scope, || team.work_beside()) {
                // Whoever is there already must not wait for parts that nobody begins.
                team.table().schedule.give_up();
                team.changed.notify_all();
                return Err(BuildError::file("cannot start a thread", source));
            }
        }
        team.work_here(engine);
        Ok(())
    });
    let table = team.table.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (place, recipe) in table.recipes {
        engine.put_recipe(tasks[place].part, recipe);
    }
    started?;
    Ok(table.books)
}

impl<'b> Team<'b> {
    /// Takes the parts that may be worked on beside others, until no other is to be begun.
    fn work_beside(&self) {
        while let Some(Beside { place, mut recipe, environment }) = self.next_beside() {
            let task = self.tasks[place];
            let sink = self.sequence.part(place, task.part);
            let desk = Desk::new(Arc::clone(&self.snapshot), task.part, environment, sink.clone());
            let token = self.snapshot.jobs.token();
            let mut table = self.table();
            if !table.schedule.may_begin(place) {
                // A part before this one failed while this one waited for a job.
                table.recipes.insert(place, recipe);
                continue;
            }
            let start = table.books.begin(place, self.sequence);
            drop(table);
            let done = work::beside(&desk, &mut *recipe, task, &sink, &self.above);
            drop(token);
            let mut table = self.table();
            table.recipes.insert(place, recipe);
            let voice = Voice::at(&sink, desk.directory());
            table.end(place, start, done, &voice, self.sequence);
            drop(table);
            self.changed.notify_all();
        }
    }

    fn next_beside(&self) -> Option<Beside> {
        let mut table = self.table();
        loop {
            if table.schedule.is_complete() {
                return None;
            }
            if let Some(place) = table.schedule.next_beside() {
                let recipe = table.recipes.remove(&place).expect("each such part has its recipe here");
                return Some(Beside { place, recipe, environment: table.environment.clone() });
            }
            table = self.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the parts that need the engine or hardly any time, until no other is to be begun.
    fn work_here(&self, engine: &mut Engine) {
        while let Some(place) = self.next_here() {
            let task = self.tasks[place];
            let sink = self.sequence.part(place, task.part);
            let start = self.table().books.begin(place, self.sequence);
            let done = work::here(engine, task, &sink);
            let mut table = self.table();
            if table.environment != engine.environment {
                table.environment.clone_from(&engine.environment);
            }
            table.end(place, start, done, &Voice::of(&sink, engine), self.sequence);
            drop(table);
            self.changed.notify_all();
        }
    }

    fn next_here(&self) -> Option<usize> {
        let mut table = self.table();
        loop {
            if table.schedule.is_complete() {
                return None;
            }
            if let Some(place) = table.schedule.next_here() {
                return Some(place);
            }
            table = self.changed.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<'b>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table<'_> {
    fn end(
        &mut self,
        place: usize,
        start: Timestamp,
        done: Result<Vec<String>, BuildError>,
        voice: &Voice<'_>,
        sequence: &Sequence,
    ) {
        if self.books.end(place, start, done, voice, sequence) {
            self.schedule.finish(place);
        } else if host::process::is_ending() {
            self.schedule.give_up();
        } else {
            self.schedule.fail(place);
        }
    }
}
