//! `cargo xtask bench`: our program and the Python SlapOS, side by side in one run.

mod buildout;
mod cloud;
mod deploy;
mod figures;
mod load;
mod master;
mod memory;
mod pass;
mod side;
mod start;

use camino::Utf8PathBuf;

use crate::requirement;
use crate::step::{Failure, cargo, step, top};
use figures::Table;
use side::Ground;

type Benchmark = fn(&Ground, &mut Table) -> Result<(), Failure>;

/// Every benchmark, in the order in which they run.
const BENCHMARKS: &[(&str, Benchmark)] = &[
    ("start", start::run),
    ("master", master::run),
    ("deploy", deploy::run),
    ("pass", pass::run),
    ("memory", memory::run),
    ("buildout", buildout::run),
    ("buildout-compile", buildout::compile),
];

/// Runs the benchmarks that are named, or all, and prints their table. `buildout` means those of its parts, too. A target that is missed is no failure of the
/// task: the table says so.
///
/// `--program PATH` measures that program instead of the one that it builds; `--checkout DIRECTORY` says where the
/// profiles of SlapOS are, which some measure.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let (mut program, mut checkout, mut names) = (None, None, words);
    while let ["--program" | "--checkout", path, rest @ ..] = names {
        let option = if names[0] == "--program" { &mut program } else { &mut checkout };
        *option = Some(Utf8PathBuf::from(*path));
        names = rest;
    }
    if let Some(unknown) = names.iter().find(|name| !BENCHMARKS.iter().any(|(known, _)| means(name, known))) {
        let known: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no benchmark {unknown}; there are {}", known.join(", ")));
    }
    requirement::prepare()?;
    let program = match program {
        Some(program) => program,
        None => {
            step("the program, as released", &cargo(["build", "--release", "--package", "slapos"]))?;
            top().join("target/release/slapos")
        }
    };
    let ground = Ground::prepare(&program, checkout)?;
    let mut table = Table::default();
    let is_wanted = |known: &str| names.is_empty() || names.iter().any(|name| means(name, known));
    for (name, benchmark) in BENCHMARKS.iter().filter(|(name, _)| is_wanted(name)) {
        println!("── {name}");
        benchmark(&ground, &mut table)?;
    }
    println!("\n{table}");
    Ok(())
}

/// Whether a word of the command line means a benchmark.
fn means(word: &str, benchmark: &str) -> bool {
    benchmark.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
