//! Child processes: started as a given user with a given environment, their output followed line by line, and never
//! left behind.
//!
//! Every child leads a process group of its own and is killed by the kernel when the thread that started it ends, so
//! a killed agent leaves no build running; what children started themselves needs [`Program::guarded`]. No descriptor
//! beyond 0, 1 and 2 reaches a child unless it is passed.

mod guardian;
mod lines;
mod number;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

pub use self::guardian::Guardian;
use self::lines::{Lines, follow};
pub use self::number::{is_alive, number_space};
use crate::jobs::JobServer;
use crate::users::Account;

/// How to start a child process.
#[derive(Debug, Clone)]
pub struct Program {
    path: Utf8PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    inherit_environment: bool,
    directory: Option<Utf8PathBuf>,
    account: Option<Account>,
    umask: Option<u32>,
    jobs: Option<Arc<JobServer>>,
    is_guarded: bool,
}

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

impl Program {
    /// A program with no arguments, an empty environment, standard input closed, and the caller's user and directory.
    #[must_use]
    pub fn new(path: impl Into<Utf8PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            inherit_environment: false,
            directory: None,
            account: None,
            umask: None,
            jobs: None,
            is_guarded: false,
        }
    }

    /// The program's path.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether a directory was set to run it in.
    #[must_use]
    pub fn has_directory(&self) -> bool {
        self.directory.is_some()
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Sets variables of the environment.
    #[must_use]
    pub fn envs<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Starts from this process's environment instead of an empty one.
    #[must_use]
    pub fn inherit_env(mut self) -> Self {
        self.inherit_environment = true;
        self
    }

    /// Runs it in `directory`.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<Utf8PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs it as `account`, with all its groups. Without effect when this process already is that user.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = Some(account);
        self
    }

    /// Sets the umask of the child.
    #[must_use]
    pub fn umask(mut self, umask: u32) -> Self {
        self.umask = Some(umask);
        self
    }

    /// Lets it, and what it starts, take jobs from `server`; `makeflags` is what its `MAKEFLAGS` would be without.
    #[must_use]
    pub fn jobs(mut self, server: &Arc<JobServer>, makeflags: &str) -> Self {
        self.environment.insert("MAKEFLAGS".into(), server.makeflags(makeflags).into());
        self.jobs = Some(Arc::clone(server));
        self
    }

    /// Ends it with everything that it started even when this process is killed, for what must not go on working without
    /// us: the kernel ends only what we have started ourselves. Counts for [`Program::run`].
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.is_guarded = true;
        self
    }

    /// What was set for a variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&std::ffi::OsStr> {
        self.environment.get(std::ffi::OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The command line, for messages.
    #[must_use]
    pub fn command_line(&self) -> String {
        let mut line = self.path.to_string();
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(&argument.to_string_lossy());
        }
        line
    }

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
    fn start_outliving(&self, command: &mut Command) -> io::Result<Child> {
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
    fn command(&self) -> Command {
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

/// How often, and how long apart, a program that is still open for writing is tried.
const BUSY_ATTEMPTS: u32 = 100;
const BUSY_PAUSE: Duration = Duration::from_millis(2);

/// Starts a child. A file that was just written may look open for writing for a moment more: another thread was
/// starting a child of its own when it was, and that child holds the descriptor until it becomes its program.
fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 1..BUSY_ATTEMPTS {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::sleep(BUSY_PAUSE),
            result => return result,
        }
    }
    command.spawn()
}

