//! How a child ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// How a child ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote on standard output and standard error, in order; of very much the beginning and the end.
    pub output: Vec<u8>,
    /// Whether it was killed because its time was up.
    pub timed_out: bool,
}

impl Finished {
    /// Whether it ended by itself with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status.success() && !self.timed_out
    }

    /// The output as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// What to call the way it ended: `exit code 3`, `signal 9`, or `out of time`.
    #[must_use]
    pub fn verdict(&self) -> String {
        if self.timed_out {
            return "out of time".to_owned();
        }
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "unknown status".to_owned(),
        }
    }
}
