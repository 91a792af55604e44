//! A log that keeps to a size: when it is full it becomes `.1`, what was `.1` becomes `.2`, and the oldest goes.

use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;

use super::super::settings::LogLimit;

/// An open log.
#[derive(Debug)]
pub(super) struct LogFile {
    path: Utf8PathBuf,
    limit: LogLimit,
    file: fs::File,
    size: u64,
}

impl LogFile {
    /// Opens a log to append to it.
    ///
    /// It may be in a directory of somebody whom we do not trust: a link is not followed, and nothing but a plain
    /// file is taken.
    pub(super) fn open(path: &Utf8Path, limit: LogLimit) -> io::Result<Self> {
        let file = files::open_to_append(path, 0o644)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), limit, file, size })
    }

    /// Writes all of `bytes`, then makes room when the log is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        if self.limit.largest > 0 && self.size >= self.limit.largest {
            self.rotate()?;
        }
        Ok(())
    }

    /// Empties it, and its backups.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        for number in 1..=self.limit.backups {
            files::remove_if_present(&self.backup(number))?;
        }
        files::remove_if_present(&self.path)?;
        self.reopen()
    }

    /// Opens the file of that name, which may be another one than before.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.file = files::open_to_append(&self.path, 0o644)?;
        self.size = self.file.metadata()?.len();
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.limit.backups).rev() {
            rename_if_present(&self.backup(number), &self.backup(number + 1))?;
        }
        if self.limit.backups > 0 {
            rename_if_present(&self.path, &self.backup(1))?;
        } else {
            files::remove_if_present(&self.path)?;
        }
        self.reopen()
    }

    fn backup(&self, number: u32) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}.{number}", self.path))
    }
}

fn rename_if_present(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let guard = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(guard.path().join("log")).unwrap();
        (guard, path)
    }

    fn text(path: &Utf8Path, suffix: &str) -> Option<String> {
        fs::read_to_string(format!("{path}{suffix}")).ok()
    }

    #[test]
    fn a_full_log_becomes_the_first_backup_and_the_oldest_goes() {
        let (_guard, path) = scratch();
        let mut log = LogFile::open(&path, LogLimit { largest: 4, backups: 2 }).unwrap();

        for line in ["aaa\n", "bbb\n", "ccc\n", "d\n"] {
            log.write(line.as_bytes()).unwrap();
        }

        assert_eq!(text(&path, "").as_deref(), Some("d\n"));
        assert_eq!(text(&path, ".1").as_deref(), Some("ccc\n"));
        assert_eq!(text(&path, ".2").as_deref(), Some("bbb\n"));
        assert_eq!(text(&path, ".3"), None);
    }

    #[test]
    fn without_backups_a_full_log_starts_afresh() {
        let (_guard, path) = scratch();
        let mut log = LogFile::open(&path, LogLimit { largest: 4, backups: 0 }).unwrap();

        log.write(b"aaaa").unwrap();
        log.write(b"b").unwrap();

        assert_eq!(text(&path, "").as_deref(), Some("b"));
        assert_eq!(text(&path, ".1"), None);
    }

    #[test]
    fn an_existing_log_is_appended_to_and_counts() {
        let (_guard, path) = scratch();
        LogFile::open(&path, LogLimit { largest: 0, backups: 0 }).unwrap().write(b"old").unwrap();
        let mut log = LogFile::open(&path, LogLimit { largest: 4, backups: 1 }).unwrap();

        log.write(b"+").unwrap();

        assert_eq!(text(&path, ".1").as_deref(), Some("old+"));
        assert_eq!(text(&path, "").as_deref(), Some(""));
    }

    #[test]
    fn a_link_is_refused() {
        let (_guard, path) = scratch();
        fs::os::unix::fs::symlink("/dev/null", &path).unwrap();

        assert!(LogFile::open(&path, LogLimit { largest: 0, backups: 0 }).is_err());
    }

    #[test]
    fn clearing_removes_the_backups_too() {
        let (_guard, path) = scratch();
        let mut log = LogFile::open(&path, LogLimit { largest: 2, backups: 1 }).unwrap();
        log.write(b"aa").unwrap();
        log.write(b"b").unwrap();

        log.clear().unwrap();

        assert_eq!((text(&path, "").as_deref(), text(&path, ".1")), (Some(""), None));
    }
}
