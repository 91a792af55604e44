//! A directory for one test, owned by a user who may build.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::users::Account;

/// A directory that is removed at the end.
pub(crate) struct TrialDirectory {
    _directory: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl TrialDirectory {
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Writes a file, which belongs to the same user as the directory.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> Utf8PathBuf {
        let path = self.path.join(name);
        self.make(path.parent().unwrap().strip_prefix(&self.path).unwrap().as_str(), 0o755);
        files::replace(&path, text, mode).unwrap();
        own(&path);
        path
    }

    /// Makes a directory and its parents, which belong to the same user.
    pub(crate) fn make(&self, name: &str, mode: u32) -> Utf8PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let mut path = self.path.clone();
        for part in Utf8Path::new(name).components() {
            path.push(part);
            if !path.exists() {
                fs::create_dir(&path).unwrap();
                own(&path);
            }
        }
        if path != self.path {
            fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }
}

/// Nothing is built as root, so what root makes for a test is given away.
fn own(path: &Utf8Path) {
    if host::users::is_root() {
        files::give(path, &Account::by_name("nobody").unwrap().unwrap()).unwrap();
    }
}

pub(crate) fn directory() -> TrialDirectory {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    own(&path);
    TrialDirectory { _directory: directory, path }
}
