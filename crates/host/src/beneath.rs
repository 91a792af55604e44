//! Files inside a directory that belongs to somebody whom we do not trust.
//!
//! Every step is taken from a handle of the directory before, and no link is ever followed: whatever the owner puts
//! there, what is read and written lies beneath the directory that was opened. What root creates is given to the
//! owner of that directory.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, unlinkat};

use crate::users::is_root;

/// An open directory, and whose the first one was.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
    path: Utf8PathBuf,
    owner: (Uid, Gid),
}

impl Directory {
    /// Opens the directory at `path`, which is not doubted itself.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Utf8Path) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let handle = nix::fcntl::open(path.as_std_path(), flags, Mode::empty());
        let handle = handle.map_err(|error| failed("open", path, error))?;
        let status = fstat(&handle)?;
        let owner = (Uid::from_raw(status.st_uid), Gid::from_raw(status.st_gid));
        Ok(Self { handle, path: path.to_owned(), owner })
    }

    /// Its path, for messages.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Opens the directory at `path` beneath this one; `None` when it does not exist.
    ///
    /// # Errors
    /// It cannot be opened, or is, or leads over, a link.
    pub fn enter(&self, path: &str) -> io::Result<Option<Self>> {
        let mut directory = self.again()?;
        for name in names(path)? {
            match directory.child(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                child => directory = child?,
            }
        }
        Ok(Some(directory))
    }

    /// As [`Directory::enter`], creating what is missing with `mode`.
    ///
    /// # Errors
    /// As [`Directory::enter`], and what cannot be created.
    pub fn ensure(&self, path: &str, mode: u32) -> io::Result<Self> {
        let mut directory = self.again()?;
        for name in names(path)? {
            match mkdirat(&directory.handle, name, Mode::from_bits_truncate(mode)) {
                Ok(()) => {
                    directory = directory.child(name)?;
                    directory.give(&directory.handle, mode)?;
                }
                Err(Errno::EEXIST) => directory = directory.child(name)?,
                Err(error) => return Err(failed("create", &directory.path.join(name), error)),
            }
        }
        Ok(directory)
    }

    /// Reads a text file; a missing one is `None`.
    ///
    /// # Errors
    /// It cannot be read, is no plain file, or not UTF-8.
    pub fn read_text(&self, name: &str) -> io::Result<Option<String>> {
        let mut file = match self.file(name, OFlag::O_RDONLY, 0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// Replaces a file so that a reader, or a crash of this program, sees the old or the new one, never a part.
    ///
    /// # Errors
    /// It cannot be written; the file is as before.
    pub fn replace(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let temporary = format!(".{name}.{}.tmp", std::process::id());
        self.remove(&temporary)?;
        let written = self.file(&temporary, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL, mode).and_then(
            |mut file| {
                file.write_all(content)?;
                self.give(&file, mode)?;
                renameat(&self.handle, temporary.as_str(), &self.handle, name)
                    .map_err(|error| failed("replace", &self.path.join(name), error))
            },
        );
        if written.is_err() {
            let _ = self.remove(&temporary);
        }
        written
    }

    /// Adds to a file, creating it with `mode`.
    ///
    /// # Errors
    /// It cannot be written, or is no plain file.
    pub fn append(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let is_new = self.read_metadata_is_missing(name);
        let mut file = self.file(name, OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT, mode)?;
        if is_new {
            self.give(&file, mode)?;
        }
        file.write_all(content)
    }

    /// Removes a file, or a link itself; a missing one is no error.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(error) => Err(failed("remove", &self.path.join(name), error)),
        }
    }

    fn again(&self) -> io::Result<Self> {
        Ok(Self { handle: self.handle.try_clone()?, path: self.path.clone(), owner: self.owner })
    }

    fn child(&self, name: &str) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let path = self.path.join(name);
        let handle =
            openat(&self.handle, name, flags, Mode::empty()).map_err(|error| failed("open", &path, error))?;
        Ok(Self { handle, path, owner: self.owner })
    }

    fn file(&self, name: &str, flags: OFlag, mode: u32) -> io::Result<std::fs::File> {
        let path = self.path.join(name);
        if names(name)?.len() != 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{name}` is no file name")));
        }
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let handle = openat(&self.handle, name, flags, Mode::from_bits_truncate(mode));
        let file = std::fs::File::from(handle.map_err(|error| failed("open", &path, error))?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is no plain file")))
        }
    }

    fn read_metadata_is_missing(&self, name: &str) -> bool {
        nix::sys::stat::fstatat(&self.handle, name, AtFlags::AT_SYMLINK_NOFOLLOW) == Err(Errno::ENOENT)
    }

    /// Gives what was just created to the directory's owner, with the mode that the umask may have reduced.
    fn give(&self, created: impl AsFd, mode: u32) -> io::Result<()> {
        if is_root() {
            fchown(created.as_fd(), Some(self.owner.0), Some(self.owner.1))?;
        }
        Ok(fchmod(created.as_fd(), Mode::from_bits_truncate(mode))?)
    }
}

/// The parts of a path, none of which may lead up or be absolute.
fn names(path: &str) -> io::Result<Vec<&str>> {
    let parts = Utf8Path::new(path).components().map(|component| match component {
        Utf8Component::Normal(name) => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` leads out of its directory"))),
    });
    parts.collect()
}

