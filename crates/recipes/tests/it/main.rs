//! The recipes in whole builds, by the real engine in a temporary directory.

#![expect(clippy::unwrap_used, reason = "a trial that cannot be set up fails")]

mod golden;
mod trial;

mod commands;
mod compiled;
mod downloads;
mod eggs;
mod files;
mod instance;
mod templates;
mod wrappers;
