//! Long-lived children of a supervisor: started with pipes, signalled as groups, collected whoever started them.
//!
//! A supervisor is the reaper of everything below it, so that what a child leaves behind when it ends comes back to it
//! and can be ended too. [`crate::process`] serves those who start one program and wait for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::process::{close_beyond_standard, receive_every_signal};
use crate::users::Account;

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program's file.
    pub program: Utf8PathBuf,
    /// Its arguments, without its own name.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// Its working directory; `None` for ours.
    pub directory: Option<Utf8PathBuf>,
    /// Who it runs as; `None` for us.
    pub account: Option<Account>,
    /// Its umask.
    pub umask: u32,
    /// Whether standard error goes where standard output goes.
    pub merge_output: bool,
    /// How many descriptors it may have; `None` for as many as we.
    pub descriptor_limit: Option<u64>,
}

/// A child that was started.
#[derive(Debug)]
pub struct Launched {
    /// Its number, which is also that of its process group.
    pub pid: u32,
    /// Where its standard input comes from.
    pub stdin: OwnedFd,
    /// Where its standard output goes.
    pub stdout: OwnedFd,
    /// Where its standard error goes, when that is not merged.
    pub stderr: Option<OwnedFd>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ending {
    /// How messages call it: `exit status 1`, `terminated by SIGKILL`.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Code(code) => format!("exit status {code}"),
            Self::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => format!("terminated by {signal}"),
                Err(_) => format!("terminated by signal {number}"),
            },
        }
    }
}

impl Launch {
    /// Starts it as the leader of a process group of its own. The kernel kills it when the calling thread ends.
    ///
    /// # Errors
    /// The program cannot be executed, its directory not be entered, or its account not be taken.
    #[expect(clippy::disallowed_methods, reason = "this is one of the two places that start processes")]
    pub fn start(&self) -> io::Result<Launched> {
        let (child_stdin, stdin) = io::pipe()?;
        let (stdout, child_stdout) = io::pipe()?;
        let mut command = Command::new(self.program.as_std_path());
        command.args(&self.arguments).env_clear().envs(&self.environment).process_group(0);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.stdin(child_stdin);
        let stderr = if self.merge_output {
            command.stderr(Stdio::from(child_stdout.try_clone()?));
            None
        } else {
            let (stderr, child_stderr) = io::pipe()?;
            command.stderr(child_stderr);
            Some(stderr.into())
        };
        command.stdout(child_stdout);
        let (account, umask, limit, parent) =
            (self.account.clone(), self.umask, self.descriptor_limit, nix::unistd::getpid());
        // SAFETY: the closure makes only async-signal-safe calls.
        #[expect(unsafe_code, reason = "a child is prepared between fork and exec")]
        unsafe {
            command.pre_exec(move || prepare(account.as_ref(), umask, limit, parent));
        }
        // The child is collected by `reap`, not through this handle.
        let pid = command.spawn()?.id();
        Ok(Launched { pid, stdin: stdin.into(), stdout: stdout.into(), stderr })
    }
}

fn prepare(account: Option<&Account>, umask: u32, limit: Option<u64>, parent: Pid) -> io::Result<()> {
    if let Some(limit) = limit {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, limit.min(hard), hard)?;
    }
    if let Some(account) = account {
        account.become_it()?;
    }
    receive_every_signal()?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(umask));
    // After the change of user, which clears it.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    if nix::unistd::getppid() != parent {
        // The supervisor ended before the line above could take effect.
        return Err(io::Error::from(io::ErrorKind::Interrupted));
    }
    close_beyond_standard()
}

/// Makes this process inherit the orphans of all its descendants.
///
/// # Errors
/// The kernel refuses, which it has no reason for.
pub fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// Allows this process as many descriptors as it may have; returns how many it was allowed before.
///
/// # Errors
/// The limit can neither be read nor be set.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    // Beyond this some kernels say "unlimited", which costs memory in the runtime for nothing.
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(65_536).max(soft), hard)?;
    Ok(soft)
}

/// Collects every child that has ended, ours or inherited; does not wait.
#[must_use]
pub fn reap() -> Vec<(u32, Ending)> {
    let mut ended = Vec::new();
    loop {
        let mut status = 0;
        // SAFETY: the status is ours to write; nix's wrapper has no value for real-time signals, and loses such a child.
        #[expect(unsafe_code, reason = "waitpid with every signal there is")]
        let pid = unsafe { nix::libc::waitpid(-1, &raw mut status, nix::libc::WNOHANG) };
        match u32::try_from(pid) {
            Ok(0) => return ended,
            Ok(pid) if nix::libc::WIFEXITED(status) => {
                ended.push((pid, Ending::Code(nix::libc::WEXITSTATUS(status))));
            }
            Ok(pid) => ended.push((pid, Ending::Signal(nix::libc::WTERMSIG(status)))),
            Err(_) if Errno::last() == Errno::EINTR => {}
            Err(_) => return ended,
        }
    }
}

/// Collects one child of ours that has ended, so that nothing of it is left in the table of processes; does not wait,
/// and does nothing about a process that is no child of ours.
pub fn collect(pid: u32) {
    let _ = nix::sys::wait::waitpid(number(pid), Some(nix::sys::wait::WaitPidFlag::WNOHANG));
}

/// The number of a signal by its name, with or without `SIG`, or by its number.
#[must_use]
pub fn signal_number(name: &str) -> Option<i32> {
    let name = name.trim().to_ascii_uppercase();
    if let Ok(number) = name.parse::<i32>() {
        return Signal::try_from(number).ok().map(|signal| signal as i32);
    }
    let full = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
    full.parse::<Signal>().ok().map(|signal| signal as i32)
}

/// The signals that a supervisor uses by itself.
pub mod signals {
    /// Asks to end.
    pub const TERM: i32 = super::Signal::SIGTERM as i32;
    /// Ends at once.
    pub const KILL: i32 = super::Signal::SIGKILL as i32;
}

/// Sends a signal to one process; one that is gone is no error.
///
/// # Errors
/// No permission.
pub fn signal_process(pid: u32, signal: i32) -> io::Result<()> {
    gone_is_fine(kill(number(pid), Signal::try_from(signal)?))
}

/// Sends a signal to a process group; one that is gone is no error.
///
/// # Errors
/// No permission for any of its processes.
pub fn signal_process_group(group: u32, signal: i32) -> io::Result<()> {
    gone_is_fine(killpg(number(group), Signal::try_from(signal)?))
}

/// Whether anything of a process group is left, a process that ended and was not collected included.
#[must_use]
pub fn group_exists(group: u32) -> bool {
    !matches!(killpg(number(group), None), Err(Errno::ESRCH))
}

fn gone_is_fine(result: nix::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn number(pid: u32) -> Pid {
    // A number that no process can have; zero and minus one would address all of ours.
    Pid::from_raw(i32::try_from(pid).ok().filter(|pid| *pid > 1).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_name_and_number() {
        assert_eq!(signal_number("TERM"), Some(15));
        assert_eq!(signal_number("sigkill"), Some(9));
        assert_eq!(signal_number("1"), Some(1));
        assert_eq!(signal_number("nonsense"), None);
        assert_eq!(Ending::Signal(9).describe(), "terminated by SIGKILL");
    }

    #[test]
    fn no_number_addresses_more_than_one_group() {
        assert_eq!(number(0).as_raw(), i32::MAX);
        assert_eq!(number(1).as_raw(), i32::MAX);
        assert_eq!(number(u32::MAX).as_raw(), i32::MAX);
    }
}
