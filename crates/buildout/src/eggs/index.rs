//! Where distributions come from: an index of which only the names needed are asked, pages and directories of links.

mod allowed_hosts;
mod candidate;
mod checked;
mod connection;
mod fetch;
mod file;
mod links;
mod page;
pub(super) mod pip;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use camino::Utf8PathBuf;
use shacache::Proxies;
use url::Url;

use super::error::EggError;
use super::name::ProjectName;
use super::requirement::Requirement;
pub(super) use candidate::{Candidate, Form, Preferences, candidate};
use candidate::{best, examine, nearest};
use fetch::Fetcher;
pub(super) use fetch::redacted;
use links::SharedLinks;
use page::Link;

/// Where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Addresses under which each project has a page of its own, in order.
    pub indexes: Vec<String>,
    /// Directories, pages and files, in order.
    pub find_links: Vec<String>,
    /// Patterns of the hosts that may be asked; `*` stands for any text.
    pub allow_hosts: Vec<String>,
    /// Certificates to trust instead of the system's.
    pub certificates: Option<Utf8PathBuf>,
    /// Hosts, some with a port, whose certificates are not looked at.
    pub trusted_hosts: Vec<String>,
    /// The file with names and passwords for hosts.
    pub netrc: Option<Utf8PathBuf>,
    /// The proxies to go through.
    pub proxies: Proxies,
    /// How long a connection or a pause within an answer may last.
    pub timeout: Option<Duration>,
}

/// What a search found.
pub(super) enum Search {
    /// The best file.
    Found(Box<Candidate>),
    /// Nothing, with the nearest versions and why files of the right version do not do.
    Nothing {
        /// The nearest versions that exist.
        nearest: Vec<String>,
        /// Why files of the right version do not do.
        refused: Vec<String>,
    },
}

/// The places of a build, with what was learnt from them.
pub(super) struct Index {
    places: Places,
    fetcher: OnceLock<Fetcher>,
    shared_links: OnceLock<SharedLinks>,
    pages: Mutex<HashMap<ProjectName, Arc<Vec<Link>>>>,
}

impl Index {
    /// Nothing is asked before it is needed.
    #[must_use]
    pub(super) fn new(places: Places) -> Self {
        Self { places, fetcher: OnceLock::new(), shared_links: OnceLock::new(), pages: Mutex::default() }
    }

    /// The places, for messages.
    #[must_use]
    pub(super) fn describe(&self) -> Vec<String> {
        let shown = |place: &String| Url::parse(place).map_or_else(|_| place.clone(), |url| redacted(&url));
        self.places.find_links.iter().chain(&self.places.indexes).map(shown).collect()
    }

    /// Looks for the best file that satisfies a requirement.
    ///
    /// # Errors
    /// A place cannot be read.
    pub(super) fn search(
        &self,
        requirement: &Requirement,
        preferences: Preferences<'_>,
    ) -> Result<Search, EggError> {
        let links = self.links(&requirement.project)?;
        let mut refused = Vec::new();
        let mut versions = Vec::new();
        let mut usable = Vec::new();
        for link in links.iter() {
            let Some((candidate, problem)) = examine(link, &requirement.project, preferences) else {
                continue;
            };
            versions.push(candidate.version.clone());
            if !requirement.allows(&candidate.version) {
                continue;
            }
            let withdrawn = candidate.yanked && requirement.only_version().is_none();
            let problem = problem
                .or_else(|| withdrawn.then(|| "was withdrawn by its author".to_owned()))
                .or_else(|| {
                    (!self.places.allows_host(&candidate.url))
                        .then(|| "is on a host that `allow-hosts` excludes".to_owned())
                });
            match problem {
                Some(problem) => refused.push(format!("{} {problem}", candidate.file_name)),
                None => usable.push(candidate),
            }
        }
        if preferences.final_ones && usable.iter().any(|candidate| candidate.version.is_stable()) {
            usable.retain(|candidate| candidate.version.is_stable());
        }
        Ok(match best(usable, preferences.first_of_all) {
            Some(candidate) => Search::Found(Box::new(candidate)),
            None => {
                refused.truncate(5);
                refused.extend_from_slice(self.unread());
                Search::Nothing { nearest: nearest(versions, requirement), refused }
            }
        })
    }
}
