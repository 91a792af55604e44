//! Where distributions come from: an index of which only the names needed are asked, pages and directories of links.

mod checked;
mod connection;
mod fetch;
mod page;
pub(super) mod pip;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use pep440_rs::{Version, VersionSpecifiers};
use url::Url;

use super::error::EggError;
use super::name::{EggName, ProjectName, WheelName, source_version};
use super::requirement::Requirement;
use super::tags::{Rank, Tags};
use checked::{check_file, copy};
use fetch::Fetcher;
pub(super) use fetch::redacted;
use page::Link;
use shacache::Checksum;

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
    /// A proxy to go through, instead of the environment's.
    pub proxy: Option<String>,
    /// How long a connection or a pause within an answer may last.
    pub timeout: Option<Duration>,
}

/// A file that may be installed.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The project that it is of.
    pub project: ProjectName,
    /// Its version.
    pub version: Version,
    /// Its name.
    pub file_name: String,
    /// Where it is.
    pub url: Url,
    /// The checksum promised for it.
    pub checksum: Option<Checksum>,
    /// Whether its metadata can be had apart, and the checksum of that.
    pub metadata: Option<Option<Checksum>>,
    /// What it is.
    pub form: Form,
    yanked: bool,
    build: Option<(u64, String)>,
}

/// What a file is, the most welcome first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// A wheel, and how well it suits the interpreter; none for one that does not.
    Wheel(Option<Rank>),
    /// A built egg: an archive or a directory.
    Egg,
    /// A source archive.
    Source,
}

/// What is looked for, beyond the requirement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preferences<'a> {
    /// The tags of the interpreter.
    pub tags: &'a Tags,
    /// The version of the interpreter.
    pub python: &'a Version,
    /// The platform of the interpreter.
    pub platform: &'a str,
    /// Whether final versions win over newer ones that are not.
    pub final_ones: bool,
    /// Whether only wheels will do.
    pub wheels_only: bool,
    /// Whether only source archives will do.
    pub sources_only: bool,
    /// The directory whose files win over others of the same version.
    pub first_of_all: Option<&'a Utf8Path>,
}

