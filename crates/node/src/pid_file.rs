//! One pass of a kind at a time: a file with the number of the process that runs it.
//!
//! The number is what other programs look at; an advisory lock beside it is what decides between two of ours, because
//! it cannot outlive its holder.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use host::locks::FileLock;
use host::{files, process};

use crate::outcome::{Exit, Outcome, Problem};

/// The file, held until it is dropped.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: Utf8PathBuf,
    _lock: FileLock,
}

/// The file could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PidFileError {
    /// Another process holds it.
    #[error("another process runs this pass already: pid {}, since {}", holder(*pid), since)]
    Held {
        /// The process, when it is known.
        pid: Option<u32>,
        /// Since when.
        since: String,
    },
    /// The file cannot be written.
    #[error("cannot write the pid file {path}")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string())
}

impl PidFile {
    /// Takes the file at `path`.
    pub(crate) fn take(path: &Utf8Path) -> Result<Self, PidFileError> {
        let failed = |source| PidFileError::Write { path: path.to_owned(), source };
        let lock_path = Utf8PathBuf::from(format!("{path}.lock"));
        let lock = FileLock::try_acquire(&lock_path).map_err(failed)?;
        let noted =
            files::read_text_if_present(path).unwrap_or_default().and_then(|text| text.trim().parse().ok());
        let Some(lock) = lock else { return Err(PidFileError::Held { pid: noted, since: since(path) }) };
        match noted {
            Some(pid) if pid != std::process::id() && process::is_alive(pid) && is_slapos(pid) => {
                return Err(PidFileError::Held { pid: Some(pid), since: since(path) });
            }
            Some(pid) => tracing::info!("the pid file {path} names process {pid}, which is gone"),
            None => {}
        }
        files::replace(path, std::process::id().to_string(), 0o644).map_err(failed)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Err(error) = files::remove_if_present(&self.path) {
            tracing::warn!(%error, "the pid file stays behind");
        }
    }
}

impl From<PidFileError> for Outcome {
    fn from(error: PidFileError) -> Self {
        let exit = match &error {
            PidFileError::Held { .. } => Exit::Locked,
            PidFileError::Write { .. } => Exit::Failed,
        };
        let (code, hint) = match &error {
            PidFileError::Held { pid: Some(pid), .. } => {
                ("E-lock-held", format!("wait for it to end, or look at it: ps -fp {pid}"))
            }
            PidFileError::Held { pid: None, .. } => ("E-lock-held", "wait for it to end".to_owned()),
            PidFileError::Write { path, .. } => (
                "E-directory-unwritable",
                format!("make the directory of {path} writable, or configure another place"),
            ),
        };
        Self::stopped(exit, Problem::of("node", &error).with_code(code).with_hint(hint))
    }
}

/// Whether a process is one of ours: its command line says so, as the reference decides it.
fn is_slapos(pid: u32) -> bool {
    fs_err::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains("slapos"))
}

fn since(path: &Utf8Path) -> String {
    fs_err::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map_or_else(
            || "an unknown time".to_owned(),
            |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("pass.pid")).unwrap();
        (directory, path)
    }

    #[test]
    fn the_number_is_written_without_newline_and_removed_at_the_end() {
        let (_directory, path) = place();

        let held = PidFile::take(&path).unwrap();
        assert_eq!(fs_err::read_to_string(&path).unwrap(), std::process::id().to_string());
        drop(held);

        assert!(!path.exists());
    }

    #[test]
    fn a_second_pass_is_told_who_holds_the_file() {
        let (_directory, path) = place();
        let _held = PidFile::take(&path).unwrap();

        let outcome = Outcome::from(PidFile::take(&path).unwrap_err());

        assert_eq!(outcome.exit.code(), 10);
        assert_eq!(outcome.problems[0].code.as_deref(), Some("E-lock-held"));
        assert!(outcome.problems[0].message.contains(&format!("pid {}", std::process::id())));
    }

    #[test]
    fn a_stale_or_meaningless_file_is_overwritten() {
        let (_directory, path) = place();
        for content in ["4194304", "1", "garbage", ""] {
            files::replace(&path, content, 0o644).unwrap();

            let held = PidFile::take(&path).unwrap();

            assert_eq!(fs_err::read_to_string(&path).unwrap(), std::process::id().to_string());
            drop(held);
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_one_clear_problem() {
        let outcome = Outcome::from(PidFile::take(Utf8Path::new("/proc/no/such.pid")).unwrap_err());

        assert_eq!(outcome.exit.code(), 1);
        assert_eq!(outcome.problems[0].code.as_deref(), Some("E-directory-unwritable"));
    }
}
