//! The supervisor and the promises with real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod master;
mod promises;
mod station;
mod supervisor;
