//! Files that survive a crash: written beside, synced, renamed; and trees that can be removed whatever their modes.

mod replace;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

pub use self::replace::{
    replace, replace_if_changed, replace_keeping_mode, replace_unsynced, sync_directory,
};
pub use self::tree::{make_read_only, make_readable, remove_tree};

/// Flag for opening a file that must not be a link.
pub const NO_FOLLOW: i32 = nix::libc::O_NOFOLLOW;

/// Opens a file to append to it, creating it with `mode` less the umask.
///
/// The file may be in a directory of somebody whom we do not trust: a link is not followed, nothing is waited for, and
/// nothing but a plain file is taken.
///
/// # Errors
/// The file cannot be opened, or is something else.
pub fn open_to_append(path: &Utf8Path, mode: u32) -> io::Result<fs::File> {
    use fs_err::os::unix::fs::OpenOptionsExt;
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    let file =
        fs::OpenOptions::new().append(true).create(true).mode(mode).custom_flags(flags.bits()).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is no plain file")))
    }
}

/// Reads a file; a missing one is `None`.
///
/// # Errors
/// Any failure other than the file's absence.
pub fn read_if_present(path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    match open_to_read(path).and_then(|mut file| file.read_to_end(&mut content)) {
        Ok(_) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a file to read it. A pipe or a device is refused: it may never give anything, or never end.
///
/// # Errors
/// The file cannot be opened, or is none. A directory is opened, and fails when it is read.
pub fn open_to_read(path: &Utf8Path) -> io::Result<fs::File> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;

    // Without this flag, opening a pipe waits for somebody who writes.
    let flags = nix::libc::O_NONBLOCK;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_dir() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file"))
}

/// Reads a text file; a missing one is `None`.
///
/// # Errors
/// Any failure other than the file's absence, content that is not UTF-8 included.
pub fn read_text_if_present(path: &Utf8Path) -> io::Result<Option<String>> {
    let Some(content) = read_if_present(path)? else { return Ok(None) };
    String::from_utf8(content)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{path} is not UTF-8: {error}")))
}

/// Removes a file, or a link itself; a missing one is no error.
///
/// # Errors
/// Any failure other than the file's absence.
pub fn remove_if_present(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Creates a directory and its missing parents with `mode` less the umask; an existing directory is left as it is.
///
/// # Errors
/// Any failure to create, something else of that name included.
pub fn ensure_directory(path: &Utf8Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|error| {
        io::Error::new(error.kind(), format!("failed to create directory `{path}`: {error}"))
    })
}

/// Waits until everything that was written to the file system of `path` is on the disk.
///
/// # Errors
/// A path that cannot be opened, or a disk that fails.
pub fn sync_file_system(path: &Utf8Path) -> io::Result<()> {
    Ok(nix::unistd::syncfs(&fs::File::open(path)?)?)
}

/// Gives a file, or a link itself, to a user and its group.
///
/// # Errors
/// The kernel refuses; only root may.
pub fn give(path: &Utf8Path, account: &crate::users::Account) -> io::Result<()> {
    std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid)).map_err(|error| {
        io::Error::new(error.kind(), format!("failed to give `{path}` to {}: {error}", account.name))
    })
}

/// A path with its links followed as far as it exists, as `realpath --canonicalize-missing` gives it.
#[must_use]
pub fn real_path(path: &Utf8Path) -> Utf8PathBuf {
    if let Ok(real) = path.canonicalize_utf8() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real_path(parent).join(name),
        // A path that ends in `..`, or cannot be read.
        _ => path.to_owned(),
    }
}

/// Whether this process may use a path: `mode` is the sum of 4 to read, 2 to write and 1 to execute, 0 for its mere
/// existence. Links are followed.
#[must_use]
pub fn is_accessible(path: &std::path::Path, mode: i64) -> bool {
    let flags = i32::try_from(mode).ok().and_then(nix::unistd::AccessFlags::from_bits);
    flags.is_some_and(|flags| nix::unistd::access(path, flags).is_ok())
}
