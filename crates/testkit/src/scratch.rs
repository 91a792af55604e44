//! Directories for one test, reachable by every user, since root's tests start programs as other users.

use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::TempDir;

/// A directory of one test, removed with this value.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// Makes an empty directory that every user may pass and read.
    ///
    /// # Panics
    /// The directory of temporary files cannot be written.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a directory, which a default should not")]
    pub fn new() -> Self {
        let directory =
            tempfile::Builder::new().prefix("slapos-test-").tempdir().expect("temporary files can be made");
        fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))
            .expect("the directory is ours");
        Self { directory }
    }

    /// Its path.
    ///
    /// # Panics
    /// The directory of temporary files has a name that is not UTF-8.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).expect("the path of temporary files is UTF-8")
    }

    /// Copies a program to `bin/<name>` in this directory, where every user reaches it, and gives that directory.
    ///
    /// # Panics
    /// The program cannot be read, or this directory not be written.
    pub fn install(&self, program: &str, name: &str) -> Utf8PathBuf {
        let directory = self.path().join("bin");
        fs::create_dir_all(&directory).expect("the directory is ours");
        let target = directory.join(name);
        if fs::hard_link(program, &target).is_err() {
            fs::copy(program, &target).expect("the program can be copied");
        }
        directory
    }
}
