//! Putting eggs into the eggs directory, from a store that builds share when there is one.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::locks::FileLock;
use host::python::Facts;
use pep508_rs::MarkerEnvironment;
use sha2::{Digest, Sha256};
use shacache::hexadecimal;

use super::distribution::Distribution;
use super::egg_file::EggFile;
use super::error::EggError;
use super::name::{EggName, WheelName};
use super::wheel::Wheel;
use crate::unfinished;

/// Raised when eggs in the store must be made anew because they would have another content.
const STORE_FORMAT: u32 = 1;

/// Where eggs go.
pub(super) struct Destination<'a> {
    /// The eggs directory.
    pub eggs: &'a Utf8Path,
    /// Directory of the machine that keeps unpacked eggs for all builds.
    pub store: Option<&'a Utf8Path>,
    /// The interpreter.
    pub facts: &'a Facts,
    /// What markers are decided by.
    pub environment: &'a MarkerEnvironment,
}

impl Destination<'_> {
    /// Installs a wheel or a built egg and returns its egg directory. An egg that is there already is left as it is;
    /// when two builds install the same one at once, both end with the one that was first.
    ///
    /// # Errors
    /// The file is damaged, or something cannot be written.
    pub(super) fn install(&self, file: &Utf8Path) -> Result<Utf8PathBuf, EggError> {
        let egg = self.eggs.join(self.egg_directory(file)?);
        if egg.is_dir() || Distribution::egg(&egg).is_some() {
            return Ok(egg);
        }
        // A directory may change after it was copied, so that nothing identifies what was in it.
        let Some(store) = self.store.filter(|store| file.is_file() && is_usable(store)) else {
            appear(&egg, |temporary| self.unpack(file, temporary))?;
            return Ok(egg);
        };
        let kept = store.join(self.key(file)?).join(egg.file_name().unwrap_or_default());
        if !kept.is_dir() {
            appear(&kept, |temporary| self.unpack(file, temporary))?;
        }
        appear(&egg, |temporary| {
            link_tree(&kept, temporary).map_err(|source| EggError::Io {
                action: "write",
                path: egg.clone(),
                source,
            })
        })?;
        Ok(egg)
    }

    /// The name of the directory that a wheel or a built egg becomes.
    fn egg_directory(&self, file: &Utf8Path) -> Result<String, EggError> {
        let name = file.file_name().unwrap_or_default();
        if EggName::parse(name).is_some() {
            return Ok(name.to_owned());
        }
        let wheel = WheelName::parse(name).ok_or_else(|| EggError::Damaged {
            path: file.to_owned(),
            reason: "its name is neither a wheel's nor an egg's".to_owned(),
        })?;
        let python = format!("{}.{}", self.facts.major, self.facts.minor);
        Ok(wheel.egg_directory(&python, &self.facts.platform))
    }

    fn unpack(&self, file: &Utf8Path, target: &Utf8Path) -> Result<(), EggError> {
        if file.extension() == Some("egg") {
            return EggFile::open(file)?.unpack(target);
        }
        Wheel::open(file)?.unpack(target, self.environment)
    }

    /// What decides the content of an unpacked egg: the wheel, and the interpreter for which its markers are decided.
    fn key(&self, wheel: &Utf8Path) -> Result<String, EggError> {
        let mut hash = Sha256::new();
        hash.update(STORE_FORMAT.to_be_bytes());
        hash.update(self.facts.extension_suffix.as_deref().unwrap_or_default());
        for (name, value) in &self.facts.markers {
            // The kernel's build does not decide dependencies, and changes with each reboot.
            if !matches!(name.as_str(), "platform_release" | "platform_version") {
                hash.update(format!("{name}={value}\n"));
            }
        }
        let mut file = fs::File::open(wheel).map_err(|source| EggError::Io {
            action: "read",
            path: wheel.to_owned(),
            source,
        })?;
        std::io::copy(&mut file, &mut HashWriter(&mut hash)).map_err(|source| EggError::Io {
            action: "read",
            path: wheel.to_owned(),
            source,
        })?;
        Ok(hexadecimal(&hash.finalize()))
    }
}

/// Feeds a hash with what is written.
pub(super) struct HashWriter<'a, D: Digest>(pub &'a mut D);

