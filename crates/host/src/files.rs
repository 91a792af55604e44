//! Files that survive a crash: written beside, synced, renamed; and trees that can be removed whatever their modes.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// Flag for opening a file that must not be a link.
pub const NO_FOLLOW: i32 = nix::libc::O_NOFOLLOW;

/// Replaces the content of `path` so that a reader, or a crash, sees either the old or the new file, never a part.
///
/// The file is written beside `path` with `mode`, synced and renamed, and its directory is synced. The directory must
/// exist. A symbolic link at `path` is replaced, not followed.
///
/// # Errors
/// Any failure to write, sync or rename; the temporary file is removed and `path` is as before.
pub fn replace(path: &Utf8Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    let temporary = beside(path)?;
    let written =
        write_synced(&temporary, content.as_ref(), mode).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
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
    let temporary = beside(path)?;
    let written = create(&temporary, content.as_ref(), mode.unwrap_or(0o666))
        .and_then(|file| {
            if let Some(mode) = mode {
                file.set_permissions(Permissions::from_mode(mode))?;
            }
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_directory(parent(path))
}

/// As [`replace`], without waiting for the disk: after a power loss the file may be the old one, the new one, or empty.
///
/// # Errors
/// As [`replace`].
pub fn replace_unsynced(path: &Utf8Path, content: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    let temporary = beside(path)?;
    let written = write_new(&temporary, content.as_ref(), mode).and_then(|_| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
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
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode() & 0o7777;
    fs::set_permissions(path, Permissions::from_mode(mode & !0o222))?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = Utf8PathBuf::try_from(entry?.path());
            make_read_only(&entry.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?)?;
        }
    }
    Ok(())
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

/// Makes a rename or a creation in `directory` last through a power loss.
///
/// # Errors
/// A directory that cannot be opened or synced.
pub fn sync_directory(directory: &Utf8Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
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

fn write_synced(path: &Utf8Path, content: &[u8], mode: u32) -> io::Result<()> {
    write_new(path, content, mode)?.sync_all()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    #[test]
    fn replace_gives_the_mode_asked_for_and_leaves_nothing_beside() {
        let (_guard, root) = scratch();
        let path = root.join("state");

        replace(&path, "one", 0o640).unwrap();
        replace(&path, "two", 0o604).unwrap();

        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o604);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
    }

    #[test]
    fn threads_that_replace_the_same_file_do_not_disturb_each_other() {
        let (_guard, root) = scratch();
        let path = root.join("state");

        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for round in 0..50 {
                        replace(path, format!("{writer} {round}"), 0o600).unwrap();
                    }
                });
            }
        });

        assert!(fs::read_to_string(&path).unwrap().ends_with(" 49"));
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
    }

    #[test]
    fn replace_does_not_follow_a_link() {
        let (_guard, root) = scratch();
        let target = root.join("target");
        replace(&target, "untouched", 0o600).unwrap();
        fs::os::unix::fs::symlink(&target, root.join("link")).unwrap();

        replace(&root.join("link"), "new", 0o600).unwrap();

        assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(root.join("link")).unwrap(), "new");
    }

    #[test]
    fn replace_if_changed_reports_only_real_changes() {
        let (_guard, root) = scratch();
        let path = root.join("state");

        assert!(replace_if_changed(&path, "one", 0o600).unwrap());
        assert!(!replace_if_changed(&path, "one", 0o600).unwrap());
        assert!(replace_if_changed(&path, "one", 0o640).unwrap());
        assert!(replace_if_changed(&path, "two", 0o640).unwrap());
    }

    #[test]
    fn remove_tree_removes_what_its_owner_cannot_write() {
        let (_guard, root) = scratch();
        let tree = root.join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        replace(&tree.join("a/b/file"), "x", 0o400).unwrap();
        fs::set_permissions(tree.join("a/b"), Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(tree.join("a"), Permissions::from_mode(0o500)).unwrap();

        remove_tree(&tree).unwrap();
        remove_tree(&tree).unwrap();

        assert!(!tree.exists());
    }

    #[test]
    fn a_read_only_tree_keeps_its_other_permissions_and_what_its_links_lead_to() {
        let (_guard, root) = scratch();
        let tree = root.join("tree");
        fs::create_dir_all(tree.join("a")).unwrap();
        replace(&tree.join("a/program"), "x", 0o755).unwrap();
        replace(&root.join("outside"), "x", 0o644).unwrap();
        fs::os::unix::fs::symlink(root.join("outside"), tree.join("link")).unwrap();

        make_read_only(&tree).unwrap();

        let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("tree") & 0o222, mode("tree/a") & 0o222), (0, 0));
        assert_eq!((mode("tree/a/program"), mode("outside")), (0o555, 0o644));
        remove_tree(&tree).unwrap();
    }

    #[test]
    fn remove_tree_unlinks_a_link_and_keeps_its_target() {
        let (_guard, root) = scratch();
        fs::create_dir(root.join("kept")).unwrap();
        fs::os::unix::fs::symlink(root.join("kept"), root.join("link")).unwrap();

        remove_tree(&root.join("link")).unwrap();

        assert!(root.join("kept").is_dir());
    }
}
