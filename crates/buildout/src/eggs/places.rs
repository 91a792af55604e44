//! The places where distributions come from, as the profile and pip's configuration name them.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::python::Interpreter;
use shacache::Proxies;

use super::error::EggError;
use super::index::Places;
use super::index::pip::{self, PipConfiguration};
use crate::EggSettings;

/// Where to look: what the profile says, else what pip's configuration says, else pip's own default. With
/// `install-from-cache`, nowhere but in the download cache.
///
/// # Errors
/// pip's configuration cannot be read, or pip does not tell its default.
pub(super) fn places(settings: &EggSettings, python: &Interpreter) -> Result<Places, EggError> {
    let absolute = |place: &String| {
        if place.contains("://") || place.starts_with('/') {
            return place.clone();
        }
        settings.directory.join(place).to_string()
    };
    let configured = PipConfiguration::read(&settings.environment, Some(&python.facts().prefix))?;
    let cache = settings.download_cache.as_ref().map(ToString::to_string);
    let mut find_links: Vec<String> = cache.into_iter().filter(|path| Utf8Path::new(path).is_dir()).collect();
    let further = if settings.find_links.is_empty() { &configured.find_links } else { &settings.find_links };
    if !settings.install_from_cache {
        find_links.extend(further.iter().map(absolute));
    }
    let indexes = match &settings.index {
        _ if settings.install_from_cache => Vec::new(),
        Some(index) => vec![absolute(index)],
        None if configured.no_index => Vec::new(),
        None => {
            let main = match configured.index {
                Some(index) => index,
                None => pip::default_index(python)?,
            };
            std::iter::once(main).chain(configured.extra_indexes).collect()
        }
    };
    Ok(Places {
        indexes,
        find_links,
        allow_hosts: settings.allow_hosts.clone(),
        certificates: configured.certificates,
        trusted_hosts: configured.trusted_hosts,
        netrc: netrc(settings),
        proxies: match configured.proxy {
            Some(proxy) => Proxies::always(&proxy),
            None => Proxies::from_environment(&settings.environment),
        },
        timeout: configured.timeout.map(Duration::from_secs),
    })
}

/// The file with names and passwords for hosts: the one that `NETRC` names, else `~/.netrc`.
fn netrc(settings: &EggSettings) -> Option<Utf8PathBuf> {
    let variable = |name: &str| settings.environment.get(name).filter(|value| !value.is_empty());
    let usual = || Some(Utf8Path::new(variable("HOME")?).join(".netrc"));
    variable("NETRC").map(Utf8PathBuf::from).or_else(usual).filter(|path| path.is_file())
}