/// What a search found.
pub(super) enum Search {
    /// The best file.
    Found(Candidate),
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
    shared_links: OnceLock<Vec<Link>>,
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
                    (!self.allows_host(&candidate.url))
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
            Some(candidate) => Search::Found(candidate),
            None => {
                refused.truncate(5);
                Search::Nothing { nearest: nearest(versions, requirement), refused }
            }
        })
    }

    /// The metadata of a wheel, when it can be had apart; `None` means that the wheel itself must be looked at.
    #[must_use]
    pub(super) fn metadata(&self, candidate: &Candidate) -> Option<String> {
        let checksum = candidate.metadata.as_ref().filter(|_| candidate.url.scheme() != "file")?;
        let mut url = candidate.url.clone();
        url.set_path(&format!("{}.metadata", url.path()));
        let scratch = tempfile::tempdir().ok()?;
        let target = Utf8PathBuf::try_from(scratch.path().join("METADATA")).ok()?;
        match self.fetcher().and_then(|fetcher| fetcher.file(&url, checksum.as_ref(), &target)) {
            Ok(()) => files::read_text_if_present(&target).ok().flatten(),
            Err(error) => {
                tracing::debug!(%error, "metadata that is offered cannot be had");
                None
            }
        }
    }

    /// Puts a file into `directory` unless the same is there already, and gives its path. A file of this machine is
    /// used where it is.
    ///
    /// # Errors
    /// It cannot be had, or is not the one that was promised.
    pub(super) fn download(
        &self,
        candidate: &Candidate,
        directory: &Utf8Path,
    ) -> Result<Utf8PathBuf, EggError> {
        if let Some(path) = local_path(&candidate.url) {
            check_file(&path, candidate.checksum.as_ref())?;
            return Ok(path);
        }
        self.keep(candidate, directory)
    }

    /// As [`Index::download`], but a file of this machine is copied, too. A directory is used where it is.
    ///
    /// # Errors
    /// As [`Index::download`].
    pub(super) fn keep(&self, candidate: &Candidate, directory: &Utf8Path) -> Result<Utf8PathBuf, EggError> {
        let local = local_path(&candidate.url);
        if let Some(path) = &local
            && (path.is_dir() || path.parent() == Some(directory))
        {
            return Ok(path.clone());
        }
        files::ensure_directory(directory, 0o755).map_err(|source| EggError::Io {
            action: "create",
            path: directory.to_owned(),
            source,
        })?;
        let target = directory.join(&candidate.file_name);
        if target.is_file()
            && candidate.checksum.is_some()
            && check_file(&target, candidate.checksum.as_ref()).is_ok()
        {
            return Ok(target);
        }
        match local {
            Some(path) => {
                check_file(&path, candidate.checksum.as_ref())?;
                copy(&path, &target)?;
            }
            None => self.fetcher()?.file(&candidate.url, candidate.checksum.as_ref(), &target)?,
        }
        Ok(target)
    }

    fn links(&self, project: &ProjectName) -> Result<Arc<Vec<Link>>, EggError> {
        if let Some(known) = self.pages.lock().expect("no holder of this lock panics").get(project) {
            return Ok(Arc::clone(known));
        }
        let mut links = self.shared_links()?.clone();
        for index in &self.places.indexes {
            links.extend(self.project_page(index, project)?);
        }
        let links = Arc::new(links);
        self.pages.lock().expect("no holder of this lock panics").insert(project.clone(), Arc::clone(&links));
        Ok(links)
    }

    fn project_page(&self, index: &str, project: &ProjectName) -> Result<Vec<Link>, EggError> {
        let base = place_url(&format!("{}/", index.trim_end_matches('/')))?;
        let page = base
            .join(&format!("{project}/"))
            .map_err(|error| EggError::Fetch { what: redacted(&base), source: error.into() })?;
        match local_path(&page) {
            Some(directory) => directory_links(&directory),
            None if !self.allows_host(&page) => Ok(Vec::new()),
            None => self.remote_links(&page),
        }
    }

    fn shared_links(&self) -> Result<&Vec<Link>, EggError> {
        if let Some(known) = self.shared_links.get() {
            return Ok(known);
        }
        let mut links = Vec::new();
        for place in &self.places.find_links {
            let url = place_url(place)?;
            let named = page::file_name(&url).is_some_and(|name| {
                [".whl", ".egg", ".zip", ".tgz"].iter().any(|ending| name.ends_with(ending))
                    || name.contains(".tar.")
            });
            match local_path(&url) {
                Some(path) if path.is_dir() => links.extend(directory_links(&path)?),
                Some(_) if named => links.extend(link_to(&url)),
                Some(path) => links.extend(file_links(&path)?),
                None if named => links.extend(link_to(&url)),
                None if self.allows_host(&url) => links.extend(self.remote_links(&url)?),
                None => {}
            }
        }
        Ok(self.shared_links.get_or_init(|| links))
    }

    fn remote_links(&self, url: &Url) -> Result<Vec<Link>, EggError> {
        let Some(page) = self.fetcher()?.page(url)? else { return Ok(Vec::new()) };
        let mut links = page::parse(&page.body, &page.url)
            .map_err(|error| EggError::Fetch { what: redacted(url), source: error.into() })?;
        // Credentials of the index hold for its files, too, as long as they are on the same host.
        for link in &mut links {
            if !url.username().is_empty() && link.url.username().is_empty() && link.url.host() == url.host() {
                let _ = link.url.set_username(url.username());
                let _ = link.url.set_password(url.password());
            }
        }
        Ok(links)
    }

    fn fetcher(&self) -> Result<&Fetcher, EggError> {
        if let Some(known) = self.fetcher.get() {
            return Ok(known);
        }
        let fetcher = Fetcher::new(&self.places)?;
        Ok(self.fetcher.get_or_init(|| fetcher))
    }

    fn allows_host(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return true };
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        let host = with_port.as_deref().unwrap_or(host);
        self.places.allow_hosts.is_empty()
            || self.places.allow_hosts.iter().any(|pattern| matches_pattern(pattern, host))
    }
}

