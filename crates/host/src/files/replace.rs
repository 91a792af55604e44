//! Replaces files so that nobody, and no crash, ever sees a part of one.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{read_if_present, remove_if_present};

/// Replaces the content of `path` so that a reader, or a crash, sees either the old or the new file, never a part.
///
/// The file is written beside `path` with `mode`, synced and renamed, and its directory is synced. The directory must
/// exist. A symbolic link at `path` is replaced, not followed.
///
/// # Errors
/// Any failure to write, sync or rename; the temporary file is removed and `path` is as before.
pub fn replace(path: &Utf8Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    place(path, |temporary| write_new(temporary, content.as_ref(), mode)?.sync_all())?;
    sync_directory(parent(path))
}

/// As [`replace`], with the mode of the file that is there; a new one gets what the umask leaves for everybody.
///
/// # Errors
/// As [`replace`].
pub fn replace_keeping_mode(path: &Utf8Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mode = match fs::metadata(path) {
        Ok(metadata) => Some(metadata.permissions().mode() & 0o7777),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    place(path, |temporary| {
        let file = create(temporary, content.as_ref(), mode.unwrap_or(0o666))?;
        if let Some(mode) = mode {
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.sync_all()
    })?;
    sync_directory(parent(path))
}

/// As [`replace`], without waiting for the disk: after a power loss the file may be the old one, the new one, or empty.
///
/// # Errors
/// As [`replace`].
pub fn replace_unsynced(path: &Utf8Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    place(path, |temporary| write_new(temporary, content.as_ref(), mode).map(drop))
}

/// Replaces `path` only when its content differs, and corrects its mode; returns whether anything changed.
///
/// # Errors
/// As [`replace`], and any failure to read the present content other than its absence.
pub fn replace_if_changed(path: &Utf8Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<bool> {
    let content = content.as_ref();
    let Some(present) = read_if_present(path)? else {
        replace(path, content, mode)?;
        return Ok(true);
    };
    if present != content {
        replace(path, content, mode)?;
        return Ok(true);
    }
    if fs::metadata(path)?.permissions().mode() & 0o7777 == mode {
        return Ok(false);
    }
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    Ok(true)
}

/// Makes a rename or a creation in `directory` last through a power loss.
///
/// # Errors
/// A directory that cannot be opened or synced.
pub fn sync_directory(directory: &Utf8Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Lets `write` make a file beside `path`, and renames it; when either fails, nothing is left beside.
fn place(path: &Utf8Path, write: impl FnOnce(&Utf8Path) -> io::Result<()>) -> io::Result<()> {
    let temporary = beside(path)?;
    let placed = write(&temporary).and_then(|()| fs::rename(&temporary, path));
    if placed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    placed
}

fn write_new(path: &Utf8Path, content: &[u8], mode: u32) -> io::Result<fs::File> {
    let file = create(path, content, mode)?;
    // The umask may have taken bits away that the caller asked for.
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// Writes a new file, with `mode` less the umask.
fn create(path: &Utf8Path, content: &[u8], mode: u32) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    fs::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    Ok(file)
}

/// A name beside `path` that no other thread or process uses; what a process of the same number left there is removed.
fn beside(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{path} names no file")))?;
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    let temporary = parent(path).join(format!(".{name}.{}.{number}.tmp", std::process::id()));
    remove_if_present(&temporary)?;
    Ok(temporary)
}

fn parent(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    }
}
