//! `cargo xtask fuzz-compare`: generated profiles, read by our engine and by zc.buildout's, must mean the same.

mod case;
mod engines;
mod generate;
mod shrink;

use engines::Engines;

use crate::cases::{Comparer, Request, Verdict, compare_all};
use crate::requirement;
use crate::step::Failure;

const USAGE: &str = "usage: cargo xtask fuzz-compare [--cases N] [--first N] [--seed S] [--show N]";

/// Compares so many cases, each made from the seed and its number; prints those that differ, made small.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let request = Request::parse(words, 10_000, USAGE)?;
    requirement::prepare()?;
    compare_all(&request, Engines::start)
}

impl Comparer for Engines {
    fn compare(&mut self, seed: u64, number: u64) -> Result<Verdict, Failure> {
        self.read(&generate::case(seed, number))
    }

    fn show(&mut self, seed: u64, number: u64) -> Result<String, Failure> {
        let small = shrink::shrink(generate::case(seed, number), self)?;
        let mut text = small.to_string();
        if let Verdict::Different(difference) = self.read(&small)? {
            text.push_str(&difference);
        }
        Ok(text)
    }
}
