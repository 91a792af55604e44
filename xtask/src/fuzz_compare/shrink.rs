//! Makes a differing case small: takes out what can go while it differs.

use super::case::Case;
use super::engines::Engines;
use crate::cases::Verdict;
use crate::step::Failure;

/// A case that differs, too, and of which nothing can be taken.
pub(super) fn shrink(mut case: Case, engines: &mut Engines) -> Result<Case, Failure> {
    loop {
        let mut smaller = None;
        for candidate in candidates(&case) {
            if matches!(engines.read(&candidate)?, Verdict::Different(_)) {
                smaller = Some(candidate);
                break;
            }
        }
        match smaller {
            Some(smaller) => case = smaller,
            None => return Ok(case),
        }
    }
}

/// The case with one thing less, the largest things first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut candidates = Vec::new();
    for profile in 0..case.profiles.len() {
        if !case.profiles[profile].is_empty() {
            let mut less = case.clone();
            less.profiles[profile].clear();
            candidates.push(less);
        }
    }
    if !case.defaults.is_empty() {
        candidates.push(Case { defaults: Vec::new(), ..case.clone() });
    }
    for assignment in 0..case.assignments.len() {
        let mut less = case.clone();
        less.assignments.remove(assignment);
        candidates.push(less);
    }
    for profile in 0..case.profiles.len() {
        for line in 0..case.profiles[profile].len() {
            let mut less = case.clone();
            less.profiles[profile].remove(line);
            candidates.push(less);
        }
    }
    for line in 0..case.defaults.len() {
        let mut less = case.clone();
        less.defaults.remove(line);
        candidates.push(less);
    }
    candidates
}
