//! Signals to processes, and to the groups that children lead.

use std::process::Child;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Sends `signal` to the process group that `child` leads; a group that is gone is no error.
pub fn kill_group(child: &Child, signal: Signal) {
    signal_group(child.id(), signal);
}

/// Sends `signal` to the process group of that number; one that is gone is no error.
pub(super) fn signal_group(leader: u32, signal: Signal) {
    if let Ok(leader) = i32::try_from(leader) {
        let _ = killpg(Pid::from_raw(leader), signal);
    }
}

/// Ends at once the process group that `child` leads; a group that is gone is no error.
pub fn end_group(child: &Child) {
    kill_group(child, Signal::SIGKILL);
}

/// Asks a process to end; one that is gone, or not ours, is no error.
pub fn ask_to_end(pid: u32) {
    signal(pid, Signal::SIGTERM);
}

/// Ends a process at once; one that is gone, or not ours, is no error.
pub fn kill(pid: u32) {
    signal(pid, Signal::SIGKILL);
}

fn signal(pid: u32, signal: Signal) {
    // Number 0 is the caller's own group, and 1 is not to be touched by mistake.
    if let Ok(pid) = i32::try_from(pid)
        && pid > 1
    {
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
    }
}
