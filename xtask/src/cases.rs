//! Generated cases that two engines must treat alike: made from a seed and a number, compared on all processors.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::step::Failure;

/// How a case went.
pub(crate) enum Verdict {
    /// Alike: what it is.
    Same(String),
    /// How they differ.
    Different(String),
    /// Python's engine fails with an internal error, or a difference is known: why there is nothing to compare with.
    Incomparable(String),
}

/// Both engines, ready for one case after the other.
pub(crate) trait Comparer: Send {
    fn compare(&mut self, seed: u64, number: u64) -> Result<Verdict, Failure>;

    /// A differing case, and how it differs, for a person.
    fn show(&mut self, seed: u64, number: u64) -> Result<String, Failure>;
}

/// Compares all cases; `start` makes what one thread needs. Fails when cases differ.
pub(crate) fn compare_all<C: Comparer>(
    request: &Request,
    start: impl Fn() -> Result<C, Failure>,
) -> Result<(), Failure> {
    let count = std::thread::available_parallelism().map_or(1, NonZero::get);
    let comparers = (0..count).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
    let tally = Tally::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = comparers
            .into_iter()
            .map(|comparer| scope.spawn(|| compare_until_all_are_done(request, &tally, comparer)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err("a thread of the comparison has panicked".to_owned()))
        })
    })?;
    tally.report(request)
}

fn compare_until_all_are_done(
    request: &Request,
    tally: &Tally,
    mut comparer: impl Comparer,
) -> Result<(), Failure> {
    loop {
        let number = tally.next.fetch_add(1, Ordering::Relaxed);
        if number >= request.cases {
            return Ok(());
        }
        let number = request.first + number;
        let verdict = comparer.compare(request.seed, number)?;
        if tally.count(verdict, request) {
            let shown = comparer.show(request.seed, number)?;
            println!("── case {number}\n{shown}");
        }
    }
}

/// What was asked for.
pub(crate) struct Request {
    /// The number of the first case.
    first: u64,
    /// How many cases.
    cases: u64,
    seed: u64,
    /// How many differing cases are shown.
    shown: u64,
}

impl Request {
    /// What the words ask for; so many cases unless they say.
    pub(crate) fn parse(words: &[&str], cases: u64, usage: &str) -> Result<Self, Failure> {
        let mut request = Self { first: 0, cases, seed: 1, shown: 5 };
        for pair in words.chunks(2) {
            let [name, number] = pair else { return Err(usage.to_owned()) };
            let number: u64 = number.parse().map_err(|_| usage.to_owned())?;
            match *name {
                "--first" => request.first = number,
                "--cases" => request.cases = number,
                "--seed" => request.seed = number,
                "--show" => request.shown = number,
                _ => return Err(usage.to_owned()),
            }
        }
        Ok(request)
    }
}

/// What has been seen so far, by all threads.
struct Tally {
    start: Instant,
    next: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    done: u64,
    differing: u64,
    classes: BTreeMap<String, u64>,
    /// By what kept them from being compared.
    incomparable: BTreeMap<String, u64>,
}

impl Tally {
    fn new() -> Self {
        Self { start: Instant::now(), next: AtomicU64::new(0), seen: Mutex::default() }
    }

    /// Counts a case; says whether it shall be shown.
    fn count(&self, verdict: Verdict, request: &Request) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_shown = false;
        match verdict {
            Verdict::Same(class) => *seen.classes.entry(class).or_default() += 1,
            Verdict::Incomparable(why) => *seen.incomparable.entry(why).or_default() += 1,
            Verdict::Different(_) => {
                seen.differing += 1;
                is_shown = seen.differing <= request.shown;
            }
        }
        seen.done += 1;
        if seen.done.is_multiple_of((request.cases / 20).max(10)) {
            println!("{} cases, {} differ, {} s", seen.done, seen.differing, self.start.elapsed().as_secs());
        }
        is_shown
    }

    fn report(&self, request: &Request) -> Result<(), Failure> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        println!("what the cases are:");
        for (class, count) in &seen.classes {
            println!("  {count:8}  {class}");
        }
        println!("what could not be compared:");
        for (why, count) in &seen.incomparable {
            println!("  {count:8}  {why}");
        }
        let (cases, seed, differing) = (seen.done, request.seed, seen.differing);
        println!("{cases} cases of seed {seed} in {} s: {differing} differ", self.start.elapsed().as_secs());
        if differing == 0 { Ok(()) } else { Err(format!("{differing} cases differ")) }
    }
}
