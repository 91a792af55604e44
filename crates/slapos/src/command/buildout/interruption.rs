//! Ctrl+C, and its like: what the parts run is ended with everything below it, the parts that are not complete are cleaned
//! up, what is complete is recorded.

use std::time::Duration;

use host::signals::Interruptions;

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// How long the build may take to end in order.
const GRACE: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(3600);

/// Watches for an interruption from here on, until the process ends. To be called while it has one thread only.
pub(super) fn watch(output: &Output) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Failed, "cannot watch for interruptions").because_of(&error)
    };
    let interruptions = Interruptions::catch().map_err(failed)?;
    let output = output.clone();
    let watcher = std::thread::Builder::new().name("interruption".to_owned());
    watcher.spawn(move || end(&interruptions, &output)).map_err(failed)?;
    Ok(())
}

fn end(interruptions: &Interruptions, output: &Output) {
    loop {
        match interruptions.wait(LONG) {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "interruptions are not heard");
                return;
            }
        }
    }
    host::process::kill_followed_children();
    // The build notices, and ends the process; unless it waits for something that does not come.
    let _ = interruptions.wait(GRACE);
    host::process::kill_followed_children();
    output.say("interrupted; the same command goes on where it was");
    exit();
}

#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "the build does not end, and this is the command"
)]
fn exit() -> ! {
    std::process::exit(i32::from(Kind::Interrupted.exit_code()))
}
