//! One computer: format it, install software, run instances, supervise, check promises, report.
//!
//! A pass (`software`, `instance`, `promise`, `report`) reads the whole intended state from the master and the whole
//! observed state from the disk and the process table, decides, then applies. It remembers nothing else, so it can be
//! killed at any instant and run again. Builds are children: this crate never imports the engine that makes them.

pub mod agent;
pub mod configuration;
pub mod environment;
pub mod format;
pub mod instance;
pub mod outcome;
pub mod progress;
pub mod promise;
pub mod report;
pub mod software;
pub mod supervisor;
pub mod watchdog;

mod build;
mod context;
mod intended;
mod offline;
mod pid_file;
mod space;
#[cfg(test)]
mod trial;

pub use configuration::Configuration;
pub use context::{Node, Promises};
