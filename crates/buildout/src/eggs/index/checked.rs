//! Files against the checksums that were promised for them.

use std::io;

use camino::Utf8Path;
use fs_err as fs;
use shacache::{Checksum, Hashes};

use super::super::error::EggError;
use crate::unfinished;

/// Checks what was hashed.
///
/// # Errors
/// It is not what was promised.
pub(super) fn check(what: &str, promised: Option<&Checksum>, hashes: &Hashes) -> Result<(), EggError> {
    let Some(promised) = promised else { return Ok(()) };
    let found = hashes.checksum(promised.algorithm).map(|found| found.digits).unwrap_or_default();
    if found == promised.digits {
        return Ok(());
    }
    Err(EggError::Checksum {
        what: what.to_owned(),
        algorithm: promised.algorithm.to_string(),
        expected: promised.digits.clone(),
        found,
    })
}

/// Checks a file on disk.
///
/// # Errors
/// It cannot be read or is not the one that was promised.
pub(super) fn check_file(path: &Utf8Path, promised: Option<&Checksum>) -> Result<(), EggError> {
    let failed = |source| EggError::Io { action: "read", path: path.to_owned(), source };
    let Some(checksum) = promised else { return Ok(()) };
    let mut file = fs::File::open(path).map_err(failed)?;
    let hashes = Hashes::of(&mut file, &[checksum.algorithm]).map_err(failed)?;
    check(path.as_str(), promised, &hashes)
}

/// Copies a file of this machine; the copy appears only when it is whole.
///
/// # Errors
/// It cannot be read, or the copy cannot be written.
pub(super) fn copy(path: &Utf8Path, target: &Utf8Path) -> Result<(), EggError> {
    let directory = target.parent().unwrap_or_else(|| Utf8Path::new("."));
    let copied = || -> io::Result<()> {
        let mut file = unfinished::file_in(directory)?;
        io::copy(&mut fs::File::open(path)?, &mut file)?;
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(target).map(drop).map_err(|error| error.error)
    };
    copied().map_err(|source| EggError::Io { action: "write", path: target.to_owned(), source })
}
