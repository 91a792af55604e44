//! The two sides of a comparison, and the ground on which they stand: a directory, a user, a Python.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;
use host::users::{self, Account};

use crate::step::{Failure, program, step, top};

/// The user that the peer's scripts make: as root, the peer refuses partitions owned by root.
const PEER_USER: &str = "slappeer";

/// Whose program is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// This project's.
    Ours,
    /// The Python SlapOS.
    Peer,
}

impl Side {
    /// Both, in the order in which they take turns.
    pub(crate) const BOTH: [Self; 2] = [Self::Ours, Self::Peer];

    /// Its name in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peer => "peer",
        }
    }
}

/// Where the benchmarks run; removed at the end.
#[derive(Debug)]
pub(crate) struct Ground {
    directory: Utf8PathBuf,
    peer: Utf8PathBuf,
    account: Option<Account>,
    checkout: Option<Utf8PathBuf>,
}

impl Ground {
    /// Makes the directory, copies our program there, and finds or makes the user.
    pub(crate) fn prepare(ours: &Utf8Path, checkout: Option<Utf8PathBuf>) -> Result<Self, Failure> {
        let directory = Utf8PathBuf::from(format!("/tmp/slapos-bench-{}", std::process::id()));
        let failed = |error: std::io::Error| format!("{directory} cannot be prepared: {error}");
        host::files::ensure_directory(&directory.join("bin"), 0o755).map_err(failed)?;
        fs::copy(ours, directory.join("bin/slapos")).map_err(failed)?;
        let peer = top().join("target/peer").canonicalize_utf8().map_err(failed)?;
        let account = if users::is_root() { Some(peer_account()?) } else { None };
        if let Some(account) = &account {
            host::files::give(&directory, account).map_err(failed)?;
        }
        Ok(Self { directory, peer, account, checkout })
    }

    /// Where a benchmark keeps the files of one side: an empty directory.
    pub(crate) fn place(&self, benchmark: &str, side: Side) -> Result<Utf8PathBuf, Failure> {
        let place = self.kept_place(benchmark, side);
        host::files::remove_tree(&place).map_err(|error| format!("{place} cannot be removed: {error}"))?;
        host::files::ensure_directory(&place, 0o755)
            .map_err(|error| format!("{place} cannot be made: {error}"))?;
        self.give(&place)?;
        Ok(place)
    }

    /// The place that was made before, with what is in it.
    pub(crate) fn kept_place(&self, benchmark: &str, side: Side) -> Utf8PathBuf {
        self.directory.join(format!("{benchmark}-{}", side.name()))
    }

    /// The directory of the programs of a side.
    pub(crate) fn programs(&self, side: Side) -> Utf8PathBuf {
        match side {
            Side::Ours => self.directory.join("bin"),
            Side::Peer => self.peer.join("venv/bin"),
        }
    }

    /// The directory of the peer.
    pub(crate) fn peer(&self) -> &Utf8Path {
        &self.peer
    }

    /// Where the profiles of SlapOS are, when that was said.
    pub(crate) fn checkout(&self) -> Option<&Utf8Path> {
        self.checkout.as_deref()
    }

    /// Gives a file to the user of the benchmarks.
    pub(crate) fn give(&self, path: &Utf8Path) -> Result<(), Failure> {
        match &self.account {
            Some(account) => {
                host::files::give(path, account).map_err(|error| format!("{path} cannot be given: {error}"))
            }
            None => Ok(()),
        }
    }

    /// A program as the user of the benchmarks, in `place`, with a small environment of its own.
    pub(crate) fn program(&self, path: impl Into<Utf8PathBuf>, place: &Utf8Path) -> Program {
        let program = Program::new(path)
            .directory(place)
            .env("HOME", place.as_str())
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", "/usr/bin:/bin")
            .env("PYTHONWARNINGS", "ignore");
        match &self.account {
            Some(account) => program.account(account.clone()),
            None => program,
        }
    }

    /// Runs one of the scripts of `benches` in the peer's Python.
    pub(crate) fn script(&self, name: &str, arguments: &[&str]) -> Result<(), Failure> {
        // As this process's user, who can read the tree.
        let script = Program::new(self.programs(Side::Peer).join("python"))
            .args(["-W", "ignore", top().join("benches").join(name).as_str()])
            .args(arguments.iter().copied());
        finish(&script, Duration::from_secs(300)).map(drop)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // What cannot be removed is in the directory of temporary files.
        let _ = host::files::remove_tree(&self.directory);
    }
}

/// Runs a program to its end; it must end well. Gives what it printed.
pub(crate) fn finish(program: &Program, limit: Duration) -> Result<String, Failure> {
    let finished = program
        .run(Some(limit), &mut |_| {})
        .map_err(|error| format!("{} cannot be started: {error}", program.path()))?;
    if finished.success() {
        Ok(finished.text())
    } else {
        Err(format!("{} ended with {}:\n{}", program.command_line(), finished.verdict(), finished.text()))
    }
}

fn peer_account() -> Result<Account, Failure> {
    let find = || Account::by_name(PEER_USER).map_err(|error| format!("the users cannot be read: {error}"));
    if let Some(account) = find()? {
        return Ok(account);
    }
    let make =
        program("useradd").args(["--system", "--create-home", "--home-dir", "/var/lib/slappeer", PEER_USER]);
    step("a user for the peer", &make)?;
    find()?.ok_or_else(|| format!("there is no user {PEER_USER}"))
}
