//! Two parts that have nothing to do with each other, each keeping a processor busy as a compiler does: one after the
//! other, and beside each other.

use std::time::Duration;

use buildout::{
    Action, CommandLine, OptionDoc, Part, Recipe, RecipeError, RecipeKind, Section, Settings, Turn,
};
use camino::Utf8PathBuf;
use fs_err as fs;
use host::process::Program;

use super::super::figures::{Table, Unit, timed};
use crate::step::Failure;

const RUNS: usize = 3;
/// How many times faster with two jobs than with one.
const TARGET: f64 = 1.7;
const PROFILE: &str = "[buildout]\nparts = a b\n[a]\nrecipe = bench:compile\n[b]\nrecipe = bench:compile\n";
const WORK: &str = "i=0; while [ $i -lt 1500000 ]; do i=$((i+1)); done";

/// Keeps a processor busy for seconds.
struct Compile;

impl RecipeKind for Compile {
    fn names(&self) -> &'static [&'static str] {
        &["bench:compile"]
    }

    fn summary(&self) -> &'static str {
        "keep a processor busy"
    }

    fn options(&self) -> &'static [OptionDoc] {
        &[]
    }

    fn initialise(&self, _: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::new(Self))
    }
}

impl Recipe for Compile {
    fn turn(&self, _: Action) -> Turn {
        Turn::Beside
    }

    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let work = Program::new("/bin/sh").args(["-c", WORK]);
        let done = work.run(Some(Duration::from_secs(300)), &mut |_| {});
        match done {
            Ok(finished) if finished.success() => Ok(Vec::new()),
            Ok(finished) => Err(RecipeError::new(format!("the work ended with {}", finished.verdict()))),
            Err(error) => Err(RecipeError::new("the work cannot be started").because(error)),
        }
    }
}

pub(super) fn run(table: &mut Table) -> Result<(), Failure> {
    let mut times: [Vec<f64>; 2] = Default::default();
    for _ in 0..RUNS {
        for (jobs, times) in ["2", "1"].into_iter().zip(&mut times) {
            let (taken, done) = timed(|| build(jobs));
            done?;
            times.push(taken);
        }
    }
    table.compare("two parts, -j2 beside -j1", Unit::Milliseconds, &times[0], &times[1], TARGET);
    Ok(())
}

fn build(jobs: &str) -> Result<(), Failure> {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    fs::write(place.path().join("buildout.cfg"), PROFILE).map_err(|error| error.to_string())?;
    let line =
        CommandLine::parse(["-U", "-j", jobs].map(str::to_owned)).map_err(|error| error.to_string())?;
    let place = Utf8PathBuf::try_from(place.path().to_owned()).map_err(|error| error.to_string())?;
    let mut settings = Settings::new(line, place);
    settings.registry = &[&Compile];
    buildout::run(settings).map(drop).map_err(|error| buildout::report::render(&error, false))
}
