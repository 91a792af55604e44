//! Advisory locks on files, released by the kernel when their holder ends, however it ends.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// A lock held until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    file: std::fs::File,
    path: Utf8PathBuf,
}

impl FileLock {
    /// Takes the lock on `path`, creating the file; `None` when another process holds it.
    ///
    /// # Errors
    /// A file that cannot be opened or locked for another reason.
    pub fn try_acquire(path: &Utf8Path) -> io::Result<Option<Self>> {
        Self::lock(
            fs::OpenOptions::new().create(true).truncate(false).write(true).read(true).open(path)?,
            path,
        )
    }

    /// Takes the lock on an existing directory itself, leaving no file in it; `None` when another process holds it.
    ///
    /// # Errors
    /// A directory that cannot be opened or locked for another reason.
    pub fn try_acquire_directory(path: &Utf8Path) -> io::Result<Option<Self>> {
        Self::lock(fs::File::open(path)?, path)
    }

    /// Takes the lock on a file that exists only while somebody holds it or waits for it, creating it. When another
    /// process holds it, `on_wait` is told which one, as far as the kernel tells, and this waits.
    ///
    /// # Errors
    /// A file that cannot be opened or locked.
    pub fn wait_for(path: &Utf8Path, on_wait: &mut dyn FnMut(Option<u32>)) -> io::Result<Self> {
        loop {
            let lock = match Self::try_acquire(path)? {
                Some(lock) => lock,
                None => {
                    on_wait(holder(path));
                    let options =
                        fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
                    let (file, _) = options.into_parts();
                    file.lock()?;
                    Self { file, path: path.to_owned() }
                }
            };
            // Whoever held it may have removed it; then it keeps nobody else away.
            let ours = lock.file.metadata()?;
            if fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                return Ok(lock);
            }
        }
    }

    /// Removes the file, then lets go of the lock; for locks that were taken by [`FileLock::wait_for`].
    ///
    /// # Errors
    /// A file that cannot be removed; the lock is let go nevertheless.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// The file that is locked.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    fn lock(file: fs::File, path: &Utf8Path) -> io::Result<Option<Self>> {
        let (file, _) = file.into_parts();
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file, path: path.to_owned() })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread is just starting has the descriptor too, until it execs.
        let _ = self.file.unlock();
    }
}

/// The process that holds the lock on a file or directory, as far as the kernel tells.
#[must_use]
pub fn holder(path: &Utf8Path) -> Option<u32> {
    let metadata = fs::metadata(path).ok()?;
    let (device, inode) = (metadata.dev(), metadata.ino());
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    let wanted = format!("{major:02x}:{minor:02x}:{inode}");
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 708 08:01:1234 0 EOF`
    let mut held = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    held.find(|fields| fields.get(5) == Some(&wanted.as_str()))?[4].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("lock")).unwrap();

        let first = FileLock::try_acquire(&path).unwrap().unwrap();
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        drop(first);

        assert!(FileLock::try_acquire(&path).unwrap().is_some());
    }

    #[test]
    fn whoever_waits_gets_the_lock_although_its_file_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().join("lock")).unwrap();
        let holders = std::sync::atomic::AtomicUsize::new(0);
        let rounds = std::sync::atomic::AtomicUsize::new(0);

        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let lock = FileLock::wait_for(&path, &mut |_| {}).unwrap();
                        assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        rounds.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        lock.remove().unwrap();
                    }
                });
            }
        });

        assert_eq!(rounds.into_inner(), 200);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_can_be_locked_without_a_file_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();

        let _held = FileLock::try_acquire_directory(&path).unwrap().unwrap();

        assert!(FileLock::try_acquire_directory(&path).unwrap().is_none());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }
}
