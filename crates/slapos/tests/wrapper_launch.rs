//! The launcher of wrappers, as scripts start it.

#![expect(clippy::unwrap_used, reason = "a test that cannot start a process fails")]

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use host::process::Program;

struct Trial {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Trial {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        Self { _guard: guard, root }
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).into_string()
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.root.join(name)).unwrap_or_default()
    }

    /// Starts the launcher with a shell text as its command; a process that is left over ends with the test.
    fn start(&self, options: &[&str], script: &str) -> Running {
        let child = Program::new(env!("CARGO_BIN_EXE_slapos"))
            .args(["wrapper-launch"])
            .args(options.iter().copied())
            .args(["--", "/bin/sh", "-c", script, "name"])
            .env("HOME", self.root.as_str())
            .env("PATH", "/usr/bin:/bin")
            .directory(self.root.clone())
            .spawn(Stdio::null(), Stdio::null(), Stdio::null())
            .unwrap();
        Running(child)
    }
}

struct Running(Child);

impl Running {
    fn end(mut self) -> ExitStatus {
        let mut status = None;
        until("the process ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    fn signal(&self, name: &str) {
        let sent = Program::new("/bin/sh").args(["-c", &format!("kill -{name} {}", self.0.id())]);
        assert!(sent.run(None, &mut |_| {}).unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(200);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_command_gets_the_environment_and_its_arguments() {
    let trial = Trial::new();
    let answer = Program::new(env!("CARGO_BIN_EXE_slapos"))
        .args([
            "wrapper-launch",
            "--environment",
            "A=b c",
            "--",
            "/bin/sh",
            "-c",
            "echo \"$A:$1:$2\"",
            "name",
        ])
        .args(["--one", "two"])
        .env("HOME", trial.root.as_str())
        .run(None, &mut |_| {})
        .unwrap();

    assert_eq!(answer.text(), "b c:--one:two\n");
}

#[test]
fn the_command_waits_for_its_files() {
    let trial = Trial::new();
    let running = trial.start(&["--wait-for", &trial.path("ready")], "cat ready > seen");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!trial.root.join("seen").exists());

    host::files::replace(&trial.root.join("ready"), "now", 0o644).unwrap();

    assert!(running.end().success());
    assert_eq!(trial.read("seen"), "now");
}

#[test]
fn a_pid_file_lets_one_process_run() {
    let trial = Trial::new();
    let pid_file = trial.path("pid");
    let script = "while [ ! -e stop ]; do sleep 0.05; done";
    let first = trial.start(&["--pid-file", &pid_file], script);
    until("the pid file is written", || trial.read("pid") == first.0.id().to_string());
    until("the command runs", || {
        fs_err::read_to_string(format!("/proc/{}/comm", first.0.id())).is_ok_and(|name| name == "sh\n")
    });

    let second = trial.start(&["--pid-file", &pid_file], script);

    assert_eq!(second.end().code(), Some(1));
    assert_eq!(trial.read("pid"), first.0.id().to_string());
    host::files::replace(&trial.root.join("stop"), "", 0o644).unwrap();
    assert!(first.end().success());
}

#[test]
fn output_goes_into_a_file_that_is_opened_anew_when_asked() {
    let trial = Trial::new();
    let log = trial.path("log");
    let options =
        ["--redirect-stdout", log.as_str(), "--redirect-stderr", log.as_str(), "--redirect-signal", "HUP"];
    // A shell cannot catch a signal that is ignored when it starts, as this one is; Perl is on every Debian.
    let script = r#"exec perl -e '$| = 1; $SIG{HUP} = sub { print STDERR "two\n"; exit 4 }; print "one\n"; sleep 1 while 1'"#;
    let running = trial.start(&options, script);
    until("the first line is there", || trial.read("log") == "one\n");
    fs_err::rename(trial.root.join("log"), trial.root.join("log.1")).unwrap();

    running.signal("USR1");

    assert_eq!(running.end().code(), Some(4));
    assert_eq!(trial.read("log.1"), "one\n");
    assert_eq!(trial.read("log"), "two\n");
}

#[test]
fn a_request_to_end_reaches_the_command_once() {
    let trial = Trial::new();
    let log = trial.path("log");
    let script = "n=0; trap 'n=$((n+1)); echo asked $n' TERM; echo ready; while [ ! -e stop ]; do sleep 0.05; done; exit 7";
    let running = trial.start(&["--redirect-stdout", &log], script);
    until("the command is ready", || trial.read("log") == "ready\n");

    running.signal("TERM");

    until("the command was asked", || trial.read("log").contains("asked"));
    host::files::replace(&trial.root.join("stop"), "", 0o644).unwrap();
    assert_eq!(running.end().code(), Some(7));
    assert_eq!(trial.read("log"), "ready\nasked 1\n");
}

#[test]
fn a_processor_is_asked_for_in_the_users_home() {
    let trial = Trial::new();
    let running = trial.start(&["--reserve-cpu"], "exit 0");
    let pid = running.0.id();

    assert!(running.end().success());
    assert_eq!(trial.read(".slapos-cpu-exclusive"), format!("{pid}\n"));
}

#[test]
fn a_private_file_system_is_seen_by_the_command_only() {
    let trial = Trial::new();
    let directory = trial.path("private");
    let running = trial.start(
        &["--private-tmpfs", &format!("1M:{directory}")],
        "echo secret > private/file && cat private/file > seen",
    );
    let status = running.end();

    if !status.success() && !user_namespaces_are_allowed() {
        return;
    }
    assert!(status.success());
    assert_eq!(trial.read("seen"), "secret\n");
    assert!(!trial.root.join("private/file").exists());
}

/// Some machines do not let users make name spaces.
fn user_namespaces_are_allowed() -> bool {
    let program = Program::new("/usr/bin/unshare").args(["--user", "--mount", "--map-root-user", "true"]);
    program.run(None, &mut |_| {}).is_ok_and(|finished| finished.success())
}
