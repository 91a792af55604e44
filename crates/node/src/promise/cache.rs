//! When a promise runs next, and for what: what it said when it ran last.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use host::beneath::Directory;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::result::spaced_json;

/// The directory of the files, in a partition.
pub(super) const FOLDER: &str = ".slapgrid/promise/cache";

/// What a promise says of itself before it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) is_tested: bool,
    pub(super) is_anomaly_detected: bool,
    /// In minutes.
    pub(super) periodicity: Number,
    /// Where its class is defined.
    pub(super) module_file: Utf8PathBuf,
    pub(super) module_file_mtime: f64,
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cache {
    pub(super) is_tested: bool,
    pub(super) is_anomaly_detected: bool,
    periodicity: Number,
    /// In seconds since 1970.
    pub(super) next_run_after: f64,
    timestamp: f64,
    module_file: Utf8PathBuf,
    module_file_mtime: f64,
}

impl Cache {
    /// The cache of a promise that begins to run at `now`; `runs` is false for one that does not want to run in this
    /// mode, which delays nothing.
    pub(super) fn new(schedule: Schedule, now: f64, runs: bool) -> Self {
        let minutes = schedule.periodicity.as_f64().filter(|minutes| minutes.is_finite()).unwrap_or(2.0);
        Self {
            is_tested: schedule.is_tested,
            is_anomaly_detected: schedule.is_anomaly_detected,
            next_run_after: if runs { now + minutes * 60.0 } else { now },
            timestamp: now,
            periodicity: schedule.periodicity,
            module_file: schedule.module_file,
            module_file_mtime: schedule.module_file_mtime,
        }
    }

    /// Reads the cache of a promise; `None` when it is unreadable, or the promise's class has moved.
    pub(super) fn load(partition: &Directory, title: &str) -> Option<Self> {
        let text = partition.enter(FOLDER).ok()??.read_text(title).ok()??;
        let cache: Self = serde_json::from_str(&text).ok()?;
        cache.module_file.exists().then_some(cache)
    }

    pub(super) fn store(&self, folder: &Directory, title: &str) -> io::Result<()> {
        folder.replace(title, spaced_json(self).as_bytes(), 0o644)
    }
}

/// The schedule of a promise that is a program: every two minutes, for everything.
pub(super) fn of_program(path: &Utf8Path) -> Schedule {
    let modified = fs_err::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let since_1970 = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Schedule {
        is_tested: true,
        is_anomaly_detected: true,
        periodicity: Number::from(2),
        module_file: path.to_owned(),
        module_file_mtime: since_1970.map_or(0.0, |time| time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(minutes: f64) -> Schedule {
        Schedule {
            periodicity: Number::from_f64(minutes).unwrap(),
            module_file_mtime: 7.5,
            ..of_program("/bin/sh".into())
        }
    }

    #[test]
    fn the_file_has_the_form_of_the_reference() {
        let cache =
            Cache::new(Schedule { module_file_mtime: 7.5, ..of_program("/bin/sh".into()) }, 1000.25, true);

        insta::assert_snapshot!(spaced_json(&cache), @r#"{"is_tested": true, "is_anomaly_detected": true, "periodicity": 2, "next_run_after": 1120.25, "timestamp": 1000.25, "module_file": "/bin/sh", "module_file_mtime": 7.5}"#);
    }

    #[test]
    fn what_does_not_want_to_run_is_not_delayed() {
        assert_eq!(Cache::new(schedule(0.5), 1000.0, true).next_run_after, 1030.0);
        assert_eq!(Cache::new(schedule(0.5), 1000.0, false).next_run_after, 1000.0);
    }

    #[test]
    fn a_cache_whose_class_has_moved_is_ignored() {
        let guard = tempfile::tempdir().unwrap();
        let partition = Directory::open(Utf8Path::from_path(guard.path()).unwrap()).unwrap();
        let folder = partition.ensure(FOLDER, 0o700).unwrap();
        let here = Cache::new(schedule(2.0), 1.0, true);
        here.store(&folder, "here").unwrap();
        Cache::new(Schedule { module_file: "/nonexistent".into(), ..schedule(2.0) }, 1.0, true)
            .store(&folder, "gone")
            .unwrap();
        folder.replace("damaged", b"{", 0o644).unwrap();

        assert_eq!(Cache::load(&partition, "here"), Some(here));
        assert_eq!(Cache::load(&partition, "gone"), None);
        assert_eq!(Cache::load(&partition, "damaged"), None);
        assert_eq!(Cache::load(&partition, "never"), None);
    }
}
