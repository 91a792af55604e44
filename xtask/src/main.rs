//! The tasks of the project: `cargo xtask check | test | bench | conformance | corpus | fuzz-compare | life-compare`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]

mod bench;
mod cases;
mod check;
mod conformance;
mod corpus;
mod fuzz_compare;
mod life_compare;
mod requirement;
mod step;
mod suite;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  check [--quick]   formatting, lints, documentation, unused and forbidden dependencies, then all tests
                    (--quick: only the shape test)
  test [FILTER…]    sets up what the tests need, builds the program, runs all tests or those whose name holds FILTER
  bench [--program PATH] [--checkout DIRECTORY] [NAME…]
                    start, master, deploy, pass, memory, buildout: side by side with the Python SlapOS; the directory
                    is a checkout of the profiles of SlapOS
  conformance [--python] [--only WORD…]
                    the doctests of zc.buildout with our engine beside its own; docs/compatibility.md lists what may fail
  corpus DIRECTORY  every software release of a checkout of the profiles of SlapOS, read by our engine
  fuzz-compare [--cases N] [--first N] [--seed S] [--show N]
                    generated profiles must mean the same to our engine and to zc.buildout's
  life-compare [--cases N] [--first N] [--seed S] [--show N]
                    generated buildouts that change, built by both, must leave the same files and records
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["check"] => check::run(true),
        ["check", "--quick"] => check::run(false),
        ["test", filters @ ..] => suite::run(filters),
        ["bench", names @ ..] => bench::run(names),
        ["fuzz-compare", words @ ..] => fuzz_compare::run(words),
        ["life-compare", words @ ..] => life_compare::run(words),
        ["corpus", words @ ..] => corpus::run(words),
        ["conformance", words @ ..] => conformance::run(words),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}
