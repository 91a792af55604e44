//! `cargo xtask fuzz-compare`: generated profiles, read by our engine and by zc.buildout's, must mean the same.

mod case;
mod engines;
mod generate;
mod shrink;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use case::Case;
use engines::{Engines, Verdict};

use crate::requirement;
use crate::step::Failure;

const USAGE: &str = "usage: cargo xtask fuzz-compare [--cases N] [--first N] [--seed S] [--show N]";
/// How many differing cases are shown unless `--show` says.
const SHOWN: u64 = 5;

/// Compares so many cases, each made from the seed and its number, on all processors; prints those that differ, made
/// small.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let request = Request::parse(words)?;
    requirement::prepare()?;
    let count = std::thread::available_parallelism().map_or(1, NonZero::get);
    let engines = (0..count).map(|_| Engines::start()).collect::<Result<Vec<_>, _>>()?;
    let tally = Tally::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = engines
            .into_iter()
            .map(|engines| scope.spawn(|| compare_until_all_are_done(&request, &tally, engines)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err("a thread of the comparison has panicked".to_owned()))
        })
    })?;
    tally.report(&request)
}

/// What was asked for.
struct Request {
    /// The number of the first case.
    first: u64,
    /// How many cases.
    cases: u64,
    seed: u64,
    /// How many differing cases are shown.
    shown: u64,
}

impl Request {
    fn parse(words: &[&str]) -> Result<Self, Failure> {
        let mut request = Self { first: 0, cases: 10_000, seed: 1, shown: SHOWN };
        for pair in words.chunks(2) {
            let [name, number] = pair else { return Err(USAGE.to_owned()) };
            let number: u64 = number.parse().map_err(|_| USAGE.to_owned())?;
            match *name {
                "--first" => request.first = number,
                "--cases" => request.cases = number,
                "--seed" => request.seed = number,
                "--show" => request.shown = number,
                _ => return Err(USAGE.to_owned()),
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
        if seen.done.is_multiple_of(5000) {
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

fn compare_until_all_are_done(request: &Request, tally: &Tally, mut engines: Engines) -> Result<(), Failure> {
    loop {
        let number = tally.next.fetch_add(1, Ordering::Relaxed);
        if number >= request.cases {
            return Ok(());
        }
        let number = request.first + number;
        let case = generate::case(request.seed, number);
        let verdict = engines.compare(&case)?;
        if tally.count(verdict, request) {
            show(number, case, &mut engines)?;
        }
    }
}

fn show(number: u64, case: Case, engines: &mut Engines) -> Result<(), Failure> {
    let small = shrink::shrink(case, engines)?;
    println!("── case {number}\n{small}");
    if let Verdict::Different(difference) = engines.compare(&small)? {
        println!("{difference}");
    }
    Ok(())
}
