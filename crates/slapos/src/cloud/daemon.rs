//! The long-lived processes of a cloud: whether one runs, starting it, waiting until it is ready, ending it.
//!
//! Each holds a lock for as long as it lives, and writes its number into the locked file. A held lock, unlike a file
//! with a number in it, cannot be left behind: the kernel lets it go when the process ends, however it ends.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::clock::Clock;
use host::locks::FileLock;
use host::process::{Program, is_alive};

use crate::context::Context;
use crate::failure::{Failure, Kind};

/// How long a process may take to end when it is asked to, before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Between two looks.
const STEP: Duration = Duration::from_millis(20);

/// How often a lock is tried again before it counts as held.
const GLANCES: u32 = 5;

/// Lines of a log that a failure shows.
const SHOWN_LINES: usize = 20;

/// A lock that this process holds as long as it lives, with its own number written inside.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: FileLock,
}

/// Takes the lock at `path` for the rest of this process's life; `None` when another process holds it.
pub(crate) fn hold(path: &Utf8Path, note: &str, clock: &dyn Clock) -> std::io::Result<Option<Held>> {
    let mut lock = FileLock::try_acquire(path)?;
    for _ in 0..GLANCES {
        if lock.is_some() {
            break;
        }
        // Who only looks whether it is held, as `holder` does, holds it for an instant.
        clock.sleep(STEP);
        lock = FileLock::try_acquire(path)?;
    }
    let Some(lock) = lock else { return Ok(None) };
    // Written in place: a replaced file would be another file than the locked one.
    let file = fs_err::OpenOptions::new().write(true).truncate(true).open(path)?;
    std::io::Write::write_all(&mut &file, format!("{}\n{note}\n", std::process::id()).as_bytes())?;
    Ok(Some(Held { _lock: lock }))
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its process number.
    pub(crate) pid: u32,
    /// What it said of itself.
    pub(crate) note: String,
}

/// The process that holds the lock at `path`; `None` when nobody does.
pub(crate) fn holder(path: &Utf8Path) -> std::io::Result<Option<Holder>> {
    if !path.exists() || FileLock::try_acquire(path)?.is_some() {
        return Ok(None);
    }
    let text = host::files::read_text_if_present(path)?.unwrap_or_default();
    let (pid, note) = text.split_once('\n').unwrap_or((&text, ""));
    // The holder writes its number just after it has taken the lock; a look in between finds none yet.
    Ok(Some(Holder { pid: pid.trim().parse().unwrap_or(0), note: note.trim().to_owned() }))
}

/// Holds the lock that a cloud gave to one of its processes.
pub(crate) fn held(context: &Context<'_>, path: Option<&str>, note: &str) -> Result<Option<Held>, Failure> {
    let Some(path) = path.map(|path| context.environment.absolute(path)) else { return Ok(None) };
    let failed =
        |error: std::io::Error| Failure::new(Kind::Failed, format!("cannot lock {path}")).because_of(&error);
    if let Some(held) = hold(&path, note, &context.clock).map_err(failed)? {
        return Ok(Some(held));
    }
    let pid = holder(&path).map_err(failed)?.map_or(0, |holder| holder.pid);
    Err(Failure::new(Kind::Locked, format!("another process is the {note} of this cloud: pid {pid}"))
        .hint("slapos down ends it")
        .code("E-lock-held"))
}

/// One of the processes.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The lock that it holds.
    pub(crate) lock: Utf8PathBuf,
    /// Where its output goes.
    pub(crate) log: Utf8PathBuf,
    /// How it is started.
    pub(crate) program: Program,
}

impl Daemon {
    /// The process, when it runs.
    pub(crate) fn running(&self) -> Result<Option<Holder>, Failure> {
        holder(&self.lock).map_err(|error| {
            Failure::new(Kind::Failed, format!("cannot tell whether the {} runs", self.name))
                .because_of(&error)
        })
    }

    /// Starts it, and waits until `is_ready`. Does not look whether it already runs.
    pub(crate) fn start(
        &self,
        clock: &dyn Clock,
        limit: Duration,
        is_ready: &mut dyn FnMut() -> bool,
    ) -> Result<(), Failure> {
        let log_start = fs_err::metadata(&self.log).map_or(0, |metadata| metadata.len());
        let pid = self.program.start_detached(&self.log).map_err(|error| {
            Failure::new(Kind::Failed, format!("cannot start the {}", self.name)).because_of(&error)
        })?;
        let deadline = clock.now() + limit;
        while !is_ready() {
            let is_over = !is_alive(pid);
            if is_over || clock.now() > deadline {
                let what = if is_over { "ended while it started" } else { "does not answer" };
                return Err(self.failed(what, log_start));
            }
            clock.sleep(STEP);
        }
        Ok(())
    }

    /// Asks it to end, and kills it when it does not; returns whether it ran.
    pub(crate) fn stop(&self, clock: &dyn Clock) -> Result<bool, Failure> {
        let Some(mut holder) = self.running()? else { return Ok(false) };
        for _ in 0..GLANCES {
            if holder.pid > 0 {
                break;
            }
            // It has only just started, or somebody else looked at the same time.
            clock.sleep(STEP);
            let Some(found) = self.running()? else { return Ok(false) };
            holder = found;
        }
        end(holder.pid, clock, &|| self.running().ok().flatten().is_none());
        Ok(true)
    }

    /// What the process said before it failed: its own failure if it printed one, else the end of its log.
    pub(crate) fn failed(&self, what: &str, log_start: u64) -> Failure {
        let text = fs_err::read(&self.log).unwrap_or_default();
        let start = usize::try_from(log_start).unwrap_or(0).min(text.len());
        let said = String::from_utf8_lossy(&text[start..]).into_owned();
        if let Some(failure) = Failure::printed_in(&said) {
            return failure;
        }
        let lines: Vec<&str> = said.lines().collect();
        let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
        Failure::new(Kind::Failed, format!("the {} {what}", self.name))
            .excerpt(shown)
            .hint(format!("its whole log: {}", self.log))
            .code("E-start")
    }
}

/// Ends a process: asked first, killed when its time is up.
pub(crate) fn end(pid: u32, clock: &dyn Clock, is_gone: &dyn Fn() -> bool) {
    host::process::ask_to_end(pid);
    let deadline = clock.now() + PATIENCE;
    while !is_gone() {
        if clock.now() > deadline {
            host::process::kill(pid);
            return;
        }
        clock.sleep(STEP);
    }
}

#[cfg(test)]
mod tests {
    use host::clock::SystemClock;

    use super::*;

    #[test]
    fn a_held_lock_names_its_holder_and_a_free_one_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("x.lock")).unwrap();
        assert_eq!(holder(&path).unwrap(), None);

        let held = hold(&path, "slapos up flask", &SystemClock).unwrap().unwrap();

        assert_eq!(
            holder(&path).unwrap(),
            Some(Holder { pid: std::process::id(), note: "slapos up flask".to_owned() })
        );
        assert!(hold(&path, "another", &SystemClock).unwrap().is_none());
        drop(held);
        assert_eq!(holder(&path).unwrap(), None);
    }
}
