//! Whole trees: removed whatever their modes, made read-only.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::remove_if_present;

/// Removes whatever is at `path`: a file, a link itself, or a whole tree, unwritable and unreadable directories
/// included. A missing path is no error. The parent of `path` is never changed.
///
/// # Errors
/// The first entry that cannot be removed.
pub fn remove_tree(path: &Utf8Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_dir() => return remove_if_present(path),
        Ok(_) => {}
    }
    // The quick way first; only a tree that blocks it is walked to grant its owner what is missing.
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    grant_owner(path)?;
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes the permission to write away from a tree and everything in it; links are left as they are.
///
/// # Errors
/// The first entry that cannot be changed.
pub fn make_read_only(path: &Utf8Path) -> io::Result<()> {
    change_modes(path, |mode| mode & !0o222)
}

/// Lets everybody read, and run, what its owner may in a tree, and nobody else write; links are left as they are.
///
/// # Errors
/// The first entry that cannot be changed.
pub fn make_readable(path: &Utf8Path) -> io::Result<()> {
    change_modes(path, |mode| {
        let others = mode >> 6 & 0o5;
        mode & !0o077 | others << 3 | others
    })
}

/// Changes the mode of a tree and of everything in it that has another one then.
fn change_modes(path: &Utf8Path, wanted: impl Fn(u32) -> u32 + Copy) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if wanted(mode) != mode {
        fs::set_permissions(path, Permissions::from_mode(wanted(mode)))?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = Utf8PathBuf::try_from(entry?.path());
            let entry = entry.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            change_modes(&entry, wanted)?;
        }
    }
    Ok(())
}

fn grant_owner(directory: &Utf8Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let path = Utf8PathBuf::try_from(entry.path())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            grant_owner(&path)?;
        }
    }
    Ok(())
}
