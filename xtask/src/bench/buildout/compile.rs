//! Two programs that have nothing to do with each other, compiled from their sources: one after the other, beside each
//! other, and by the Python engine.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;

use super::super::figures::{Table, Unit, median, timed};
use super::super::side::{Ground, Side, finish};
use super::{LIMIT, engine, write};
use crate::step::Failure;

const RUNS: usize = 3;
/// How many times faster with two jobs than with one.
const TARGET: f64 = 1.7;
/// Files of a program, and functions in each: a compiler works some two or three seconds on them.
const FILES: usize = 24;
const FUNCTIONS: usize = 9;
const MAKEFILE: &str = "objects = $(patsubst %.c,%.o,$(wildcard *.c))\nprogram: $(objects)\n\t$(CC) -o $@ $(objects)\n\
                        install: program\n\tmkdir -p $(prefix)/bin\n\tcp program $(prefix)/bin/\n";

/// Who compiles, and with how many jobs.
#[derive(Clone, Copy)]
struct Contestant {
    side: Side,
    words: &'static [&'static str],
    makeflags: &'static str,
}

const OURS: Contestant = Contestant { side: Side::Ours, words: &["-j", "2"], makeflags: "" };
const ONE_BY_ONE: Contestant = Contestant { words: &["-j", "1"], ..OURS };
const PEER: Contestant = Contestant { side: Side::Peer, words: &[], makeflags: "" };
const PEER_MAKES: Contestant = Contestant { makeflags: "-j2", ..PEER };

pub(crate) fn run(ground: &Ground, table: &mut Table) -> Result<(), Failure> {
    let archive = sources(ground)?;
    let profile = profile(ground, &archive);
    let contestants = [OURS, ONE_BY_ONE, PEER, PEER_MAKES];
    let mut times: [Vec<f64>; 4] = Default::default();
    for side in Side::BOTH {
        let place = ground.place("compile", side)?;
        write(ground, &place, "buildout.cfg", &profile)?;
    }
    // The first round fetches the Python recipe.
    for number in 0..=RUNS {
        for (contestant, times) in contestants.iter().zip(&mut times) {
            let taken = round(ground, *contestant)?;
            if number > 0 {
                times.push(taken);
            }
        }
    }
    let [ours, one_by_one, peer, peer_makes] = times;
    let unit = Unit::Milliseconds;
    table.compare("two programs compiled, -j2 beside -j1", unit, &ours, &one_by_one, TARGET);
    table.note("two programs compiled, -j2", unit, median(&ours), Some(median(&peer)));
    table.note("the same, the peer's makes with -j2", unit, median(&ours), Some(median(&peer_makes)));
    Ok(())
}

fn round(ground: &Ground, contestant: Contestant) -> Result<f64, Failure> {
    let place = ground.kept_place("compile", contestant.side);
    for name in [".installed.cfg", "parts"] {
        host::files::remove_tree(&place.join(name)).map_err(|error| error.to_string())?;
    }
    let mut program = engine(ground, contestant.side, &place, contestant.words);
    if !contestant.makeflags.is_empty() {
        program = program.env("MAKEFLAGS", contestant.makeflags);
    }
    let (taken, done) = timed(|| finish(&program, LIMIT));
    done?;
    Ok(taken)
}

fn profile(ground: &Ground, archive: &Utf8Path) -> String {
    let peer = ground.peer();
    format!(
        "[buildout]\nfind-links = {peer}/wheels\nindex = file://{peer}/wheels/\nallow-hosts = none.invalid\n\
         versions = versions\nparts = one two\n\
         [versions]\nslapos.recipe.cmmi = 0.23\nslapos.recipe.build = 0.66\nzc.buildout = 3.3\nsetuptools = 75.8.2\n\
         pip = 25.0\nwheel = 0.45.1\n\
         [base]\nrecipe = slapos.recipe.cmmi\nurl = {archive}\nconfigure-command = :\nenvironment =\n  CFLAGS = -O2\n\
         [one]\n<= base\n[two]\n<= base\n"
    )
}

/// An archive with a program of many files.
fn sources(ground: &Ground) -> Result<Utf8PathBuf, Failure> {
    let place = ground.place("compile-sources", Side::Ours)?;
    let directory = place.join("program-1.0");
    let failed = |error: std::io::Error| format!("the sources cannot be written: {error}");
    host::files::ensure_directory(&directory, 0o755).map_err(failed)?;
    fs::write(directory.join("Makefile"), MAKEFILE).map_err(failed)?;
    for file in 0..FILES {
        fs::write(directory.join(format!("file{file}.c")), source(file)).map_err(failed)?;
    }
    let archive = place.join("program-1.0.tar.gz");
    let pack = Program::new("/bin/tar").args(["-C", place.as_str(), "-czf", archive.as_str(), "program-1.0"]);
    finish(&pack.env("PATH", "/usr/bin:/bin"), LIMIT)?;
    ground.give(&archive)?;
    Ok(archive)
}

/// A file with enough in it to keep an optimising compiler busy.
fn source(file: usize) -> String {
    let mut text = String::from("#include <stdlib.h>\n#include <string.h>\n");
    for function in 0..FUNCTIONS {
        let _ = writeln!(
            text,
            "long f{file}_{function}(const char *text, long *into, long count) {{\n  long sum = {function};\n  \
             for (long i = 0; i < count; i++) {{\n    into[i] = into[i] * {function} + strlen(text) % (i + {file} + 1);\n    \
             switch (into[i] & 7) {{ case 0: sum += i; break; case 3: sum ^= into[i]; break; case 5: sum -= text[i]; }}\n    \
             for (long j = i; j < count; j += {function} + 1) sum += into[j] / (j + 1);\n  }}\n  return sum;\n}}"
        );
    }
    if file == 0 {
        text.push_str("int main(void) { return 0; }\n");
    }
    text
}
