//! A whole cloud made by the real program, in a directory of its own: `slapos up`, and everything that it starts.

use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;
use serde_json::Value;

use crate::ports;
use crate::scratch::Scratch;

/// One cloud; when it is dropped everything that runs of it is stopped and removed.
#[derive(Debug)]
pub struct Cloud {
    program: Utf8PathBuf,
    scratch: Scratch,
    port: u16,
    inherited: &'static [&'static str],
}

/// The variables that say where Python packages come from.
const PACKAGES: &[&str] = &[
    "SSL_CERT_FILE",
    "PIP_CONFIG_FILE",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_CERT",
];

/// What a command printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its exit code; 255 when it was killed.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// The same, when it succeeded.
    ///
    /// # Panics
    /// It did not.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// Exit code, standard output and standard error as one text, for snapshots.
    #[must_use]
    pub fn text(&self) -> String {
        format!("exit code {}\n── stdout\n{}── stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Cloud {
    /// A directory in which a cloud can be; nothing is started. `program` is the program under test.
    ///
    /// # Panics
    /// No directory can be made.
    #[must_use]
    pub fn new(program: &str) -> Self {
        let scratch = Scratch::new();
        let program = scratch.install(program, "slapos").join("slapos");
        fs::create_dir(scratch.path().join("home")).expect("the directory is ours");
        let [port] = ports::free();
        Self { program, scratch, port, inherited: &[] }
    }

    /// The same, whose builds fetch Python packages from where this machine does.
    #[must_use]
    pub fn with_packages(self) -> Self {
        let mut cloud = self;
        cloud.inherited = PACKAGES;
        cloud
    }

    /// The cloud's directory.
    #[must_use]
    pub fn root(&self) -> Utf8PathBuf {
        self.scratch.path().join("cloud")
    }

    /// The directory that everything of this test is in.
    #[must_use]
    pub fn directory(&self) -> &Utf8Path {
        self.scratch.path()
    }

    /// The first port that its master tries.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Writes a release's files into a directory of that name, and gives its path.
    ///
    /// # Panics
    /// They cannot be written.
    pub fn write_release(&self, name: &str, files: &[(&str, &str)]) -> Utf8PathBuf {
        let directory = self.scratch.path().join(name);
        for (file, text) in files {
            let path = directory.join(file);
            fs::create_dir_all(path.parent().expect("a file has a directory"))
                .expect("the directory is ours");
            fs::write(path, text).expect("the directory is ours");
        }
        directory
    }

    /// Runs the program with these words, in the directory of the test, with an environment of its own.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn run(&self, words: &[&str]) -> Run {
        self.run_with(&[], words)
    }

    /// As [`Cloud::run`], with further variables.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn run_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Run {
        let mut child = self.start_with(variables, words);
        let status = child.process.wait().expect("the child is ours");
        Run {
            code: status.code().unwrap_or(255),
            stdout: fs::read_to_string(&child.stdout).expect("it was made for this run"),
            stderr: fs::read_to_string(&child.stderr).expect("it was made for this run"),
        }
    }

    /// Starts the program with these words, without waiting.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(&self, words: &[&str]) -> Started {
        self.start_with(&[], words)
    }

    fn start_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Started {
        let file = |kind: &str| {
            let (_, path) = tempfile::Builder::new()
                .prefix(kind)
                .tempfile_in(self.scratch.path())
                .and_then(|file| file.keep().map_err(|error| error.error))
                .expect("the directory is ours");
            Utf8PathBuf::try_from(path).expect("the path is UTF-8")
        };
        let (stdout, stderr) = (file("stdout-"), file("stderr-"));
        let open =
            |path: &Utf8Path| Stdio::from(fs::File::create(path).expect("it was just made").into_parts().0);
        let process = self
            .command(words)
            .envs(variables.iter().copied())
            .spawn(Stdio::null(), open(&stdout), open(&stderr))
            .expect("the program can be started");
        Started { process, stdout, stderr }
    }

    /// `slapos up PROFILE --detach` in this cloud, and further words.
    #[must_use]
    pub fn up(&self, profile: &Utf8Path, more: &[&str]) -> Run {
        let port = self.port.to_string();
        let root = self.root();
        let mut words = vec!["up", profile.as_str(), "--detach", "--root", root.as_str(), "--port", &port];
        words.extend(more);
        self.run(&words)
    }

    /// A command that takes `--root`, in this cloud.
    #[must_use]
    pub fn here(&self, words: &[&str]) -> Run {
        let root = self.root();
        let mut all = words.to_vec();
        all.extend(["--root", root.as_str()]);
        self.run(&all)
    }

    /// The numbers of the processes that were started from this cloud's program, or below its supervisor.
    ///
    /// # Panics
    /// The machine has no list of processes.
    #[must_use]
    pub fn processes(&self) -> Vec<(u32, String)> {
        let root = self.root();
        let marks = ["SUPERVISOR_SERVER_URL", "SLAPGRID_INSTANCE_ROOT"];
        let mut found = Vec::new();
        for process in host::inhabitants::Inhabitant::all().expect("there is a list of processes") {
            let line = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let is_marked = marks
                .iter()
                .any(|mark| process.variable(mark).is_some_and(|value| value.contains(root.as_str())));
            if !process.is_zombie && (line.contains(root.as_str()) || is_marked) {
                found.push((process.pid, line));
            }
        }
        found
    }

    /// A text without what differs from run to run: paths, ports, times and numbers.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text =
            text.replace(self.root().as_str(), "ROOT").replace(self.scratch.path().as_str(), "TEST");
        text = replace_digits_after(&text, "127.0.0.1:", "PORT");
        text = replace_digits_after(&text, "pid ", "N");
        // The name of a file that is being replaced holds the number of the process.
        text = replace_digits_after(&text, ".json.", "N");
        let words = text.split_inclusive([' ', '\n', '/', ',', '`', '\'']).map(|word| {
            let (bare, end) =
                word.split_at(word.trim_end_matches([' ', '\n', '/', ',', '`', '\'', ':']).len());
            if is_number(bare) && !bare.chars().all(|letter| letter.is_ascii_digit()) {
                format!("TIME{end}")
            } else if bare.len() == 32 && bare.chars().all(|letter| letter.is_ascii_hexdigit()) {
                format!("MD5{end}")
            } else {
                word.to_owned()
            }
        });
        words.collect()
    }

    fn command(&self, words: &[&str]) -> Program {
        let mut command = Program::new(self.program.clone())
            .args(words.iter().copied())
            .directory(self.scratch.path())
            .env("HOME", self.scratch.path().join("home").as_str())
            .env("TERM", "dumb")
            .env("SLAPOS_ALLOW_ROOT", "1");
        for name in ["PATH"].iter().chain(self.inherited) {
            #[expect(clippy::disallowed_methods, reason = "the test is what the environment was given to")]
            if let Some(value) = std::env::var_os(name) {
                command = command.env(name, value);
            }
        }
        command
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let ended = self.here(&["down", "--destroy"]);
        if !std::thread::panicking() {
            assert_eq!(ended.code, 0, "{}", ended.text());
        }
    }
}

/// A command that was started and goes on.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub process: std::process::Child,
    /// Where its standard output goes.
    pub stdout: Utf8PathBuf,
    /// Where its standard error goes.
    pub stderr: Utf8PathBuf,
}

/// Waits until `is_so`.
///
/// # Panics
/// It is not so within two minutes, which is long for a busy machine, too.
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    wait_until_within(Duration::from_secs(120), what, is_so);
}

/// Waits until `is_so`.
///
/// # Panics
/// It is not so within `limit`.
pub fn wait_until_within(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come true that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a word is a time, a date or an amount: digits with points, colons or dashes between them.
fn is_number(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.ends_with(|letter: char| letter.is_ascii_digit())
        && word.chars().all(|letter| letter.is_ascii_digit() || ".:-".contains(letter))
        && word.matches('.').count() < 2
}

fn replace_digits_after(text: &str, start: &str, name: &str) -> String {
    let mut parts = text.split(start);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        result.push_str(start);
        result.push_str(if rest.len() < part.len() { name } else { "" });
        result.push_str(rest);
    }
    result
}
