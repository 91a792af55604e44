//! The supervisor and the promises with real processes.

mod promises;
mod station;
mod supervisor;
