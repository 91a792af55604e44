//! `cargo xtask life-compare`: generated buildouts, built again and again while their profiles change, by our engine and
//! by zc.buildout; both must print the same, and leave the same files and the same record.

mod buildouts;
mod observe;
mod story;

use buildouts::Buildouts;

use crate::cases::{Comparer, Request, Verdict, compare_all};
use crate::requirement;
use crate::step::{Failure, cargo, step};

const USAGE: &str = "usage: cargo xtask life-compare [--cases N] [--first N] [--seed S] [--show N]";

/// Compares so many stories, each made from the seed and its number; prints those that differ.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let request = Request::parse(words, 200, USAGE)?;
    requirement::prepare()?;
    step("the program", &cargo(["build", "--package", "slapos"]))?;
    let recipe = buildouts::prepare_recipe()?;
    compare_all(&request, || Buildouts::new(&recipe))
}

impl Comparer for Buildouts {
    fn compare(&mut self, seed: u64, number: u64) -> Result<Verdict, Failure> {
        self.live(&story::story(seed, number))
    }

    fn show(&mut self, seed: u64, number: u64) -> Result<String, Failure> {
        match self.live(&story::story(seed, number))? {
            Verdict::Different(difference) => Ok(difference),
            Verdict::Same(_) | Verdict::Incomparable(_) => Ok("the second time they are alike".to_owned()),
        }
    }
}