impl<D: Digest> std::io::Write for HashWriter<'_, D> {
    fn write(&mut self, content: &[u8]) -> std::io::Result<usize> {
        self.0.update(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Makes a directory under a temporary name beside `target` and renames it, so that it is there whole or not at all.
fn appear(target: &Utf8Path, fill: impl FnOnce(&Utf8Path) -> Result<(), EggError>) -> Result<(), EggError> {
    let parent = target.parent().unwrap_or_else(|| Utf8Path::new("."));
    let failed = |source| EggError::Io { action: "write", path: target.to_owned(), source };
    files::ensure_directory(parent, 0o755).map_err(failed)?;
    unfinished::sweep(parent);
    let temporary = unfinished::directory_in(parent).map_err(failed)?;
    let inside = Utf8PathBuf::try_from(temporary.path().join("egg"))
        .map_err(|error| failed(std::io::Error::other(error)))?;
    fill(&inside)?;
    // Who runs it may be somebody else, whatever the user who builds keeps from others.
    files::make_readable(&inside).map_err(failed)?;
    // A rename may reach the disk before what is in the files does.
    files::sync_file_system(&inside).map_err(failed)?;
    match fs::rename(&inside, target) {
        // Somebody else was first; a directory that holds something is never replaced by a rename.
        Err(_) if target.is_dir() => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(()) => files::sync_directory(parent).map_err(failed),
    }
}

/// Whether this user may keep eggs there.
fn is_usable(store: &Utf8Path) -> bool {
    let probe = || -> std::io::Result<()> {
        files::ensure_directory(store, 0o755)?;
        FileLock::try_acquire(&store.join(".lock")).map(drop)
    };
    probe().is_ok()
}

/// Copies a tree by hard links, or by content where the file system or the owner does not allow them.
fn link_tree(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    files::ensure_directory(to, 0o755)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_tree(entry.path(), &target)?;
        } else if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::requirement::tests::environment;
    use super::super::wheel::tests::{write_simple_wheel, write_wheel};
    use super::*;

    fn facts() -> Facts {
        serde_json::from_str(
            r#"{"executable": "/usr/bin/python3", "version": "3.11.2", "major": 3, "minor": 11, "prefix": "/usr",
                "release_level": ["final", 0], "bits": 64, "big_endian": false,
                "site_directories": [], "platform": "linux-x86_64", "glibc": "2.36",
                "extension_suffix": ".cpython-311-x86_64-linux-gnu.so", "markers": {"python_version": "3.11"}}"#,
        )
        .unwrap()
    }

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    #[test]
    fn two_installs_at_once_end_with_one_egg_and_nothing_beside() {
        let (_guard, root) = scratch();
        let wheel = write_simple_wheel(&root, "a", "1.0", &[]);
        let (facts, environment) = (facts(), environment());
        let eggs = root.join("eggs");
        let destination = Destination { eggs: &eggs, store: None, facts: &facts, environment: &environment };

        let found: Vec<Utf8PathBuf> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| destination.install(&wheel).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });

        assert!(found.iter().all(|path| *path == eggs.join("a-1.0-py3.11.egg")));
        assert_eq!(eggs.read_dir_utf8().unwrap().count(), 1);
    }

    #[test]
    fn others_may_read_what_the_user_who_builds_keeps_from_them() {
        use std::os::unix::fs::PermissionsExt;
        let (_guard, root) = scratch();
        let egg = root.join("eggs/a-1.0-py3.11.egg");

        appear(&egg, |inside| {
            fs::create_dir(inside).unwrap();
            fs::set_permissions(inside, PermissionsExt::from_mode(0o700)).unwrap();
            Ok(())
        })
        .unwrap();

        assert_eq!(fs::metadata(&egg).unwrap().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_damaged_wheel_leaves_nothing() {
        let (_guard, root) = scratch();
        let wheel = write_wheel(
            &root,
            "a-1-py3-none-any.whl",
            &[("a.py", ""), ("a-1.dist-info/WHEEL", "Wheel-Version: 1.0\n")],
        );
        let (facts, environment) = (facts(), environment());
        let eggs = root.join("eggs");

        let error = Destination { eggs: &eggs, store: None, facts: &facts, environment: &environment }
            .install(&wheel)
            .unwrap_err();

        assert_eq!(error.code(), "E-eggs-damaged");
        assert_eq!(eggs.read_dir_utf8().unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_others_work_on_is_not() {
        let (_guard, root) = scratch();
        let ours = unfinished::directory_in(&root).unwrap();
        fs::create_dir(root.join(format!(".unfinished-{}-x", u32::MAX))).unwrap();
        fs::write(root.join(".unfinished-notes"), "").unwrap();

        unfinished::sweep(&root);

        let mut left: Vec<String> =
            root.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
        left.sort();
        assert_eq!(left.len(), 2);
        assert!(ours.path().exists() && left[1] == ".unfinished-notes", "{left:?}");
    }

    #[test]
    fn builds_share_the_files_of_the_store() {
        let (_guard, root) = scratch();
        let wheel = write_simple_wheel(&root, "a", "1.0", &[]);
        let (facts, environment) = (facts(), environment());
        let store = root.join("store");
        let install = |eggs: &Utf8Path| {
            Destination { eggs, store: Some(&store), facts: &facts, environment: &environment }
                .install(&wheel)
                .unwrap()
        };

        let one = install(&root.join("one"));
        let two = install(&root.join("two"));

        assert_eq!(
            fs::metadata(one.join("a.py")).unwrap().ino(),
            fs::metadata(two.join("a.py")).unwrap().ino()
        );
        files::remove_tree(&store).unwrap();
        assert!(one.join("EGG-INFO/PKG-INFO").is_file());
    }
}
