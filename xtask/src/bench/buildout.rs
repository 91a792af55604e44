//! The build engine beside zc.buildout: annotate, first install, nothing to do; and what is promised of ours alone.

mod compile;
mod profiles;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;

pub(crate) use compile::run as compile;

use super::figures::{Table, Unit, timed};
use super::side::{Ground, Side, finish};
use crate::step::Failure;

const RUNS: usize = 5;
/// zc.buildout needs longer than this for large profiles.
const LIMIT: Duration = Duration::from_secs(600);
const SIZES: [usize; 3] = [10, 100, 1000];
/// How many times faster than the peer.
const ANNOTATE: f64 = 40.0;
const FIRST: f64 = 20.0;
const NOTHING: f64 = 40.0;
/// Native parts, and how many milliseconds looking after them may take.
const NATIVE: [(usize, f64); 2] = [(50, 10.0), (500, 30.0)];
/// How many milliseconds `annotate` of the largest release may take.
const ERP5: f64 = 200.0;
const GRAPHS: [usize; 4] = [10, 100, 1000, 10_000];

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    for parts in SIZES {
        compare(ground, table, parts)?;
    }
    for (parts, limit) in NATIVE {
        native(ground, table, parts, limit)?;
    }
    match ground.checkout() {
        Some(checkout) => erp5(ground, table, checkout)?,
        None => {
            println!("   (no annotate of ERP5: --checkout DIRECTORY says where the profiles of SlapOS are)");
        }
    }
    for profiles in GRAPHS {
        graph(ground, table, profiles)?;
    }
    Ok(())
}

/// Both engines on the same generated profile.
fn compare(ground: &Ground, table: &mut Table, parts: usize) -> Result<(), Failure> {
    let mut sides = Vec::new();
    for side in Side::BOTH {
        let place = ground.place(&format!("buildout-{parts}"), side)?;
        write(ground, &place, "buildout.cfg", &profiles::chain(ground.peer(), parts))?;
        sides.push((side, place));
    }
    let take_turns = |words: &'static [&'static str], runs: usize, prepare: &dyn Fn(&Utf8Path)| {
        let mut times: [Vec<f64>; 2] = Default::default();
        for _ in 0..runs {
            for ((side, place), times) in sides.iter().zip(&mut times) {
                prepare(place);
                let engine = engine(ground, *side, place, words);
                let (taken, done) = timed(|| finish(&engine, LIMIT));
                done?;
                times.push(taken);
            }
        }
        Ok::<_, Failure>(times)
    };
    let times = take_turns(&["annotate"], RUNS, &|_| ())?;
    compared(table, &format!("annotate, {parts} parts"), &times, ANNOTATE);
    let times = take_turns(&[], 3, &|place| {
        for name in [".installed.cfg", "parts", "eggs", "develop-eggs", "bin"] {
            // What is not there need not go.
            let _ = host::files::remove_tree(&place.join(name));
        }
    })?;
    compared(table, &format!("first install, {parts} parts"), &times, FIRST);
    let times = take_turns(&[], RUNS, &|_| ())?;
    compared(table, &format!("nothing to do, {parts} parts"), &times, NOTHING);
    Ok(())
}

fn compared(table: &mut Table, what: &str, times: &[Vec<f64>; 2], target: f64) {
    table.compare(what, Unit::Milliseconds, &times[0], &times[1], target);
}

/// Our engine on parts of a recipe of its own, with nothing to do.
fn native(ground: &Ground, table: &mut Table, parts: usize, limit: f64) -> Result<(), Failure> {
    let place = ground.place(&format!("native-{parts}"), Side::Ours)?;
    write(ground, &place, "buildout.cfg", &profiles::chain(ground.peer(), parts))?;
    let engine = engine(ground, Side::Ours, &place, &[]);
    finish(&engine, LIMIT)?;
    let times = measure(&engine, 3 * RUNS)?;
    table.limit(&format!("nothing to do, {parts} native parts"), Unit::Milliseconds, &times, limit);
    Ok(())
}

fn erp5(ground: &Ground, table: &mut Table, checkout: &Utf8Path) -> Result<(), Failure> {
    let place = ground.place("erp5", Side::Ours)?;
    let root = checkout.join("software/erp5/software.cfg");
    let engine = engine(ground, Side::Ours, &place, &["-o", "-c"]).args([root.as_str(), "annotate"]);
    let times = measure(&engine, 3 * RUNS)?;
    table.limit("annotate of ERP5", Unit::Milliseconds, &times, ERP5);
    Ok(())
}

/// Our engine on profiles that extend each other.
fn graph(ground: &Ground, table: &mut Table, profiles: usize) -> Result<(), Failure> {
    let place = ground.place(&format!("graph-{profiles}"), Side::Ours)?;
    for (name, text) in profiles::graph(profiles) {
        write(ground, &place, &name, &text)?;
    }
    let times = measure(&engine(ground, Side::Ours, &place, &["annotate"]), RUNS)?;
    table.note(
        &format!("annotate, {profiles} profiles"),
        Unit::Milliseconds,
        super::figures::median(&times),
        None,
    );
    Ok(())
}

fn measure(engine: &Program, runs: usize) -> Result<Vec<f64>, Failure> {
    let mut times = Vec::new();
    // The first run reads from the disk, and may ask Python what it is.
    for round in 0..=runs {
        let (taken, done) = timed(|| finish(engine, LIMIT));
        done?;
        if round > 0 {
            times.push(taken);
        }
    }
    Ok(times)
}

fn engine(ground: &Ground, side: Side, place: &Utf8Path, words: &[&str]) -> Program {
    let programs = ground.programs(side);
    let (program, first): (Utf8PathBuf, &[&str]) = match side {
        Side::Ours => (programs.join("slapos"), &["buildout"]),
        Side::Peer => (programs.join("buildout"), &[]),
    };
    ground.program(program, place).args(first.iter().chain(words).copied())
}

fn write(ground: &Ground, place: &Utf8Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = place.join(name);
    fs::write(&path, text).map_err(|error| error.to_string())?;
    ground.give(&path)
}
