//! Whole clouds, made by the real program with real processes: what works, what is refused, what survives.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod kill;
mod life;
mod release;

use testkit::cloud::{Cloud, Run};

/// A place for one cloud of the program under test.
fn cloud() -> Cloud {
    Cloud::new(env!("CARGO_BIN_EXE_slapos"))
}

/// The failure that a command ended with, without what differs from run to run, and its exit code.
fn failure(cloud: &Cloud, run: &Run) -> String {
    let start = run.stderr.find("error: ").unwrap_or(0);
    cloud.scrub(&format!("{}exit code {}", &run.stderr[start..], run.code))
}
