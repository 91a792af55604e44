//! What happens to a child between fork and exec, and what may delay its exec.

use std::io;
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::users::Account;

/// How often, and how long apart, a program that is still open for writing is tried.
const BUSY_ATTEMPTS: u32 = 100;
const BUSY_PAUSE: Duration = Duration::from_millis(2);

/// Starts a child. A file that was just written may look open for writing for a moment more: another thread was
/// starting a child of its own when it was, and that child holds the descriptor until it becomes its program.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 1..BUSY_ATTEMPTS {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(BUSY_PAUSE),
            result => return result,
        }
    }
    command.spawn()
}

/// What happens in the child between fork and exec.
pub(super) fn prepare(account: Option<&Account>, umask: Option<u32>) -> io::Result<()> {
    if let Some(account) = account {
        account.become_it()?;
    }
    if let Some(umask) = umask {
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(umask));
    }
    receive_every_signal()?;
    close_beyond_standard()
}

/// A child is asked to end by signals, which it would not hear if it inherited what we block or ignore.
pub(crate) fn receive_every_signal() -> io::Result<()> {
    // SAFETY: the default action runs no code of ours.
    #[expect(unsafe_code, reason = "no safe wrapper exists")]
    unsafe {
        nix::sys::signal::signal(Signal::SIGXFSZ, nix::sys::signal::SigHandler::SigDfl)?;
    }
    nix::sys::signal::SigSet::empty().thread_set_mask().map_err(io::Error::from)
}

/// Marks every descriptor above 2 close-on-exec, whoever opened it.
pub(crate) fn close_beyond_standard() -> io::Result<()> {
    // SAFETY: close_range with CLOEXEC changes only flags of this process's own descriptors.
    #[expect(unsafe_code, reason = "no safe wrapper exists")]
    let result = unsafe { nix::libc::close_range(3, u32::MAX, nix::libc::CLOSE_RANGE_CLOEXEC as i32) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets a descriptor live on in the program that is about to be executed.
pub(super) fn pass(descriptor: std::os::fd::RawFd) -> io::Result<()> {
    // SAFETY: fcntl with F_SETFD changes only a flag of this process's own descriptor.
    #[expect(unsafe_code, reason = "the descriptor is known by its number between fork and exec")]
    let result = unsafe { nix::libc::fcntl(descriptor, nix::libc::F_SETFD, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
