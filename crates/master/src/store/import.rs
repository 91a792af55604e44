//! Takes over the database of the Python proxy, versions 10 to 17: reads all of it, writes a database of ours beside
//! it, and lets that take its place. The old one is kept under another name.

mod source;
#[cfg(test)]
mod tests;
mod write;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use slap::ComputerId;
use thiserror::Error;

use self::source::Source;
use self::write::write;
use super::open::{lock, open};
use super::tx::Tx;
use super::{OpenError, StoreError};

/// The oldest and the newest version that can be taken over.
const VERSIONS: std::ops::RangeInclusive<u32> = 10..=17;

/// Why a database was not taken over. It is as it was.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Its version is not known.
    #[error("version {0} of the Python proxy's database cannot be imported")]
    Version(u32),
    /// It cannot be read.
    #[error("failed to read the Python proxy's database")]
    Read(#[source] rusqlite::Error),
    /// The new database cannot be written.
    #[error("failed to write the imported database")]
    Write(#[source] StoreError),
    /// The new database cannot be made.
    #[error("failed to make the imported database")]
    Create(#[source] Box<OpenError>),
    /// The new database cannot be put in the place of the old one.
    #[error("failed to put the imported database in its place")]
    Replace(#[source] std::io::Error),
}

/// Takes over the database at `path`; returns where the old one is kept.
pub(crate) fn import(
    path: &Utf8Path,
    version: u32,
    default_computer: &ComputerId,
    now: i64,
) -> Result<Utf8PathBuf, ImportError> {
    if !VERSIONS.contains(&version) {
        return Err(ImportError::Version(version));
    }
    let _lock = lock(path).map_err(|error| ImportError::Create(Box::new(error)))?;
    let source = Source::open(path, version, default_computer.clone())?;
    let beside = Utf8PathBuf::from(format!("{path}-importing"));
    let kept = Utf8PathBuf::from(format!("{path}-python-{version}"));
    for suffix in ["", "-wal", "-shm", "-lock"] {
        host::files::remove_if_present(Utf8Path::new(&format!("{beside}{suffix}")))
            .map_err(ImportError::Replace)?;
    }
    let opened = open(&beside).map_err(|error| ImportError::Create(Box::new(error)))?;
    opened
        .connection
        .execute_batch("BEGIN")
        .map_err(|error| ImportError::Write(StoreError::Engine(error)))?;
    write(&Tx::new(&opened.connection), &source, now).map_err(ImportError::Write)?;
    opened
        .connection
        .execute_batch("COMMIT")
        .map_err(|error| ImportError::Write(StoreError::Engine(error)))?;
    opened.close();
    // The old database gets a second name before its first one is taken, so that there is always a whole one.
    host::files::remove_if_present(&kept).map_err(ImportError::Replace)?;
    fs::hard_link(path, &kept).map_err(ImportError::Replace)?;
    fs::rename(&beside, path).map_err(ImportError::Replace)?;
    host::files::remove_if_present(Utf8Path::new(&format!("{beside}-lock"))).map_err(ImportError::Replace)?;
    let directory = path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    host::files::sync_directory(directory).map_err(ImportError::Replace)?;
    Ok(kept)
}
