//! Output of a process copied into files that a log rotation may move away.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{LauncherError, set_disposition, signal_number};

/// Where the output of a process goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirection {
    /// Signal to send to the process when the files are opened anew.
    pub signal: Option<String>,
    /// File for its standard output; `None` leaves it as it is.
    pub stdout: Option<Utf8PathBuf>,
    /// File for its standard error; `None` leaves it as it is.
    pub stderr: Option<Utf8PathBuf>,
}

/// One stream of the process and the file that it goes into.
struct Stream {
    source: io::PipeReader,
    path: Utf8PathBuf,
    file: fs::File,
}

// What asks a process to end or to look at itself; the launcher passes it on, because the process is in another group.
const FORWARDED: [i32; 5] = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP, libc::SIGUSR2];

impl Redirection {
    /// Starts the command and copies its output until it ends; returns its exit code. `reopen` is the signal that makes
    /// the files be opened anew.
    pub(super) fn run(self, mut command: Command, reopen: i32) -> Result<u8, LauncherError> {
        let passed_on = match self.signal.as_deref() {
            Some(name) => {
                Some(signal_number(name).ok_or_else(|| LauncherError::Signal { name: name.to_owned() })?)
            }
            None => None,
        };
        let mut streams = self.connect(&mut command)?;
        let signals = catch(reopen).map_err(LauncherError::prepare("catch signals"))?;
        let child = start(&mut command, reopen, passed_on)?;
        // The write ends of the pipes must be the child's only.
        drop(command);
        let copied = copy(&mut streams, &signals, &child, reopen, passed_on);
        let ended = copied.and_then(|()| wait(child, &signals));
        let status = ended.map_err(LauncherError::prepare("follow the process"))?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Ok(u8::try_from(code).unwrap_or(u8::MAX))
    }

    fn connect(&self, command: &mut Command) -> Result<Vec<Stream>, LauncherError> {
        let mut streams = Vec::new();
        let mut open = |path: &Utf8Path| -> Result<io::PipeWriter, LauncherError> {
            let failed = |error| LauncherError::prepare(format!("open {path}"))(error);
            let file = crate::files::open_to_append(path, 0o666).map_err(failed)?;
            let (source, sink) = io::pipe().map_err(|error| LauncherError::prepare("make a pipe")(error))?;
            streams.push(Stream { source, path: path.to_owned(), file });
            Ok(sink)
        };
        let stdout = self.stdout.as_deref().map(&mut open).transpose()?;
        let stderr = match (&self.stderr, &stdout) {
            (Some(path), Some(shared)) if self.stdout.as_ref() == Some(path) => {
                Some(shared.try_clone().map_err(LauncherError::prepare("make a pipe"))?)
            }
            (Some(path), _) => Some(open(path)?),
            (None, _) => None,
        };
        if let Some(sink) = stdout {
            command.stdout(sink);
        }
        if let Some(sink) = stderr {
            command.stderr(sink);
        }
        Ok(streams)
    }
}

/// Takes the signals as facts from here on.
fn catch(reopen: i32) -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    for signal in FORWARDED.into_iter().chain([reopen, libc::SIGCHLD]) {
        add(&mut set, signal);
    }
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

fn add(set: &mut SigSet, signal: i32) {
    let mut raw = *set.as_ref();
    // SAFETY: the set is a valid one, and the kernel refuses numbers that are no signals.
    #[expect(unsafe_code, reason = "real-time signals have no safe wrapper")]
    unsafe {
        libc::sigaddset(&raw mut raw, signal);
        *set = SigSet::from_sigset_t_unchecked(raw);
    }
}

fn start(command: &mut Command, reopen: i32, passed_on: Option<i32>) -> Result<Child, LauncherError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::inherit()).process_group(0);
    let signal = passed_on.filter(|signal| *signal != reopen);
    // SAFETY: the closure makes only async-signal-safe calls.
    #[expect(unsafe_code, reason = "a child is prepared between fork and exec")]
    unsafe {
        command.pre_exec(move || {
            crate::process::receive_every_signal()?;
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
            // The signal that is passed on may come before the program has a handler for it.
            let ignored = if passed_on == Some(reopen) { libc::SIG_IGN } else { libc::SIG_DFL };
            libc::signal(reopen, ignored);
            if let Some(signal) = signal {
                libc::signal(signal, libc::SIG_IGN);
            }
            Ok(())
        });
    }
    // A signal that is ignored is not reported either.
    set_disposition(reopen, libc::SIG_DFL);
    command.spawn().map_err(LauncherError::prepare(format!("start {program}")))
}

fn send(child: &Child, signal: i32) {
    // SAFETY: the child has not been waited for, so its number is still its own.
    #[expect(unsafe_code, reason = "real-time signals have no safe wrapper")]
    unsafe {
        if let Ok(pid) = i32::try_from(child.id()) {
            libc::kill(pid, signal);
        }
    }
}

/// Copies until every stream has ended.
fn copy(
    streams: &mut Vec<Stream>,
    signals: &SignalFd,
    child: &Child,
    reopen: i32,
    passed_on: Option<i32>,
) -> io::Result<()> {
    let mut buffer = vec![0_u8; 64 * 1024];
    while !streams.is_empty() {
        let mut wanted = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        wanted.extend(streams.iter().map(|stream| PollFd::new(stream.source.as_fd(), PollFlags::POLLIN)));
        match poll(&mut wanted, PollTimeout::NONE) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = wanted.iter().map(|one| one.any().unwrap_or(false)).collect();
        while let Some(signal) = signals.read_signal()? {
            let signal = i32::try_from(signal.ssi_signo).unwrap_or_default();
            if signal == reopen {
                if let Some(signal) = passed_on {
                    send(child, signal);
                }
                for stream in &mut *streams {
                    stream.file = crate::files::open_to_append(&stream.path, 0o666)?;
                }
            } else if signal != libc::SIGCHLD {
                send(child, signal);
            }
        }
        let mut index = 0;
        let mut failure = None;
        streams.retain_mut(|stream| {
            index += 1;
            !ready[index]
                || stream.step(&mut buffer).unwrap_or_else(|error| {
                    failure = Some(error);
                    true
                })
        });
        if let Some(error) = failure {
            return Err(error);
        }
    }
    Ok(())
}

impl Stream {
    /// Copies what is there; `false` at the end of the stream.
    fn step(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let count = self.source.read(buffer)?;
        // Losing output of a service is better than stopping it because the disk is full.
        let _ = self.file.write_all(&buffer[..count]);
        Ok(count > 0)
    }
}

/// Waits for the end of the process, passing signals on.
fn wait(mut child: Child, signals: &SignalFd) -> io::Result<std::process::ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let mut wanted = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        // The limit covers a child that ended between the look and the wait.
        let _ = poll(&mut wanted, PollTimeout::from(1000_u16));
        while let Some(signal) = signals.read_signal()? {
            let signal = i32::try_from(signal.ssi_signo).unwrap_or_default();
            if FORWARDED.contains(&signal) {
                send(&child, signal);
            }
        }
    }
}
