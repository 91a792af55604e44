//! Distributions in the network cache: pinned ones are looked for there before the index is asked, and added when the
//! index gave them. Whatever fails there is told and makes no difference.

use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use pep440_rs::Version;
use serde_json::{Map, Value};
use shacache::{
    CacheError, ContentCache, Entry, HttpCache, HttpCacheSettings, Limits, Proxies, TransferError,
};

use super::pins::Pin;
use crate::unfinished;

/// How often the servers of the cache are asked in vain.
const ATTEMPTS: u32 = 2;

/// The network cache of a build.
pub(super) struct NetworkCache {
    cache: HttpCache,
    /// It could not be reached, and is not asked again.
    is_gone: AtomicBool,
}

/// Tells what is done.
pub(super) type Tell<'a> = &'a dyn Fn(String);

/// The key under which a pinned distribution is known.
#[must_use]
pub(super) fn key(pin: &Pin, version: &Version) -> String {
    let mut name = String::new();
    for letter in pin.written.trim().chars() {
        // The form that setuptools compares by, which is what existing caches use: dots stay.
        if letter.is_ascii_alphanumeric() || letter == '.' {
            name.push(letter.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    format!("pypi:{name}={version}")
}

impl NetworkCache {
    /// The cache that settings describe; `None`, which is told, for one that cannot be used.
    pub(super) fn open(settings: &HttpCacheSettings, proxies: &Proxies, tell: Tell<'_>) -> Option<Self> {
        match HttpCache::new(settings.clone(), Limits { attempts: ATTEMPTS, ..Limits::default() }, proxies) {
            Ok(cache) => Some(Self { cache, is_gone: AtomicBool::new(false) }),
            Err(error) => {
                tell(format!("cannot be used: {error}"));
                None
            }
        }
    }

    /// Puts the first file under a key that `suits`, going by its name, into `directory`; gives it with what `suits`
    /// makes of it.
    pub(super) fn fetch<T>(
        &self,
        key: &str,
        directory: &Utf8Path,
        suits: impl Fn(&Utf8Path) -> Option<T>,
        tell: Tell<'_>,
    ) -> Option<(Utf8PathBuf, T)> {
        if self.is_gone.load(Ordering::Relaxed) {
            return None;
        }
        tell(format!("Trying to download {key} from network cache..."));
        let entries = self.cache.find(key).map_err(|error| self.failed(&error, tell)).ok()?;
        for entry in entries {
            let Some(name) = file_name(&entry) else { continue };
            let path = directory.join(name);
            let Some(suitable) = suits(&path) else { continue };
            match self.read(&entry, &path) {
                Ok(()) => return Some((path, suitable)),
                Err(error) => self.failed(&error, tell),
            }
        }
        None
    }

    fn read(&self, entry: &Entry, path: &Utf8Path) -> Result<(), CacheError> {
        let directory = path.parent().unwrap_or_else(|| Utf8Path::new("."));
        files::ensure_directory(directory, 0o755)?;
        let mut file = unfinished::file_in(directory)?;
        self.cache.read(entry, &[], file.as_file_mut())?;
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error.into())
    }

    /// Adds a file that came from `url`.
    pub(super) fn add(&self, key: &str, path: &Utf8Path, url: &str, tell: Tell<'_>) {
        if !self.cache.takes_content() || self.is_gone.load(Ordering::Relaxed) {
            return;
        }
        tell(format!("Trying to upload {key} to network cache..."));
        let name = path.file_name().unwrap_or_default();
        let facts: Map<String, Value> = [("basename", name), ("file", name), ("url", url)]
            .map(|(fact, value)| (fact.to_owned(), Value::from(value)))
            .into_iter()
            .collect();
        let file = fs::File::open(path).map_err(CacheError::from);
        let added = file.and_then(|file| self.cache.add(key, &mut file.into_parts().0, facts));
        if let Err(error) = added {
            self.failed(&error, tell);
        }
    }

    fn failed(&self, error: &CacheError, tell: Tell<'_>) {
        tell(error.explain());
        // A server that answers lacks one thing; one that does not answer would be waited for again and again.
        if let CacheError::Transfer { source, .. } = error
            && !matches!(source, TransferError::Status { .. })
        {
            self.is_gone.store(true, Ordering::Relaxed);
        }
    }
}

/// The name of the file of an entry. What it is for is decided by it, and where it is kept, so it must be a plain one.
fn file_name(entry: &Entry) -> Option<&str> {
    let name = ["basename", "file"].iter().find_map(|fact| entry.facts.get(*fact)?.as_str())?;
    (!matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fact: &str, value: &str) -> Entry {
        let facts = [(fact.to_owned(), Value::from(value))].into_iter().collect();
        Entry { sha512: String::new(), facts }
    }

    #[test]
    fn keys_have_the_name_as_setuptools_compares_it() {
        let pin = |written: &str| Pin { written: written.to_owned(), text: String::new(), origin: None };
        let version = "1.2".parse().unwrap();

        assert_eq!(key(&pin("Zope.Interface"), &version), "pypi:zope.interface=1.2");
        assert_eq!(key(&pin("ruamel_yaml__clib"), &version), "pypi:ruamel-yaml-clib=1.2");
    }

    #[test]
    fn an_entry_names_a_file_and_no_place() {
        assert_eq!(file_name(&entry("basename", "a-1.tar.gz")), Some("a-1.tar.gz"));
        assert_eq!(file_name(&entry("file", "a-1.tar.gz")), Some("a-1.tar.gz"));
        for name in ["../a-1.tar.gz", "/etc/passwd", "..", "", "a\\b"] {
            assert_eq!(file_name(&entry("basename", name)), None, "{name}");
        }
        assert_eq!(file_name(&entry("url", "a")), None);
    }
}