fn failed(what: &str, path: &Utf8Path, error: Errno) -> io::Error {
    let source = io::Error::from(error);
    io::Error::new(source.kind(), format!("failed to {what} `{path}`: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn scratch() -> (tempfile::TempDir, Directory) {
        let guard = tempfile::tempdir().unwrap();
        let directory = Directory::open(Utf8Path::from_path(guard.path()).unwrap()).unwrap();
        (guard, directory)
    }

    #[test]
    fn what_is_written_is_read_back_with_the_mode_asked_for() {
        let (guard, root) = scratch();

        let deep = root.ensure("a/b", 0o750).unwrap();
        deep.replace("file", b"one", 0o640).unwrap();
        deep.replace("file", b"two", 0o640).unwrap();
        deep.append("file", b"+", 0o640).unwrap();

        assert_eq!(root.enter("a/b").unwrap().unwrap().read_text("file").unwrap().as_deref(), Some("two+"));
        let mode =
            |path: &str| fs_err::metadata(guard.path().join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("a/b"), mode("a/b/file")), (0o750, 0o640));
        assert_eq!(fs_err::read_dir(guard.path().join("a/b")).unwrap().count(), 1);
        assert!(root.enter("a/c").unwrap().is_none());
        assert_eq!(deep.read_text("none").unwrap(), None);
    }

    #[test]
    fn no_link_is_followed() {
        let (guard, root) = scratch();
        let outside = tempfile::tempdir().unwrap();
        let kept = outside.path().join("kept");
        fs_err::os::unix::fs::symlink(outside.path(), guard.path().join("way-out")).unwrap();
        fs_err::os::unix::fs::symlink(&kept, guard.path().join("file")).unwrap();

        assert!(root.enter("way-out").is_err());
        assert!(root.ensure("way-out/x", 0o700).is_err());
        assert!(root.append("file", b"x", 0o600).is_err());
        assert!(root.read_text("file").is_err());
        root.replace("file", b"x", 0o600).unwrap();

        assert!(!kept.exists());
        assert_eq!(fs_err::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_path_leads_out() {
        let (_guard, root) = scratch();

        assert!(root.enter("../x").is_err());
        assert!(root.ensure("/etc", 0o700).is_err());
        assert!(root.append("a/b", b"", 0o600).is_err());
    }

    #[test]
    fn what_root_creates_is_the_owners() {
        if !is_root() {
            return;
        }
        let (guard, _) = scratch();
        std::os::unix::fs::chown(guard.path(), Some(12_345), Some(12_346)).unwrap();
        let root = Directory::open(Utf8Path::from_path(guard.path()).unwrap()).unwrap();

        root.ensure("a/b", 0o700).unwrap().replace("file", b"", 0o600).unwrap();

        for path in ["a", "a/b", "a/b/file"] {
            let metadata = fs_err::metadata(guard.path().join(path)).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (12_345, 12_346), "{path}");
        }
    }
}
