//! The machine: files, locks, processes, signals, users, network, clock.
//!
//! This is the only crate that touches the kernel or starts a process. It knows nothing of SlapOS.

pub mod beneath;
pub mod children;
pub mod clock;
pub mod disk;
pub mod files;
pub mod handover;
pub mod inhabitants;
pub mod jobs;
pub mod launcher;
pub mod locks;
pub mod network;
pub mod process;
pub mod python;
pub mod random;
pub mod readable;
pub mod signals;
pub mod system;
pub mod users;
