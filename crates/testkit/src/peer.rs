//! The Python SlapOS, set up once in `target/peer` by `tests/peer/setup_peer.sh`.

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::locks::FileLock;
use host::process::{Finished, Program};

/// Setting up fetches and builds some packages, from an index that may be slow.
const SETUP_LIMIT: Duration = Duration::from_secs(800);
/// A deployment takes seconds; a machine busy with other tests takes minutes.
const RUN_LIMIT: Duration = Duration::from_secs(800);

/// The Python SlapOS, ready to be used.
#[derive(Debug)]
pub struct Peer {
    directory: Utf8PathBuf,
}

impl Peer {
    /// Sets it up if that has not been done; other processes that want it wait.
    ///
    /// # Panics
    /// It cannot be set up; the message says why.
    #[must_use]
    pub fn ready() -> Self {
        let directory = top().join("target/peer");
        fs::create_dir_all(top().join("target")).expect("the tree can be written");
        let deadline = Instant::now() + SETUP_LIMIT;
        let lock = loop {
            match FileLock::try_acquire(&top().join("target/peer.lock")).expect("the tree can be written") {
                Some(lock) => break lock,
                None if Instant::now() > deadline => {
                    panic!("another process sets up the Python peer for ever")
                }
                None => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        let finished = Program::new("/bin/bash")
            .arg(top().join("tests/peer/setup_peer.sh").as_str())
            .arg(directory.as_str())
            .inherit_env()
            .run(Some(SETUP_LIMIT), &mut |_| {})
            .expect("bash can be started");
        drop(lock);
        assert!(
            finished.success(),
            "the Python peer cannot be set up ({}):\n{}",
            finished.verdict(),
            finished.text()
        );
        Self { directory: directory.canonicalize_utf8().expect("it was made") }
    }

    /// The directory of its programs.
    #[must_use]
    pub fn programs(&self) -> Utf8PathBuf {
        self.directory.join("venv/bin")
    }

    /// Runs a script of `tests/peer` in its Python.
    ///
    /// # Panics
    /// The script cannot be started.
    #[must_use]
    pub fn script(&self, name: &str, arguments: &[&str]) -> Finished {
        Program::new(self.programs().join("python"))
            .args(["-W", "ignore", top().join("tests/peer").join(name).as_str()])
            .args(arguments.iter().copied())
            .env("LC_ALL", "C.UTF-8")
            .run(Some(RUN_LIMIT), &mut |_| {})
            .expect("the peer's Python can be started")
    }

    /// Deploys the peer's release in `base` with `run_peer.sh`; `choices` are its variables, such as `NODE`.
    ///
    /// # Panics
    /// The script cannot be started.
    #[must_use]
    pub fn deploy(&self, base: &Utf8Path, choices: &[(&str, &str)]) -> Finished {
        Program::new("/bin/bash")
            .args([top().join("tests/peer/run_peer.sh").as_str(), self.directory.as_str(), base.as_str()])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(choices.iter().copied())
            .run(Some(RUN_LIMIT), &mut |_| {})
            .expect("bash can be started")
    }
}

/// The top of the tree.
#[must_use]
pub fn top() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the test kit lies in the tree")
}
