//! Events kept in a file, one JSON object in each line, and read back while the file grows.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt;
use host::clock::Clock;

use super::{Entry, Event, Progress};

/// Size at which the file is put aside as `.1`, replacing the one before.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Appends events to a file. Several processes may append to the same file.
pub struct Journal {
    path: Utf8PathBuf,
    clock: Arc<dyn Clock>,
    limit: u64,
    turn: Mutex<()>,
}

impl Journal {
    /// A journal at `path`. Its directory and the one above are made when they are missing: a node that was never run
    /// has no logs yet.
    #[must_use]
    pub fn new(path: impl Into<Utf8PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { path: path.into(), clock, limit: LIMIT, turn: Mutex::new(()) }
    }

    fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let _turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Opened anew each time, so that a rotation by another process is followed; written in one call, so that
        // lines of several processes do not mix.
        let open = || fs::OpenOptions::new().create(true).append(true).mode(0o640).open(&self.path);
        let mut file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_directory()?;
                open()?
            }
            opened => opened?,
        };
        file.write_all(&line)?;
        if file.metadata()?.size() >= self.limit {
            fs::rename(&self.path, format!("{}.1", self.path))?;
        }
        Ok(())
    }
}

impl Journal {
    /// Makes `var` and `var/log` of an instance root, but never the root itself.
    fn make_directory(&self) -> io::Result<()> {
        let directories: Vec<&Utf8Path> = self.path.ancestors().skip(1).take(2).collect();
        for (directory, mode) in directories.into_iter().rev().zip([0o755, 0o700]) {
            match std::fs::DirBuilder::new().mode(mode).create(directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Progress for Journal {
    fn event(&self, event: Event) {
        let entry = Entry { at: self.clock.now(), event };
        if let Err(error) = self.append(&entry) {
            tracing::debug!(%error, file = %self.path, "an event is lost");
        }
    }
}

/// Reads a journal as it grows, through rotations.
pub struct Follower {
    path: Utf8PathBuf,
    open: Option<OpenJournal>,
}

struct OpenJournal {
    reader: BufReader<std::fs::File>,
    inode: u64,
    pending: String,
}

impl Follower {
    /// Follows `path` from its beginning; the file need not exist yet.
    #[must_use]
    pub fn from_start(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), open: None }
    }

    /// Follows `path` from its present end: only what happens from here on is given.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn from_end(path: impl Into<Utf8PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut open = OpenJournal::at(&path)?;
        if let Some(open) = &mut open {
            open.reader.seek(SeekFrom::End(0))?;
        }
        Ok(Self { path, open })
    }

    /// The entries written since the last call, oldest first. Lines that are not entries are passed over.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        loop {
            if self.open.is_none() {
                self.open = OpenJournal::at(&self.path)?;
            }
            let Some(open) = &mut self.open else { return Ok(entries) };
            open.drain(&mut entries)?;
            // Only a file that was put aside is complete: its successor is read next.
            if open.is_current(&self.path)? {
                return Ok(entries);
            }
            open.drain(&mut entries)?;
            self.open = None;
        }
    }
}

impl OpenJournal {
    fn at(path: &Utf8Path) -> io::Result<Option<Self>> {
        match fs::File::open(path) {
            Ok(file) => {
                let inode = file.metadata()?.ino();
                let (file, _) = file.into_parts();
                Ok(Some(Self { reader: BufReader::new(file), inode, pending: String::new() }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self, entries: &mut Vec<Entry>) -> io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if self.reader.by_ref().read_until(b'\n', &mut bytes)? == 0 {
                return Ok(());
            }
            self.pending.push_str(&String::from_utf8_lossy(&bytes));
            if !self.pending.ends_with('\n') {
                return Ok(());
            }
            if let Ok(entry) = serde_json::from_str(&self.pending) {
                entries.push(entry);
            }
            self.pending.clear();
        }
    }

    fn is_current(&self, path: &Utf8Path) -> io::Result<bool> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(metadata.ino() == self.inode),
            // Put aside, and nothing written since: wait for the successor.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use host::clock::ManualClock;

    use super::*;

    fn journal(path: &Utf8Path, limit: u64) -> Journal {
        let clock = ManualClock::new("2026-11-20T21:31:42Z".parse().unwrap());
        Journal { limit, ..Journal::new(path, Arc::new(clock)) }
    }

    fn removed(number: usize) -> Event {
        Event::ReleaseRemoved { url: format!("release-{number}") }
    }

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("events.jsonl")).unwrap();
        (directory, path)
    }

    #[test]
    fn an_event_is_one_line_of_json_with_its_time() {
        let (_directory, path) = place();

        journal(&path, LIMIT).event(removed(1));

        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"{"at":"2026-11-20T21:31:42Z","event":"release-removed","url":"release-1"}"#);
    }

    #[test]
    fn a_follower_gets_each_event_once_through_rotations() {
        let (_directory, path) = place();
        let journal = journal(&path, 200);
        let mut follower = Follower::from_start(&path);
        let mut seen = Vec::new();

        for number in 0..20 {
            journal.event(removed(number));
            seen.extend(follower.read().unwrap().into_iter().map(|entry| entry.event));
        }

        assert_eq!(seen, (0..20).map(removed).collect::<Vec<_>>());
        assert!(Utf8PathBuf::from(format!("{path}.1")).exists());
    }

    #[test]
    fn a_torn_line_is_passed_over_and_a_growing_one_waited_for() {
        let (_directory, path) = place();
        let mut follower = Follower::from_start(&path);
        assert_eq!(follower.read().unwrap(), []);
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(b"{\"at\":\"2026-1\n{\"at\":\"2026-11-20T21:31:42Z\",\"event\":\"release-re").unwrap();
        assert_eq!(follower.read().unwrap(), []);

        file.write_all(b"moved\",\"url\":\"release-3\"}\n").unwrap();

        let events: Vec<_> = follower.read().unwrap().into_iter().map(|entry| entry.event).collect();
        assert_eq!(events, [removed(3)]);
    }

    #[test]
    fn a_follower_from_the_end_gets_only_what_comes_after() {
        let (_directory, path) = place();
        let journal = journal(&path, LIMIT);
        journal.event(removed(1));
        let mut follower = Follower::from_end(&path).unwrap();

        journal.event(removed(2));

        let events: Vec<_> = follower.read().unwrap().into_iter().map(|entry| entry.event).collect();
        assert_eq!(events, [removed(2)]);
    }
}
