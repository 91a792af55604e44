//! What a resolution tells: each line once, however often the walk is repeated.

use std::collections::HashSet;
use std::sync::Mutex;

use super::at_once::locked;
use crate::Level;

/// Takes the lines that a resolution tells.
pub type Notice<'a> = dyn Fn(Level, &str) + Sync + 'a;

/// Who listens to one resolution, and what he heard already.
pub(super) struct Told<'a> {
    notice: &'a Notice<'a>,
    every_step: bool,
    heard: Mutex<HashSet<String>>,
}

impl<'a> Told<'a> {
    /// Nothing was told yet. Steps that are of interest only to who looks for a fault are told if `every_step`.
    #[must_use]
    pub(super) fn new(notice: &'a Notice<'a>, every_step: bool) -> Self {
        Self { notice, every_step, heard: Mutex::default() }
    }

    /// Whether each step is told.
    #[must_use]
    pub(super) fn every_step(&self) -> bool {
        self.every_step
    }

    /// Tells a step.
    pub(super) fn step(&self, text: impl FnOnce() -> String) {
        if self.every_step {
            self.tell(Level::Debug, text());
        }
    }

    /// Tells what happens, or what may be wrong.
    pub(super) fn tell(&self, level: Level, text: String) {
        if !locked(&self.heard).contains(&text) {
            (self.notice)(level, &text);
            locked(&self.heard).insert(text);
        }
    }
}
