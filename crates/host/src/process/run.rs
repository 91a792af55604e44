//! Starts a [`Program`] in each of the ways that are needed, and waits for it or does not.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use nix::sys::signal::Signal;

use super::lines::{Lines, follow};
use super::prepare::{pass, prepare, spawn};
use super::{Finished, Guardian, Program, followed, kill_group};

impl Program {
    /// Runs to the end with standard output and error merged; `on_line` gets each line as it comes.
    ///
    /// When `limit` is reached the whole process group is killed and [`Finished::timed_out`] set; the output so far is
    /// kept.
    ///
    /// # Errors
    /// The program could not be started, or its output not be read.
    pub fn run(&self, limit: Option<Duration>, on_line: &mut dyn FnMut(&str)) -> io::Result<Finished> {
        let (mut reader, writer) = io::pipe()?;
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = self.start(&mut command)?;
        // The command holds the writing ends; without this the pipe would never end.
        drop(command);
        let mut lines = Lines::new(on_line);
        let followed = followed(&child);
        let guardian = if self.is_guarded { Some(Guardian::of(&child)?) } else { None };
        let timed_out = !follow(&mut reader, limit.map(|limit| Instant::now() + limit), &mut lines)?;
        if timed_out {
            kill_group(&child, Signal::SIGKILL);
        }
        // Before the wait: afterwards the number may belong to somebody else.
        drop((followed, guardian));
        let status = child.wait()?;
        // What the child started and did not wait for ends with it.
        kill_group(&child, Signal::SIGKILL);
        lines.finish();
        Ok(Finished { status, output: lines.into_output(), timed_out })
    }

    /// Runs to the end and gives standard output alone; standard error is passed through.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn capture(&self, limit: Duration) -> io::Result<Finished> {
        let (mut reader, writer) = io::pipe()?;
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(writer);
        let mut child = self.start(&mut command)?;
        drop(command);
        let mut ignore = |_: &str| {};
        let mut lines = Lines::new(&mut ignore);
        let timed_out = !follow(&mut reader, Some(Instant::now() + limit), &mut lines)?;
        if timed_out {
            kill_group(&child, Signal::SIGKILL);
        }
        let status = child.wait()?;
        lines.finish();
        Ok(Finished { status, output: lines.into_output(), timed_out })
    }

    /// Runs it on this process's terminal, for interactive use, and waits.
    ///
    /// # Errors
    /// The program could not be started.
    pub fn run_attached(&self) -> io::Result<ExitStatus> {
        let mut command = self.command();
        self.start(&mut command)?.wait()
    }

    /// Starts it in a session of its own, with output appended to `log`; it outlives this process. Returns its pid.
    ///
    /// # Errors
    /// The program could not be started, or the log not be opened.
    pub fn start_detached(&self, log: &Utf8Path) -> io::Result<u32> {
        let output = fs_err::OpenOptions::new().create(true).append(true).open(log)?;
        let (output, _) = output.into_parts();
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let account = self.account.clone();
        let umask = self.umask;
        // SAFETY: the closure makes only async-signal-safe calls.
        #[expect(unsafe_code, reason = "a child is prepared between fork and exec")]
        unsafe {
            command.pre_exec(move || {
                nix::unistd::setsid()?;
                prepare(account.as_ref(), umask)
            });
        }
        // Not waited for: when it ends before this process does, init's place is taken by our own exit.
        Ok(spawn(&mut command)?.id())
    }

    /// Starts it with three pipes or the given descriptors; the caller waits. The child leads its own process group.
    ///
    /// # Errors
    /// The program could not be started.
    pub fn spawn(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> io::Result<Child> {
        let mut command = self.command();
        command.stdin(stdin).stdout(stdout).stderr(stderr).process_group(0);
        self.start_prepared(&mut command)
    }

    fn start(&self, command: &mut Command) -> io::Result<Child> {
        command.process_group(0);
        self.start_prepared(command)
    }

    /// Starts it in a group of its own, which nobody ends but the caller.
    pub(super) fn start_outliving(&self, command: &mut Command) -> io::Result<Child> {
        command.process_group(0);
        // SAFETY: the closure makes only async-signal-safe calls.
        #[expect(unsafe_code, reason = "a child is prepared between fork and exec")]
        unsafe {
            command.pre_exec(|| prepare(None, None));
        }
        spawn(command)
    }

    fn start_prepared(&self, command: &mut Command) -> io::Result<Child> {
        let account = self.account.clone();
        let umask = self.umask;
        let passed = self.jobs.as_ref().map(|server| server.descriptors());
        // SAFETY: the closure makes only async-signal-safe calls.
        #[expect(unsafe_code, reason = "a child is prepared between fork and exec")]
        unsafe {
            command.pre_exec(move || {
                prepare(account.as_ref(), umask)?;
                if let Some((reader, writer)) = passed {
                    pass(reader)?;
                    pass(writer)?;
                }
                // After the change of user, which clears it.
                nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from)
            });
        }
        spawn(command)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(self.path.as_std_path());
        command.args(&self.arguments);
        if !self.inherit_environment {
            command.env_clear();
        }
        command.envs(&self.environment);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}
