//! Files and directories that are not finished yet: named so that what a killed process leaves can be told and removed.

use camino::Utf8Path;

/// Begins their names; the number of the process that works on it follows.
const UNFINISHED: &str = ".unfinished-";

/// A directory of our own in `parent`, removed when it is dropped; if we are killed, [`sweep`] removes it.
pub(crate) fn directory_in(parent: &Utf8Path) -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(&prefix()).tempdir_in(parent)
}

/// As [`directory_in`], a file.
pub(crate) fn file_in(parent: &Utf8Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(&prefix()).tempfile_in(parent)
}

fn prefix() -> String {
    format!("{UNFINISHED}{}-", std::process::id())
}

/// Removes what processes that are gone left unfinished in a directory. What cannot be removed is left.
pub(crate) fn sweep(directory: &Utf8Path) {
    let Ok(entries) = directory.read_dir_utf8() else { return };
    for entry in entries.flatten() {
        let worker = entry.file_name().strip_prefix(UNFINISHED).and_then(|rest| rest.split('-').next());
        let gone = worker.and_then(|pid| pid.parse().ok()).is_some_and(|pid| !host::process::is_alive(pid));
        if gone && let Err(error) = host::files::remove_tree(entry.path()) {
            tracing::debug!(path = %entry.path(), %error, "an unfinished file stays");
        }
    }
}