/// What a file of this machine is for a project, if it can be used at all.
pub(super) fn candidate(
    path: &Utf8Path,
    project: &ProjectName,
    preferences: Preferences<'_>,
) -> Option<Candidate> {
    let link = link_to(&Url::from_file_path(path).ok()?)?;
    let (candidate, problem) = examine(&link, project, preferences)?;
    problem.is_none().then_some(candidate)
}

/// What a link offers for a project, and why it cannot be used if it cannot; `None` for another project's.
fn examine(
    link: &Link,
    project: &ProjectName,
    preferences: Preferences<'_>,
) -> Option<(Candidate, Option<String>)> {
    let mut problem = None;
    let (version, form, build) = if let Some(name) = WheelName::parse(&link.file_name) {
        if ProjectName::new(&name.project) != *project {
            return None;
        }
        let rank = preferences.tags.rank(&name);
        if rank.is_none() {
            problem = Some("is for another interpreter or machine".to_owned());
        }
        (name.version, Form::Wheel(rank), name.build)
    } else if let Some(name) = EggName::parse(&link.file_name) {
        if ProjectName::new(&name.project) != *project {
            return None;
        }
        if !name.suits(preferences.python, preferences.platform) {
            problem = Some("is for another interpreter or machine".to_owned());
        }
        (name.version, Form::Egg, None)
    } else {
        (source_version(&link.file_name, project)?, Form::Source, None)
    };
    if preferences.wheels_only && !matches!(form, Form::Wheel(_)) {
        problem = Some("is not a wheel, which the pin demands".to_owned());
    }
    if preferences.sources_only && form != Form::Source {
        problem = Some("is not a source archive, which the part demands".to_owned());
    }
    let wanted = link.requires_python.as_deref().and_then(|text| text.parse::<VersionSpecifiers>().ok());
    if wanted.is_some_and(|wanted| !wanted.contains(preferences.python)) {
        problem = Some(format!("wants Python {}", link.requires_python.as_deref().unwrap_or_default()));
    }
    let candidate = Candidate {
        project: project.clone(),
        version,
        file_name: link.file_name.clone(),
        url: link.url.clone(),
        checksum: link.checksum.clone(),
        metadata: link.metadata.clone(),
        form,
        yanked: link.yanked,
        build,
    };
    Some((candidate, problem))
}

/// The newest version; of its files one in the directory that comes first of all, else the one that suits best; of
/// equal ones the first.
fn best(candidates: Vec<Candidate>, first_of_all: Option<&Utf8Path>) -> Option<Candidate> {
    let newest = candidates.iter().map(|candidate| candidate.version.clone()).max()?;
    candidates.into_iter().filter(|candidate| candidate.version == newest).min_by(|one, other| {
        let is_elsewhere = |candidate: &Candidate| {
            first_of_all.is_none_or(|first| {
                local_path(&candidate.url).is_none_or(|path| path.parent() != Some(first))
            })
        };
        let key = |candidate: &Candidate| (is_elsewhere(candidate), candidate.form);
        key(one).cmp(&key(other)).then_with(|| other.build.cmp(&one.build))
    })
}

/// The versions around the one that is wanted, and the newest.
fn nearest(mut versions: Vec<Version>, requirement: &Requirement) -> Vec<String> {
    versions.sort();
    versions.dedup();
    let near: Vec<&Version> = match requirement.only_version() {
        Some(wanted) => {
            let position = versions.partition_point(|version| version < wanted);
            let below = position.checked_sub(1).and_then(|index| versions.get(index));
            let newest = versions.iter().rev().find(|version| version.is_stable());
            let mut near: Vec<&Version> =
                below.into_iter().chain(versions.get(position)).chain(newest).collect();
            near.sort();
            near.dedup();
            near
        }
        None => versions.iter().rev().take(3).collect(),
    };
    near.into_iter().map(ToString::to_string).collect()
}

