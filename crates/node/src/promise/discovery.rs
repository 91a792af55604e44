//! Which promises a partition has.

use std::io;
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;

/// One promise of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// File name.
    pub name: String,
    /// File.
    pub path: Utf8PathBuf,
    /// Whether it is a Python plugin; else it is a program.
    pub is_plugin: bool,
}

impl Promise {
    /// File name without its last extension; names the promise's other files.
    #[must_use]
    pub fn title(&self) -> &str {
        match self.name.rsplit_once('.') {
            Some((stem, _)) if !stem.trim_matches('.').is_empty() => stem,
            _ => &self.name,
        }
    }
}

/// The promises of the partition in `directory`: its plugins, then its legacy ones, each sorted by name.
///
/// Compiled plugins whose source is gone are deleted: they would be found instead of what replaced them.
///
/// # Errors
/// A directory that exists and cannot be read.
pub fn promises(directory: &Utf8Path) -> io::Result<Vec<Promise>> {
    let mut found = Vec::new();
    let plugins = directory.join("etc/plugin");
    for name in sorted_names(&plugins)? {
        let path = plugins.join(&name);
        if name.ends_with(".pyc") || name.ends_with(".pyo") {
            if !Utf8Path::new(&path.as_str()[..path.as_str().len() - 1]).exists() {
                files::remove_if_present(&path)?;
            }
        } else if name.ends_with(".py") && !name.starts_with("__init__") {
            found.push(Promise { name, path, is_plugin: true });
        }
    }
    let legacy = directory.join("etc/promise");
    for name in sorted_names(&legacy)? {
        let path = legacy.join(&name);
        if fs::metadata(&path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0) {
            found.push(Promise { name, path, is_plugin: false });
        } else {
            tracing::warn!("`{path}` is no executable file: not a promise");
        }
    }
    Ok(found)
}

fn sorted_names(directory: &Utf8Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 cannot be one that a recipe wrote.
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_come_first_and_stale_bytecode_goes() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        for (path, mode) in [
            ("etc/plugin/__init__.py", 0o644),
            ("etc/plugin/b.py", 0o644),
            ("etc/plugin/a.py", 0o644),
            ("etc/plugin/b.pyc", 0o644),
            ("etc/plugin/gone.pyc", 0o644),
            ("etc/plugin/notes.txt", 0o644),
            ("etc/promise/old", 0o755),
            ("etc/promise/not-executable", 0o644),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            files::replace(&root.join(path), "", mode).unwrap();
        }

        let found = promises(&root).unwrap();

        let names: Vec<_> = found.iter().map(|promise| promise.name.as_str()).collect();
        assert_eq!(names, ["a.py", "b.py", "old"]);
        assert!(root.join("etc/plugin/b.pyc").exists());
        assert!(!root.join("etc/plugin/gone.pyc").exists());
    }

    #[test]
    fn a_title_loses_only_the_last_extension() {
        let title =
            |name: &str| Promise { name: name.into(), path: name.into(), is_plugin: true }.title().to_owned();

        assert_eq!([title("a.b.py"), title("plain"), title(".hidden")], ["a.b", "plain", ".hidden"]);
    }

    #[test]
    fn a_partition_without_promises_has_none() {
        assert_eq!(promises(Utf8Path::new("/nonexistent")).unwrap(), []);
    }
}
