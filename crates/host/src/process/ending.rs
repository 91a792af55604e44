//! The quick end of this process, which takes the children that it follows with it.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::sys::signal::Signal;

use super::group::{end_group, signal_group};

/// Prepares the quick end of this process: kills every child that is followed, with its whole group, so that nothing
/// is left behind. From here on [`is_ending`] is true.
pub fn kill_followed_children() {
    ENDING.store(true, Ordering::SeqCst);
    for pid in FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        signal_group(*pid, Signal::SIGKILL);
    }
}

/// Whether this process is about to end, so that what happens to its children says nothing about them.
#[must_use]
pub fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

static ENDING: AtomicBool = AtomicBool::new(false);

/// The same, for who waits for it.
#[must_use]
pub fn ending() -> &'static AtomicBool {
    &ENDING
}

/// Numbers of the children that are followed.
static FOLLOWED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Keeps a child in the list of those that are followed, until it goes.
#[derive(Debug)]
pub struct Followed(u32);

/// Puts a child of [`Program::spawn`](super::Program::spawn) into the list of those that end quickly with this process,
/// as those of [`Program::run`](super::Program::run) are. When this process is ending already, so is the child.
#[must_use]
pub fn followed(child: &Child) -> Followed {
    FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
    // Whoever is killing the list has seen the child in it, or has said before that this process is ending.
    if is_ending() {
        end_group(child);
    }
    Followed(child.id())
}

impl Drop for Followed {
    fn drop(&mut self) {
        FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::process::Program;

    #[test]
    fn a_child_leaves_the_list_of_the_followed_with_its_mark() {
        let mut child =
            Program::new("/bin/sleep").arg("60").spawn(Stdio::null(), Stdio::null(), Stdio::null()).unwrap();
        let pid = child.id();
        let is_listed = || FOLLOWED.lock().unwrap().contains(&pid);

        let mark = followed(&child);
        assert!(is_listed());
        drop(mark);

        assert!(!is_listed());
        end_group(&child);
        child.wait().unwrap();
    }
}
