//! The links of an index, of pages and of directories: each is read once, and only the pages of the projects needed.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use url::Url;

use super::super::distribution::entries;
use super::super::error::EggError;
use super::super::name::ProjectName;
use super::Index;
use super::fetch::{Fetcher, redacted};
use super::page::{self, Link};

/// What the places that are not asked by name have.
#[derive(Default)]
pub(super) struct SharedLinks {
    links: Vec<Link>,
    /// The pages of `find-links` that could not be had, and why: another place may have what is wanted.
    unread: Vec<String>,
}

impl Index {
    /// The pages of `find-links` that could not be had, and why; nothing before they are needed.
    pub(in super::super) fn unread(&self) -> &[String] {
        self.shared_links.get().map_or(&[], |shared| &shared.unread)
    }

    pub(super) fn links(&self, project: &ProjectName) -> Result<Arc<Vec<Link>>, EggError> {
        if let Some(known) = self.pages.lock().expect("no holder of this lock panics").get(project) {
            return Ok(Arc::clone(known));
        }
        let mut links = self.shared_links()?.links.clone();
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
            None if !self.places.allows_host(&page) => Ok(Vec::new()),
            None => self.remote_links(&page),
        }
    }

    fn shared_links(&self) -> Result<&SharedLinks, EggError> {
        if let Some(known) = self.shared_links.get() {
            return Ok(known);
        }
        let SharedLinks { mut links, mut unread } = SharedLinks::default();
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
                None if self.places.allows_host(&url) => match self.remote_links(&url) {
                    Ok(found) => links.extend(found),
                    Err(error) => unread.push(format!("{error}: {}", innermost(&error))),
                },
                None => {}
            }
        }
        Ok(self.shared_links.get_or_init(|| SharedLinks { links, unread }))
    }

    fn remote_links(&self, url: &Url) -> Result<Vec<Link>, EggError> {
        let Some(page) = self.fetcher()?.page(url)? else { return Ok(Vec::new()) };
        let mut links = page::parse(&page.body, &page.url)
            .map_err(|error| EggError::Fetch { what: redacted(url), source: error.into() })?;
        // Credentials of the index hold for its files, too, as long as the same server has them: not another one on the
        // same host, nor one that is asked without encryption.
        for link in &mut links {
            let is_same = link.url.origin() == url.origin();
            if !url.username().is_empty() && link.url.username().is_empty() && is_same {
                let _ = link.url.set_username(url.username());
                let _ = link.url.set_password(url.password());
            }
        }
        Ok(links)
    }

    pub(super) fn fetcher(&self) -> Result<&Fetcher, EggError> {
        if let Some(known) = self.fetcher.get() {
            return Ok(known);
        }
        let fetcher = Fetcher::new(&self.places)?;
        Ok(self.fetcher.get_or_init(|| fetcher))
    }
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

pub(super) fn local_path(url: &Url) -> Option<Utf8PathBuf> {
    (url.scheme() == "file")
        .then(|| url.to_file_path().ok())
        .flatten()
        .and_then(|path| Utf8PathBuf::try_from(path).ok())
}

pub(super) fn link_to(url: &Url) -> Option<Link> {
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
    let paths = entries(directory)?;
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

/// The cause of all.
fn innermost(error: &EggError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_an_absolute_path() {
        assert_eq!(place_url("/a b/c").unwrap().as_str(), "file:///a%20b/c");
        assert_eq!(place_url("/a/b/").unwrap().join("c").unwrap().as_str(), "file:///a/b/c");
        assert_eq!(place_url("https://index.example/simple").unwrap().host_str(), Some("index.example"));
        assert_eq!(place_url("links").unwrap_err().code(), "E-eggs-download");
    }
}