/// The address of a place: an address already, or a path of this machine.
fn place_url(place: &str) -> Result<Url, EggError> {
    let parsed = match Url::parse(place) {
        Ok(url) if url.scheme().len() > 1 => Ok(url),
        _ if place.starts_with('/') => {
            // The slash at the end of a directory matters: names are looked up in it, not beside it.
            let url = if place.ends_with('/') {
                Url::from_directory_path(place)
            } else {
                Url::from_file_path(place)
            };
            url.map_err(|()| "it is not an absolute path".to_owned())
        }
        Ok(_) | Err(_) => Err("it is neither an address nor an absolute path".to_owned()),
    };
    parsed.map_err(|reason| EggError::Fetch { what: place.to_owned(), source: reason.into() })
}

fn local_path(url: &Url) -> Option<Utf8PathBuf> {
    (url.scheme() == "file")
        .then(|| url.to_file_path().ok())
        .flatten()
        .and_then(|path| Utf8PathBuf::try_from(path).ok())
}

fn link_to(url: &Url) -> Option<Link> {
    let mut plain = url.clone();
    plain.set_fragment(None);
    Some(Link {
        file_name: page::file_name(&plain)?,
        checksum: url.fragment().and_then(page::promised),
        requires_python: None,
        yanked: false,
        metadata: None,
        url: plain,
    })
}

/// The links of a directory: those of its `index.html`, else its files. A missing directory has none.
fn directory_links(directory: &Utf8Path) -> Result<Vec<Link>, EggError> {
    let page = directory.join("index.html");
    if page.is_file() {
        return file_links(&page);
    }
    let failed = |source| EggError::Io { action: "read", path: directory.to_owned(), source };
    let listing = match directory.read_dir_utf8() {
        Ok(listing) => listing,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in listing {
        paths.push(entry.map_err(failed)?.into_path());
    }
    paths.sort_unstable();
    Ok(paths
        .iter()
        .filter_map(|path| Url::from_file_path(path).ok())
        .filter_map(|url| link_to(&url))
        .collect())
}

fn file_links(path: &Utf8Path) -> Result<Vec<Link>, EggError> {
    let Ok(base) = Url::from_file_path(path) else { return Ok(Vec::new()) };
    let body = files::read_if_present(path)
        .map_err(|source| EggError::Io { action: "read", path: path.to_owned(), source })?
        .unwrap_or_default();
    page::parse(&String::from_utf8_lossy(&body), &base)
        .map_err(|error| EggError::Fetch { what: path.to_string(), source: error.into() })
}

/// Whether a text matches a pattern in which `*` stands for any text and `?` for any character.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.trim().to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    p = at + 1;
                    t = taken + 1;
                    star = Some((at, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_hosts_match_whole_names() {
        assert!(matches_pattern("*", "any.example"));
        assert!(matches_pattern("*.Example", "files.example"));
        assert!(matches_pattern("f?les.*e:80", "files.example:80"));
        assert!(!matches_pattern("*.example", "example"));
        assert!(!matches_pattern("example", "files.example"));
    }

    #[test]
    fn the_nearest_versions_are_those_around_and_the_newest_final_one() {
        let versions = ["3.0", "1.0", "1.4", "1.6", "4.0rc1"].map(|text| text.parse().unwrap());

        assert_eq!(nearest(versions.to_vec(), &"a==1.5".parse().unwrap()), ["1.4", "1.6", "3.0"]);
        assert_eq!(nearest(versions.to_vec(), &"a>=9".parse().unwrap()), ["4.0rc1", "3.0", "1.6"]);
        assert!(nearest(Vec::new(), &"a==1".parse().unwrap()).is_empty());
    }

    #[test]
    fn a_place_is_an_address_or_an_absolute_path() {
        assert_eq!(place_url("/a b/c").unwrap().as_str(), "file:///a%20b/c");
        assert_eq!(place_url("/a/b/").unwrap().join("c").unwrap().as_str(), "file:///a/b/c");
        assert_eq!(place_url("https://index.example/simple").unwrap().host_str(), Some("index.example"));
        assert_eq!(place_url("links").unwrap_err().code(), "E-eggs-download");
    }
}