/// What happens in the child between fork and exec.
fn prepare(account: Option<&Account>, umask: Option<u32>) -> io::Result<()> {
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
fn pass(descriptor: std::os::fd::RawFd) -> io::Result<()> {
    // SAFETY: fcntl with F_SETFD changes only a flag of this process's own descriptor.
    #[expect(unsafe_code, reason = "the descriptor is known by its number between fork and exec")]
    let result = unsafe { nix::libc::fcntl(descriptor, nix::libc::F_SETFD, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sends `signal` to the process group that `child` leads; a group that is gone is no error.
pub fn kill_group(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), signal);
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

/// Prepares the quick end of this process: kills every child that is followed, with its whole group, so that nothing
/// is left behind. From here on [`is_ending`] is true.
pub fn kill_followed_children() {
    ENDING.store(true, Ordering::SeqCst);
    for pid in FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if let Ok(pid) = i32::try_from(*pid) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Whether this process is about to end, so that what happens to its children says nothing about them.
#[must_use]
pub fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

static ENDING: AtomicBool = AtomicBool::new(false);

/// The same, for who waits for it.
#[must_use]
pub fn ending() -> &'static AtomicBool {
    &ENDING
}

/// Numbers of the children that are followed.
static FOLLOWED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Keeps a child in the list of those that are followed, until it goes.
#[derive(Debug)]
pub struct Followed(u32);

/// Puts a child of [`Program::spawn`] into the list of those that end quickly with this process, as those of
/// [`Program::run`] are. When this process is ending already, so is the child.
#[must_use]
pub fn followed(child: &Child) -> Followed {
    FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
    // Whoever is killing the list has seen the child in it, or has said before that this process is ending.
    if is_ending() {
        end_group(child);
    }
    Followed(child.id())
}

impl Drop for Followed {
    fn drop(&mut self) {
        FOLLOWED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// The umask of this process, read without changing it even for a moment.
#[must_use]
pub fn umask() -> u32 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()).unwrap_or(0o022)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Program {
        Program::new("/bin/sh").arg("-c").arg(script)
    }

    #[test]
    fn output_is_merged_in_order_and_followed_by_line() {
        let mut lines = Vec::new();

        let finished = sh("echo one; echo two >&2; printf three; exit 3")
            .run(None, &mut |line| lines.push(line.to_owned()))
            .unwrap();

        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(finished.text(), "one\ntwo\nthree");
        assert_eq!(finished.verdict(), "exit code 3");
    }

    #[test]
    fn the_environment_is_empty_unless_given() {
        let finished = sh("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_=")
            .env("ONLY", "this")
            .run(None, &mut |_| {})
            .unwrap();

        assert_eq!(finished.text(), "ONLY=this\n");
    }

    #[test]
    fn a_limit_kills_the_whole_group_and_keeps_the_output() {
        let finished = sh("echo before; sleep 60 & sleep 60")
            .run(Some(Duration::from_millis(300)), &mut |_| {})
            .unwrap();

        assert!(finished.timed_out);
        assert!(!finished.success());
        assert_eq!(finished.text(), "before\n");
    }

    #[test]
    fn no_descriptor_beyond_the_standard_ones_leaks() {
        let directory = tempfile::tempdir().unwrap();
        let held = fs_err::File::create(directory.path().join("held")).unwrap();
        nix::fcntl::fcntl(held.file(), nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();

        let finished = sh("ls /proc/$$/fd").run(None, &mut |_| {}).unwrap();

        assert!(
            finished.text().split_whitespace().all(|fd| fd.parse::<u32>().unwrap() <= 2),
            "{}",
            finished.text()
        );
    }

    #[test]
    fn a_child_hears_the_signals_that_its_parent_blocks() {
        let blocked = crate::signals::Interruptions::catch().unwrap();

        let finished = sh("kill -TERM $$; echo deaf").run(None, &mut |_| {}).unwrap();

        drop(blocked);
        assert_eq!(finished.text(), "");
        assert_eq!(finished.verdict(), "signal 15");
    }

    #[test]
    fn a_child_leaves_the_list_of_the_followed_with_its_mark() {
        let mut child = sh("sleep 60").spawn(Stdio::null(), Stdio::null(), Stdio::null()).unwrap();
        let pid = child.id();
        let is_listed = || FOLLOWED.lock().unwrap().contains(&pid);

        let mark = followed(&child);
        assert!(is_listed());
        drop(mark);

        assert!(!is_listed());
        end_group(&child);
        child.wait().unwrap();
    }

    #[test]
    fn a_program_that_does_not_exist_is_an_error() {
        let error = Program::new("/nonexistent/program").run(None, &mut |_| {}).unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
