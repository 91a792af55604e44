//! Interruptions of this process (INT, TERM, HUP), taken as facts to ask for instead of as its end.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Catches interruptions from its creation until it is dropped. To be made while the process has one thread only:
/// threads that exist already would still be interrupted.
#[derive(Debug)]
pub struct Interruptions {
    signals: SigSet,
    descriptor: SignalFd,
}

impl Interruptions {
    /// Starts to catch them.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn catch() -> io::Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            signals.add(signal);
        }
        signals.thread_block()?;
        let descriptor = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { signals, descriptor })
    }

    /// Waits at most `limit` for one; returns whether one came.
    ///
    /// # Errors
    /// The descriptor cannot be read.
    pub fn wait(&self, limit: Duration) -> io::Result<bool> {
        let mut wanted = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        match poll(&mut wanted, limit) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.descriptor.read_signal()?.is_some())
    }
}

/// Lets a write beyond the largest file that this process may make (`ulimit -f`) fail like any other, instead of ending
/// the process. Children get the default back.
pub fn survive_too_large_files() {
    // SAFETY: to ignore a signal runs no code of ours.
    #[expect(unsafe_code, reason = "no safe wrapper exists")]
    let ignored = unsafe { nix::sys::signal::signal(Signal::SIGXFSZ, nix::sys::signal::SigHandler::SigIgn) };
    ignored.expect("the kernel has this signal, and it can be ignored");
}

impl Drop for Interruptions {
    fn drop(&mut self) {
        let _ = self.signals.thread_unblock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_is_caught_once() {
        let interruptions = Interruptions::catch().unwrap();
        assert!(!interruptions.wait(Duration::ZERO).unwrap());

        // Raised for this thread alone: the others of the test program do not catch it.
        nix::sys::signal::raise(Signal::SIGTERM).unwrap();

        assert!(interruptions.wait(Duration::from_secs(5)).unwrap());
        assert!(!interruptions.wait(Duration::ZERO).unwrap());
    }
}
