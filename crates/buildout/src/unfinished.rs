//! Files and directories that are not finished yet: named so that what a killed process leaves can be told and removed.

use std::time::Duration;

use camino::{Utf8DirEntry, Utf8Path};
use host::clock::{Clock, SystemClock};
use host::process;

/// Begins their names; the number of the process that works on it follows, and the space of that number.
const UNFINISHED: &str = ".unfinished-";
/// What a process of another container works on changes within this time.
const LONG_AGO: Duration = Duration::from_secs(24 * 3600);

/// A directory of our own in `parent`, removed when it is dropped; if we are killed, [`sweep`] removes it.
pub(crate) fn directory_in(parent: &Utf8Path) -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(&prefix()).tempdir_in(parent)
}

/// As [`directory_in`], a file.
pub(crate) fn file_in(parent: &Utf8Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(&prefix()).tempfile_in(parent)
}

fn prefix() -> String {
    format!("{UNFINISHED}{}-{}-", std::process::id(), process::number_space().unwrap_or_default())
}

/// Removes what processes that are gone left unfinished in a directory. What cannot be removed is left.
pub(crate) fn sweep(directory: &Utf8Path) {
    let Ok(entries) = directory.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        if is_abandoned(&entry)
            && let Err(error) = host::files::remove_tree(entry.path())
        {
            tracing::debug!(path = %entry.path(), %error, "an unfinished file stays");
        }
    }
}

fn is_abandoned(entry: &Utf8DirEntry) -> bool {
    let Some(rest) = entry.file_name().strip_prefix(UNFINISHED) else { return false };
    let mut parts = rest.split('-');
    let Some(worker) = parts.next().and_then(|number| number.parse().ok()) else { return false };
    let space = parts.next().and_then(|space| space.parse().ok());
    if space.is_none() || space == Some(process::number_space().unwrap_or_default()) {
        return !process::is_alive(worker);
    }
    // Nobody here can tell whether a process of another container lives.
    let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok();
    let changed = changed.and_then(|changed| jiff::Timestamp::try_from(changed).ok());
    changed.is_some_and(|changed| SystemClock.now().duration_since(changed).unsigned_abs() > LONG_AGO)
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn what_another_container_works_on_is_left_alone_for_a_day() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        let ours = directory_in(&root).unwrap();
        let [dead, elsewhere, old] = [process::number_space().unwrap(), 1, 2]
            .map(|space| root.join(format!("{UNFINISHED}{}-{space}-x", u32::MAX)));
        for path in [&dead, &elsewhere, &old] {
            fs_err::create_dir(path).unwrap();
        }
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        std::fs::File::open(&old).unwrap().set_modified(long_ago).unwrap();

        sweep(&root);

        assert!(ours.path().exists() && elsewhere.exists());
        assert!(!dead.exists() && !old.exists());
    }
}
