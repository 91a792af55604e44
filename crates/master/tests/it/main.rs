//! The master over real HTTP, in process, on a free port of loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod classic;
mod client;
mod crash;
mod forwarding;
mod guard;
mod harness;
mod recorded;
mod requests;
mod watch;
