//! Our supervisor and the peer's, controlled by the same Python programs: supervisord's own client library and
//! `supervisorctl`.
#![expect(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use host::process::{Finished, Program};
use testkit::peer::Peer;
use testkit::scratch::Scratch;

const PROGRAM: &str = env!("CARGO_BIN_EXE_slapos");

/// A supervisor in the foreground, which ends with this value.
struct Supervisor {
    child: std::process::Child,
    directory: Utf8PathBuf,
}

impl Supervisor {
    fn start(program: &Program, directory: &Utf8Path) -> Self {
        fs_err::create_dir_all(directory.join("conf.d")).unwrap();
        let file = directory.join("supervisord.conf");
        let text = format!(
            "[supervisord]\nlogfile={directory}/supervisord.log\npidfile={directory}/supervisord.pid\nchildlogdir={directory}\n\
             [unix_http_server]\nfile={directory}/sv.sock\nchmod=0700\n\
             [supervisorctl]\nserverurl=unix://{directory}/sv.sock\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [include]\nfiles={directory}/conf.d/*.conf\n"
        );
        host::files::replace(&file, text, 0o600).unwrap();
        let log = fs_err::File::create(directory.join("output.log")).unwrap().into_parts().0;
        let program =
            program.clone().args(["-c", file.as_str()]).env("PATH", "/usr/bin:/bin").directory(directory);
        let child = program.spawn(Stdio::null(), log.try_clone().unwrap().into(), log.into()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(200);
        while !directory.join("sv.sock").exists() {
            let output = fs_err::read_to_string(directory.join("output.log")).unwrap();
            assert!(Instant::now() < deadline, "{} does not answer:\n{output}", program.command_line());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, directory: directory.to_owned() }
    }

    fn ours(directory: &Utf8Path) -> Self {
        Self::start(&Program::new(PROGRAM).args(["supervisord", "--nodaemon"]), directory)
    }

    fn theirs(peer: &Peer, directory: &Utf8Path) -> Self {
        Self::start(&Program::new(peer.programs().join("supervisord")).arg("--nodaemon"), directory)
    }

    /// The output of the peer's `supervisorctl`, without what differs from run to run.
    fn control(&self, peer: &Peer, words: &[&str]) -> String {
        let file = self.directory.join("supervisord.conf");
        let finished = Program::new(peer.programs().join("supervisorctl"))
            .args(["-c", file.as_str()])
            .args(words.iter().copied())
            .env("PATH", "/usr/bin:/bin")
            .run(Some(Duration::from_secs(200)), &mut |_| {})
            .unwrap();
        format!("{words:?} {}\n{}", finished.verdict(), without_numbers(&finished.text()))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let is_number =
            word.trim_end().trim_end_matches(',').bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        out.push_str(if is_number && !word.trim().is_empty() { "N " } else { word });
    }
    out
}

fn succeeded(finished: &Finished) -> String {
    assert!(finished.success(), "{}:\n{}", finished.verdict(), finished.text());
    finished.text()
}

#[test]
fn supervisords_client_library_sees_the_same_from_both_supervisors() {
    let peer = Peer::ready();
    let scratch = Scratch::new();
    let theirs = Supervisor::theirs(&peer, &scratch.path().join("theirs"));
    let ours = Supervisor::ours(&scratch.path().join("ours"));

    let expected = succeeded(&peer.script("supervisor_client.py", &[theirs.directory.as_str()]));
    let seen = succeeded(&peer.script("supervisor_client.py", &[ours.directory.as_str()]));

    assert!(expected.lines().count() > 60, "{expected}");
    similar(&seen, &expected);
}

#[test]
fn supervisorctl_prints_the_same_of_both_supervisors() {
    let peer = Peer::ready();
    let scratch = Scratch::new();
    let theirs = Supervisor::theirs(&peer, &scratch.path().join("theirs"));
    let ours = Supervisor::ours(&scratch.path().join("ours"));
    let printed = |supervisor: &Supervisor| {
        let group = "[program:web]\ncommand=/bin/sleep 600\nautostart=true\nstartsecs=0\n\n\
                     [program:talk]\ncommand=/bin/sh -c 'echo said'\nautostart=false\nautorestart=false\nstartsecs=0\n";
        let group = format!("{group}stdout_logfile={}/talk.log\n", supervisor.directory);
        host::files::replace(&supervisor.directory.join("conf.d/hand.conf"), group, 0o600).unwrap();
        let mut printed = String::new();
        for words in [
            &["status"][..],
            &["reread"],
            &["update"],
            &["status", "web"],
            &["start", "web"],
            &["restart", "web"],
            &["stop", "web", "none"],
            &["status", "none"],
            &["clear", "talk"],
            &["tail", "none"],
            &["pid", "web"],
            &["shutdown"],
        ] {
            printed.push_str(&supervisor.control(&peer, words));
        }
        printed
    };

    let (expected, seen) = (printed(&theirs), printed(&ours));

    similar(&seen, &expected);
}

/// Compares line by line, so that a difference is told with its line.
fn similar(seen: &str, expected: &str) {
    for (seen, expected) in seen.lines().zip(expected.lines()) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.lines().count(), expected.lines().count(), "{seen}");
}
