//! Runs a supervisor in the foreground: `supervisord CONFIGURATION`. The tests of this crate use it as a process of
//! its own, since a supervisor takes in every orphan of the process that it lives in.

use std::process::ExitCode;
use std::sync::Arc;

use node::supervisor::{DaemonSettings, run};

fn main() -> ExitCode {
    let Some(configuration) = std::env::args().nth(1) else { return ExitCode::from(2) };
    let settings =
        DaemonSettings { configuration: configuration.into(), clock: Arc::new(host::clock::SystemClock) };
    match run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{error:?}");
            ExitCode::FAILURE
        }
    }
}
