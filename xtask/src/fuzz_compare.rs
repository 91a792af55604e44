//! `cargo xtask fuzz-compare`: generated profiles, read by our engine and by zc.buildout's, must mean the same.

mod case;
mod engines;
mod generate;
mod shrink;

use std::collections::BTreeMap;
use std::time::Instant;

use case::Case;
use engines::{Engines, Verdict};

use crate::requirement;
use crate::step::Failure;

const USAGE: &str = "usage: cargo xtask fuzz-compare [--cases N] [--seed S] [--show N]";
/// How many differing cases are shown unless `--show` says.
const SHOWN: u64 = 5;

/// Compares so many cases, each made from the seed and its number; prints those that differ, made small.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let (mut cases, mut seed, mut shown) = (10_000, 1, SHOWN);
    for pair in words.chunks(2) {
        let [name, number] = pair else { return Err(USAGE.to_owned()) };
        let number: u64 = number.parse().map_err(|_| USAGE.to_owned())?;
        match *name {
            "--cases" => cases = number,
            "--seed" => seed = number,
            "--show" => shown = number,
            _ => return Err(USAGE.to_owned()),
        }
    }
    requirement::prepare()?;
    let mut engines = Engines::start()?;
    let start = Instant::now();
    let (mut differing, mut incomparable) = (0, 0);
    let mut classes: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..cases {
        let case = generate::case(seed, number);
        match engines.compare(&case)? {
            Verdict::Same(class) => *classes.entry(class).or_default() += 1,
            Verdict::Incomparable => incomparable += 1,
            Verdict::Different(_) => {
                differing += 1;
                if differing <= shown {
                    show(number, case, &mut engines)?;
                }
            }
        }
        if (number + 1) % 5000 == 0 {
            println!("{} cases, {differing} differ, {} s", number + 1, start.elapsed().as_secs());
        }
    }
    println!("what the cases are:");
    for (class, count) in &classes {
        println!("  {count:8}  {class}");
    }
    println!("  {incomparable:8}  incomparable: zc.buildout itself is at fault");
    println!("{cases} cases of seed {seed} in {} s: {differing} differ", start.elapsed().as_secs());
    if differing == 0 { Ok(()) } else { Err(format!("{differing} cases differ")) }
}

fn show(number: u64, case: Case, engines: &mut Engines) -> Result<(), Failure> {
    let small = shrink::shrink(case, engines)?;
    println!("── case {number}\n{small}");
    if let Verdict::Different(difference) = engines.compare(&small)? {
        println!("{difference}");
    }
    Ok(())
}
