//! Promises that are programs: code 0 is success, what they print is the message.

use std::io;
use std::time::Duration;

use camino::Utf8Path;
use host::beneath::Directory;
use host::process::Program;
use host::users::Account;
use jiff::Timestamp;

use super::Mode;
use super::discovery::Promise;
use super::history;

/// How many failures in a row are one while nothing has changed.
const PATIENCE: usize = 3;

/// How much a program may print before the beginning is forgotten, in characters.
const LONGEST_OUTPUT: usize = 64 * 1024;

/// What came of one run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Result { failed: bool, message: String },
    OutOfTime,
}

/// Runs a program as `account` in its partition, notes what it said, and judges.
pub(super) fn run(
    promise: &Promise,
    (directory, account): (&Utf8Path, &Account),
    (mode, limit): (Mode, Duration),
    log: &Directory,
    now: Timestamp,
) -> io::Result<Ended> {
    let program = Program::new(&promise.path)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", account.home.as_str())
        .env("USER", &account.name)
        .env("PYTHONNOUSERSITE", "true")
        .directory(directory)
        .account(account.clone());
    let mut output = String::new();
    let finished = program.run(Some(limit), &mut |line| {
        output.push_str(line);
        output.push('\n');
        if output.len() > 2 * LONGEST_OUTPUT {
            let start = output.char_indices().rev().nth(LONGEST_OUTPUT).map_or(0, |(at, _)| at);
            output.drain(..start);
        }
    })?;
    if finished.timed_out {
        return Ok(Ended::OutOfTime);
    }
    let failed = !finished.success();
    history::append(log, promise.title(), now, failed, output.trim())?;
    let wanted = match mode {
        Mode::Test => 1,
        Mode::Anomaly => PATIENCE,
    };
    let last = history::last(log, promise.title(), wanted)?;
    let message = last.first().map(|run| run.message.clone()).unwrap_or_default();
    Ok(Ended::Result { failed: history::fails(&last, wanted), message })
}
