//! The launcher of wrappers: prepares a process in ways that a shell script cannot, and becomes it.
//!
//! A wrapper that needs more than an environment starts this program with the words of [`Launcher::to_words`]; that
//! reads them back by [`Launcher::from_words`] and calls [`Launcher::run`].

mod pid_file;
mod redirection;
mod tmpfs;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::libc;

pub use redirection::Redirection;

/// A process to become, and what to do before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launcher {
    /// The program's path and its arguments.
    pub command: Vec<OsString>,
    /// Variables to add to the environment.
    pub environment: Vec<(String, String)>,
    /// Files that must exist before it starts.
    pub wait_for: Vec<Utf8PathBuf>,
    /// File that gets the number of the process; when it names a process that runs the same command, nothing is started.
    pub pid_file: Option<Utf8PathBuf>,
    /// File systems in memory that only this process sees: size and directory.
    pub private_tmpfs: Vec<(String, Utf8PathBuf)>,
    /// Whether to ask the node for a processor of its own.
    pub reserve_cpu: bool,
    /// Signal to ignore until the program sets its own handler, as [`signal_number`] reads it.
    pub ignored_signal: Option<String>,
    /// Where output goes, and the signal that makes the files be opened anew.
    pub redirection: Option<Redirection>,
}

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    /// The words are not those of a wrapper.
    #[error("`{word}` is not understood by the launcher of wrappers")]
    Word {
        /// The first word that is not.
        word: String,
    },
    /// No such signal.
    #[error("`{name}` is no signal")]
    Signal {
        /// What was given.
        name: String,
    },
    /// It runs already.
    #[error("Already running with pid {pid}.")]
    Running {
        /// Its number.
        pid: u32,
    },
    /// Something before the start failed.
    #[error("cannot {doing}")]
    Prepare {
        /// What.
        doing: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl LauncherError {
    fn prepare(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Prepare { doing, source }
    }
}

// Short enough to be unnoticed, long enough to cost nothing.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Launcher {
    /// The words that stand for this, up to and including the command; more arguments of it may follow.
    #[must_use]
    pub fn to_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut add = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        for (name, value) in &self.environment {
            add("--environment", &format!("{name}={value}"));
        }
        for path in &self.wait_for {
            add("--wait-for", path.as_str());
        }
        if let Some(path) = &self.pid_file {
            add("--pid-file", path.as_str());
        }
        for (size, path) in &self.private_tmpfs {
            add("--private-tmpfs", &format!("{size}:{path}"));
        }
        if let Some(signal) = &self.ignored_signal {
            add("--ignore-signal", signal);
        }
        if let Some(Redirection { signal, stdout, stderr }) = &self.redirection {
            let values = [
                ("--redirect-signal", signal.as_deref()),
                ("--redirect-stdout", stdout.as_deref().map(Utf8Path::as_str)),
                ("--redirect-stderr", stderr.as_deref().map(Utf8Path::as_str)),
            ];
            values
                .iter()
                .filter_map(|(name, value)| Some((name, (*value)?)))
                .for_each(|(name, value)| add(name, value));
        }
        if self.reserve_cpu {
            words.push("--reserve-cpu".to_owned());
        }
        words.push("--".to_owned());
        words.extend(self.command.iter().map(|word| word.to_string_lossy().into_owned()));
        words
    }

    /// Reads what [`Self::to_words`] gives.
    ///
    /// # Errors
    /// A word that it does not give.
    pub fn from_words(words: impl IntoIterator<Item = OsString>) -> Result<Self, LauncherError> {
        let mut launcher = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let unknown = || LauncherError::Word { word: word.to_string_lossy().into_owned() };
            let name = word.to_str().ok_or_else(unknown)?;
            match name {
                "--" => {
                    launcher.command = words.collect();
                    return if launcher.command.is_empty() { Err(unknown()) } else { Ok(launcher) };
                }
                "--reserve-cpu" => launcher.reserve_cpu = true,
                _ => {
                    let value =
                        words.next().and_then(|value| value.into_string().ok()).ok_or_else(unknown)?;
                    launcher.set(name, value).ok_or_else(unknown)?;
                }
            }
        }
        Err(LauncherError::Word { word: "the end".to_owned() })
    }

    fn set(&mut self, name: &str, value: String) -> Option<()> {
        let pair =
            |separator| value.split_once(separator).map(|(left, right)| (left.to_owned(), right.to_owned()));
        match name {
            "--environment" => self.environment.push(pair('=')?),
            "--wait-for" => self.wait_for.push(value.into()),
            "--pid-file" => self.pid_file = Some(value.into()),
            "--private-tmpfs" => {
                let (size, path) = pair(':')?;
                self.private_tmpfs.push((size, path.into()));
            }
            "--ignore-signal" => self.ignored_signal = Some(value),
            "--redirect-signal" => self.redirection.get_or_insert_default().signal = Some(value),
            "--redirect-stdout" => self.redirection.get_or_insert_default().stdout = Some(value.into()),
            "--redirect-stderr" => self.redirection.get_or_insert_default().stderr = Some(value.into()),
            _ => return None,
        }
        Some(())
    }

    /// Prepares the process and becomes it; returns only when that failed, or with its exit code when its output is
    /// redirected. `home` is the directory of the user, where processors are asked for. To be called while this
    /// process has one thread.
    ///
    /// # Errors
    /// What could not be done; the process was not started.
    pub fn run(self, home: Option<&Utf8Path>) -> Result<u8, LauncherError> {
        // Whoever finds the number in the pid file may send this signal before the program is ready for it.
        let ignored = self.ignored_signal.as_deref().or(self.redirection.as_ref().map(|_| "USR1"));
        let ignored = ignored
            .map(|name| signal_number(name).ok_or_else(|| LauncherError::Signal { name: name.to_owned() }));
        let ignored = ignored.transpose()?;
        if let Some(signal) = ignored {
            set_disposition(signal, libc::SIG_IGN);
        }
        let guard = self.pid_file.as_deref().map(|path| pid_file::take(path, &self.command)).transpose()?;
        if self.reserve_cpu {
            reserve_cpu(home)?;
        }
        for path in &self.wait_for {
            while !path.exists() {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        if !self.private_tmpfs.is_empty() {
            tmpfs::mount(&self.private_tmpfs)?;
        }
        let command = self.command();
        let Some(redirection) = self.redirection else {
            return Err(become_command(command, guard));
        };
        let signal = ignored.unwrap_or(libc::SIGUSR1);
        redirection.run(command, signal)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that becomes another program")]
    fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn become_command(mut command: Command, guard: Option<pid_file::Guard>) -> LauncherError {
    let program = command.get_program().to_string_lossy().into_owned();
    let source = command.exec();
    drop(guard);
    LauncherError::Prepare { doing: format!("start {program}"), source }
}

/// Asks the node for a processor of its own: it reads the numbers of processes from this file.
fn reserve_cpu(home: Option<&Utf8Path>) -> Result<(), LauncherError> {
    use io::Write;
    let home = home.ok_or_else(|| LauncherError::Prepare {
        doing: "ask for a processor".to_owned(),
        source: io::Error::new(io::ErrorKind::NotFound, "the user has no home directory"),
    })?;
    let path = home.join(".slapos-cpu-exclusive");
    let written = crate::files::open_to_append(&path, 0o666)
        .and_then(|mut file| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
    written.map_err(LauncherError::prepare(format!("write {path}")))
}

/// The number of a signal by its name without `SIG`, such as `USR1` or `RTMIN+1`.
#[must_use]
pub fn signal_number(name: &str) -> Option<i32> {
    let (base, offset) = match name.split_once('+') {
        Some((base, offset)) => (base, offset.parse::<i32>().ok()?),
        None => (name, 0),
    };
    let number = match base {
        "RTMIN" => libc::SIGRTMIN(),
        "RTMAX" => libc::SIGRTMAX(),
        _ => format!("SIG{base}").parse::<nix::sys::signal::Signal>().ok()? as i32,
    };
    let number = number.checked_add(offset)?;
    (1..=libc::SIGRTMAX()).contains(&number).then_some(number)
}

fn set_disposition(signal: i32, disposition: libc::sighandler_t) {
    // SAFETY: ignoring a signal, or taking it by default, runs no code of ours.
    #[expect(unsafe_code, reason = "real-time signals have no safe wrapper")]
    unsafe {
        libc::signal(signal, disposition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        let launcher = Launcher {
            command: ["/bin/prog", "--", "-x", "a b"].map(OsString::from).to_vec(),
            environment: vec![("A".to_owned(), "x=y".to_owned())],
            wait_for: vec!["/tmp/f".into()],
            pid_file: Some("/tmp/pid".into()),
            private_tmpfs: vec![("100M".to_owned(), "/tmp/t:x".into())],
            reserve_cpu: true,
            ignored_signal: Some("RTMIN+1".to_owned()),
            redirection: Some(Redirection { signal: None, stdout: Some("/tmp/o".into()), stderr: None }),
        };

        let words = launcher.to_words().into_iter().map(OsString::from);

        assert_eq!(Launcher::from_words(words).unwrap(), launcher);
    }

    #[test]
    fn words_of_somebody_else_are_refused() {
        for words in [&["--frob", "x", "--", "/bin/true"][..], &["--pid-file"], &["/bin/true"], &["--"], &[]]
        {
            assert!(Launcher::from_words(words.iter().map(OsString::from)).is_err(), "{words:?}");
        }
    }

    #[test]
    fn signals_are_named_as_wrappers_do() {
        assert_eq!(signal_number("USR1"), Some(libc::SIGUSR1));
        assert_eq!(signal_number("RTMIN+1"), Some(libc::SIGRTMIN() + 1));
        assert_eq!(signal_number("FROB"), None);
        assert_eq!(signal_number("TERM+x"), None);
    }
}
