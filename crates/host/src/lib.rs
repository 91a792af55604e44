//! The machine: files, locks, processes, signals, users, network, clock.
//!
//! This is the only crate that touches the kernel or starts a process. It knows nothing of SlapOS.

pub mod clock;
pub mod files;
pub mod locks;
pub mod process;
pub mod python;
pub mod signals;
pub mod users;
