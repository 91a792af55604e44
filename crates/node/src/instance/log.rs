//! The log that a partition keeps of its own processing.

use std::io::{self, Write};

use camino::Utf8Path;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt;
use host::clock::Clock;
use host::files;
use jiff::tz::TimeZone;

use crate::build::account_of;

/// Size from which the log is put aside as `.1` before it is opened.
const LIMIT: u64 = 20 * 1024 * 1024;

/// `instance.log`, open.
pub(crate) struct InstanceLog<'a> {
    file: fs::File,
    clock: &'a dyn Clock,
}

impl<'a> InstanceLog<'a> {
    /// Opens the log of the partition in `directory`, making what it needs.
    ///
    /// # Errors
    /// The directory cannot be made, or the file not be opened; a link in its place is refused.
    pub(crate) fn open(directory: &Utf8Path, clock: &'a dyn Clock) -> io::Result<Self> {
        let own = directory.join(".slapgrid");
        let logs = own.join("log");
        files::ensure_directory(&own, 0o755)?;
        files::ensure_directory(&logs, 0o700)?;
        if let Some(account) = account_of(directory)? {
            files::give(&own, &account)?;
            files::give(&logs, &account)?;
        }
        let path = logs.join("instance.log");
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.len() >= LIMIT) {
            fs::rename(&path, logs.join("instance.log.1"))?;
        }
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o644)
            .custom_flags(host::files::NO_FOLLOW)
            .open(&path)?;
        Ok(Self { file, clock })
    }

    /// Adds one record.
    pub(crate) fn info(&mut self, message: &str) {
        self.record("INFO", message);
    }

    /// Adds one record, and tells the node's log too.
    pub(crate) fn say(&mut self, message: &str) {
        tracing::info!("{message}");
        self.info(message);
    }

    /// Adds one record of something that went wrong.
    pub(crate) fn error(&mut self, message: &str) {
        self.record("ERROR", message);
    }

    fn record(&mut self, level: &str, message: &str) {
        let time = self.clock.now().to_zoned(TimeZone::system());
        let time = time.strftime("%Y-%m-%d %H:%M:%S,%3f");
        // The log informs; the work goes on without it.
        let _ = writeln!(self.file, "[{time}] {level:<8} slapos {message}");
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use host::clock::ManualClock;

    use super::*;

    #[test]
    fn a_record_has_the_form_of_the_reference() {
        let directory = crate::trial::directory();
        let clock = ManualClock::new("2026-11-20T21:31:42.5Z".parse().unwrap());

        InstanceLog::open(directory.path(), &clock).unwrap().info("Processing Computer Partition slappart0.");

        let text = fs::read_to_string(directory.path().join(".slapgrid/log/instance.log")).unwrap();
        let (time, rest) = text.split_once(']').unwrap();
        assert_eq!(rest, " INFO     slapos Processing Computer Partition slappart0.\n");
        assert_eq!(time.len(), "[2026-11-20 21:31:42,500".len());
        assert!(time.ends_with(",500"), "{time}");
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let directory = crate::trial::directory();
        let logs = directory.path().join(".slapgrid/log");
        files::ensure_directory(&logs, 0o755).unwrap();
        let elsewhere: Utf8PathBuf = directory.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, logs.join("instance.log")).unwrap();
        let clock = ManualClock::new("2026-11-20T21:31:42Z".parse().unwrap());

        assert!(InstanceLog::open(directory.path(), &clock).is_err());

        assert!(!elsewhere.exists());
    }
}
