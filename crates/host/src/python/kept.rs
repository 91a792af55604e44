//! The description of an interpreter, kept in a file for as long as the interpreter is the same.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::{Facts, may_execute};
use crate::files;

/// Raised when [`Facts`] gains a field, so that older files are asked again.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    asked: Stamp,
    executable: Stamp,
    facts: Facts,
}

/// What identifies a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    path: Utf8PathBuf,
    size: u64,
    modified_ns: i128,
}

impl Stamp {
    fn of(path: &Utf8Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Some(Self { path: path.to_owned(), size: metadata.size(), modified_ns })
    }
}

/// What was kept in `file` of the interpreter at `path`; `None` when that has changed since.
pub(super) fn read(file: &Utf8Path, path: &Utf8Path) -> Option<Facts> {
    let kept: Kept = serde_json::from_str(&files::read_text_if_present(file).ok()??).ok()?;
    // The path found may be a launcher, so the interpreter behind it must be the same, too.
    let unchanged = kept.format == FORMAT
        && Stamp::of(path).as_ref() == Some(&kept.asked)
        && Stamp::of(&kept.facts.executable).as_ref() == Some(&kept.executable)
        && may_execute(&kept.facts.executable);
    unchanged.then_some(kept.facts)
}

/// Keeps it in `file`; when that fails, the interpreter is asked again the next time.
pub(super) fn write(file: &Utf8Path, path: &Utf8Path, facts: &Facts) {
    let (Some(asked), Some(executable)) = (Stamp::of(path), Stamp::of(&facts.executable)) else { return };
    let kept = Kept { format: FORMAT, asked, executable, facts: facts.clone() };
    let written = serde_json::to_vec(&kept).map_err(io::Error::from).and_then(|text| {
        if let Some(directory) = file.parent() {
            files::ensure_directory(directory, 0o755)?;
        }
        files::replace(file, text, 0o644)
    });
    if let Err(error) = written {
        tracing::debug!(%error, "the description of the interpreter could not be kept");
    }
}
