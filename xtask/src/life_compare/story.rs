//! Makes stories: a profile, then what becomes of it, and the words of the command line each time.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};

const PARTS: [&str; 4] = ["a", "b", "c", "d"];
const SECTIONS: [&str; 5] = ["a", "b", "c", "d", "s"];
const FILES: [&str; 5] =
    ["f1", "f2", "dir/f3", "${buildout:bin-directory}/f4", "${:_buildout_section_name_}.txt"];
const VALUES: [&str; 9] =
    ["1", "2", "3", "${buildout:directory}", "two\n  lines", "%(x)s", "  lead", "é", "a=b"];
const WORDS: [&[&str]; 11] = [
    &[],
    &[],
    &[],
    &[],
    &["install", "a"],
    &["install", "b", "c"],
    &["-q"],
    &["a:x=9"],
    &["buildout:parts=c"],
    &["buildout:parts=b a"],
    &["-o"],
];

/// One build of a story.
pub(super) struct Stage {
    pub(super) profile: String,
    pub(super) words: &'static [&'static str],
}

/// Options of each part, and which parts are asked for.
#[derive(Clone)]
struct State {
    parts: Vec<Vec<String>>,
    asked: Vec<&'static str>,
    shared: &'static str,
}

/// The story of that number: two to four builds.
pub(super) fn story(seed: u64, number: u64) -> Vec<Stage> {
    let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
    let mut state = State {
        parts: PARTS.iter().map(|_| options(&mut rng)).collect(),
        asked: asked(&mut rng),
        shared: "1",
    };
    let mut stages = vec![stage(&state, &mut rng)];
    for _ in 0..rng.random_range(1..=3) {
        change(&mut state, &mut rng);
        stages.push(stage(&state, &mut rng));
    }
    stages
}

fn any<'a>(rng: &mut StdRng, choices: &[&'a str]) -> &'a str {
    choices.choose(rng).expect("there are choices")
}

fn asked(rng: &mut StdRng) -> Vec<&'static str> {
    let mut parts = PARTS.to_vec();
    parts.shuffle(rng);
    parts.truncate(rng.random_range(1..=4));
    parts
}

fn options(rng: &mut StdRng) -> Vec<String> {
    let recipe = any(rng, &["", "", "", ":tidy", ":tidy", ":bare"]);
    let mut lines = vec![format!("recipe = trial_recipe{recipe}")];
    let mut add = |rng: &mut StdRng, percent: u32, line: &dyn Fn(&mut StdRng) -> String| {
        if rng.random_ratio(percent, 100) {
            let line = line(rng);
            lines.push(line);
        }
    };
    add(rng, 50, &|rng| format!("x = {}", any(rng, &VALUES)));
    add(rng, 30, &|rng| {
        let option = any(rng, &["x", "x", "result", "location", "_buildout_section_name_"]);
        format!("y = ${{{}:{option}}}", any(rng, &SECTIONS))
    });
    add(rng, 20, &|rng| format!("sets = {}", any(rng, &["1", "2"])));
    add(rng, 15, &|rng| format!("reads = {}", any(rng, &SECTIONS)));
    add(rng, 30, &|_| "location =".to_owned());
    add(rng, 60, &|rng| format!("files = {} {}", any(rng, &FILES), any(rng, &FILES)));
    add(rng, 15, &|rng| format!("created = {}", any(rng, &["", "1"])));
    // What gives back less than it has recorded is a known difference.
    add(rng, 20, &|_| "update-gives = paths".to_owned());
    add(rng, 8, &|rng| format!("fail = {}", any(rng, &["initialise", "install", "update", "uninstall"])));
    add(rng, 10, &|_| "how = error".to_owned());
    add(rng, 12, &|rng| format!("<part-dependencies> = {} {}", any(rng, &SECTIONS), any(rng, &SECTIONS)));
    lines.shuffle(rng);
    lines
}

fn change(state: &mut State, rng: &mut StdRng) {
    for part in &mut state.parts {
        if rng.random_ratio(35, 100) {
            *part = options(rng);
        } else if part.len() > 1 && rng.random_ratio(20, 100) {
            part.pop();
        }
    }
    if rng.random_ratio(60, 100) {
        state.asked = asked(rng);
    }
    state.shared = any(rng, &["1", "2"]);
}

fn stage(state: &State, rng: &mut StdRng) -> Stage {
    let mut profile =
        format!("[buildout]\nindex = file:///nonexistent/\nparts = {}\n", state.asked.join(" "));
    for (name, lines) in PARTS.iter().zip(&state.parts) {
        let _ = write!(profile, "\n[{name}]\n{}\n", lines.join("\n"));
    }
    let _ = write!(profile, "\n[s]\nx = {}\n", state.shared);
    let words = WORDS.choose(rng).copied().unwrap_or_default();
    Stage { profile, words }
}
