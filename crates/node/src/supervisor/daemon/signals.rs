//! The signals that the daemon acts on.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Those signals, and which came.
pub(super) struct Signals {
    child: Signal,
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
    reopen: Signal,
    saw_end: bool,
    saw_reopen: bool,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
            reopen: signal(SignalKind::user_defined2())?,
            saw_end: false,
            saw_reopen: false,
        })
    }

    /// Waits for one and takes note of it.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.child.recv() => {}
            _ = self.terminate.recv() => self.saw_end = true,
            _ = self.interrupt.recv() => self.saw_end = true,
            _ = self.quit.recv() => self.saw_end = true,
            // A terminal that closes is no reason to end what outlives it.
            _ = self.hang_up.recv() => {}
            _ = self.reopen.recv() => self.saw_reopen = true,
        }
    }

    /// Whether it was told to end since this was asked last.
    pub(super) fn take_end(&mut self) -> bool {
        std::mem::take(&mut self.saw_end)
    }

    /// Whether its logs were moved away since this was asked last.
    pub(super) fn take_reopen(&mut self) -> bool {
        std::mem::take(&mut self.saw_reopen)
    }
}
