//! The network cache: asked before the address itself, and told what was fetched. Whatever fails there is logged and
//! makes no difference.

use std::fs::File;

use serde_json::{Map, Value};
use shacache::{ContentCache, Hashes, download_key};

use super::keep::{algorithms, check};
use super::{Download, Place};

/// Gets a download from the cache into `file`, which is empty again when this gives `None`.
pub(super) fn fetch(
    cache: &dyn ContentCache,
    download: &Download,
    file: &mut File,
    log: &mut dyn FnMut(String),
) -> Option<Hashes> {
    let key = download_key(&download.url);
    log(format!("Trying to download {key} from network cache..."));
    let entries = match cache.find(&key) {
        Ok(entries) => entries,
        Err(error) => {
            log(error.explain());
            return None;
        }
    };
    for entry in entries {
        let received = match cache.read(&entry, &algorithms(download), file) {
            Ok(received) => received,
            Err(error) => {
                log(error.explain());
                empty(file)?;
                continue;
            }
        };
        match check(download, Place::Network, &received.hashes, None) {
            Ok(()) => return Some(received.hashes),
            Err(error) => {
                log(format!("{} in network cache", error.classic()));
                empty(file)?;
            }
        }
    }
    None
}

/// Adds what was fetched.
pub(super) fn add(
    cache: &dyn ContentCache,
    download: &Download,
    file: &mut File,
    log: &mut dyn FnMut(String),
) {
    if !cache.takes_content() {
        return;
    }
    let key = download_key(&download.url);
    log(format!("Trying to upload {key} to network cache..."));
    let name = download.url.rsplit('/').next().unwrap_or_default();
    let mut facts = Map::new();
    facts.insert("file".to_owned(), Value::from(name));
    facts.insert("urlmd5".to_owned(), Value::from(key.rsplit(':').next().unwrap_or_default()));
    if let Err(error) = cache.add(&key, file, facts) {
        log(error.explain());
    }
}

fn empty(file: &mut File) -> Option<()> {
    use std::io::Seek;
    file.set_len(0).and_then(|()| file.rewind()).ok()
}
