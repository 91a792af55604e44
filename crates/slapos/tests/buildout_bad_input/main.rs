//! Bad input of the build engine: each is refused in bounded time and memory with one clear message, what was built
//! before stays as it was, and the next build with a good profile goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod caches;
mod profiles;
mod records;
mod servers;
mod surroundings;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use camino::Utf8PathBuf;
use fs_err as fs;
use host::process::Program;

/// No refusal may take longer, also on a busy machine; most take milliseconds.
const LIMIT: Duration = Duration::from_secs(200);
/// The address space, in KiB, that a build of bad input gets. The stack of the engine reserves 256 MiB of it.
const MEMORY: u64 = 1 << 20;

/// What is built before the bad input and again after it.
const GOOD: &str = "[buildout]\nparts = app\n\
    [app]\nrecipe = slapos.recipe.template\noutput = ${buildout:directory}/app\ninline = good\n";

/// A buildout directory in which the good profile is built.
struct Trial {
    scratch: testkit::scratch::Scratch,
    /// Commands of the shell before the build.
    before: String,
}

impl Trial {
    fn new() -> Self {
        let trial = Self { scratch: testkit::scratch::Scratch::new(), before: format!("ulimit -v {MEMORY}") };
        trial.goes_on();
        trial
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs the command; gives its exit code and everything that it printed.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let script = format!("{} && exec \"$@\"", self.before);
        let finished = Program::new("/bin/sh")
            .args(["-c", script.as_str(), "sh", env!("CARGO_BIN_EXE_slapos"), "buildout"])
            .args(words)
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.scratch.path().as_str())
            .env("SLAPOS_ALLOW_ROOT", "1")
            .directory(self.scratch.path())
            .run(Some(LIMIT), &mut |_| {})
            .unwrap();
        assert!(!finished.timed_out, "{}", finished.text());
        (finished.status.code(), finished.text())
    }

    /// Builds the good profile, which must work.
    fn goes_on(&self) {
        self.write("good.cfg", GOOD);
        let (code, text) = self.run(&["-c", "good.cfg"]);
        assert_eq!(code, Some(0), "{text}");
        assert_eq!(fs::read_to_string(self.path("app")).unwrap().trim(), "good");
    }

    /// What is told of a profile that is refused; the good build is intact then, and goes on.
    fn refusal(&self, profile: impl AsRef<[u8]>) -> String {
        self.refusal_with(profile, &[])
    }

    fn refusal_with(&self, profile: impl AsRef<[u8]>, words: &[&str]) -> String {
        self.write("buildout.cfg", profile);
        let record = fs::read_to_string(self.path(".installed.cfg")).unwrap();
        let (code, text) = self.run(words);
        assert_eq!(code, Some(1), "{text}");
        assert_eq!(fs::read_to_string(self.path(".installed.cfg")).unwrap(), record);
        assert_eq!(fs::read_to_string(self.path("app")).unwrap().trim(), "good");
        self.goes_on();
        self.scrub(&text)
    }

    /// A text without what differs from run to run.
    fn scrub(&self, text: &str) -> String {
        let mut text = text.replace(self.scratch.path().as_str(), "DIRECTORY").replace('\0', "␀");
        while let Some(start) = text.find("127.0.0.1:") {
            let digits = text[start + 10..].bytes().take_while(u8::is_ascii_digit).count();
            text.replace_range(start..start + 10 + digits, "SERVER");
        }
        text
    }
}

/// A server that answers each request as a closure does; gives its address.
fn server(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|count| count > 0) {}
            answer(head.split(' ').nth(1).unwrap_or_default(), &mut stream);
            if head.contains("/open") {
                kept.push(stream);
            }
        }
    });
    address
}

fn reply(stream: &mut TcpStream, head: &str, body: &str) {
    let _ = write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n{body}");
}

fn extends(address: &str) -> String {
    format!("[buildout]\nextends = {address}\nparts = app\n")
}

/// The good profile with another option of `[buildout]` and another part, `other`.
fn with_part(option: &str, other: &str) -> String {
    GOOD.replace("parts = app\n", &format!("parts = app other\n{option}\n")) + other
}

/// A profile that fetches `/file` into a download cache, one part after the other: which of two at once is begun first
/// is not for these tests.
fn cached(address: &str) -> String {
    let other = format!("[other]\nrecipe = slapos.recipe.build:download\nurl = {address}/file\n");
    with_part("download-cache = cache\njobs = 1", &other)
}
