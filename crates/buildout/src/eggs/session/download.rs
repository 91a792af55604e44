//! Files of distributions: from the places of the profile, kept where it says; from the network cache and into it.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;

use super::super::at_once::locked;
use super::super::build::EggBuild;
use super::super::choice::Chosen;
use super::super::error::EggError;
use super::super::index::{Candidate, Form, Index, Preferences, candidate, redacted};
use super::super::name::ProjectName;
use super::super::network_cache::{self, NetworkCache};
use super::super::places::places;
use super::super::requirement::Requirement;
use super::Session;
use crate::{Level, unfinished};

impl Session<'_> {
    /// The wheel or egg of a candidate: downloaded, and built if it is a source archive.
    pub(super) fn file(&self, index: &Index, candidate: &Candidate) -> Result<Utf8PathBuf, EggError> {
        self.built(self.download(index, candidate)?, candidate)
    }

    /// What a file becomes before it can be installed.
    pub(super) fn built(&self, file: Utf8PathBuf, candidate: &Candidate) -> Result<Utf8PathBuf, EggError> {
        if candidate.form == Form::Source { self.build_source(&file, &EggBuild::default()) } else { Ok(file) }
    }

    /// Gets a file of an index, and adds it to the network cache if it is a pinned one.
    pub(super) fn download(&self, index: &Index, candidate: &Candidate) -> Result<Utf8PathBuf, EggError> {
        let directory = self.download_directory()?;
        let is_new = !directory.join(&candidate.file_name).exists();
        let path = match &self.settings.download_cache {
            Some(cache) => index.keep(candidate, cache)?,
            None => index.download(candidate, &directory)?,
        };
        if is_new
            && candidate.url.scheme() != "file"
            && let Some((key, cache)) = self.known_in_network_cache(&candidate.project, &candidate.version)
        {
            let tell = |text| self.tell_of_network_cache(text);
            cache.add(&key, &path, &redacted(&candidate.url), &tell);
        }
        Ok(path)
    }

    /// Where files are kept, or at least put.
    pub(super) fn download_directory(&self) -> Result<Utf8PathBuf, EggError> {
        match &self.settings.download_cache {
            Some(cache) => Ok(cache.clone()),
            None => Ok(self.scratch()?.join("dist")),
        }
    }

    /// A file for a requirement from the network cache, if the requirement is pinned and no such file is kept here.
    pub(super) fn find_in_network_cache(
        &self,
        requirement: &Requirement,
        preferences: Preferences<'_>,
    ) -> Result<Option<(Utf8PathBuf, Candidate)>, EggError> {
        let Some(version) = requirement.only_version().filter(|_| !self.settings.install_from_cache) else {
            return Ok(None);
        };
        let Some((key, cache)) = self.known_in_network_cache(&requirement.project, version) else {
            return Ok(None);
        };
        let directory = self.download_directory()?;
        let suits = |path: &Utf8Path| {
            let candidate = candidate(path, &requirement.project, preferences)?;
            requirement.allows(&candidate.version).then_some(candidate)
        };
        let mut kept = directory.read_dir_utf8().into_iter().flatten().flatten();
        if kept.any(|entry| suits(entry.path()).is_some()) {
            return Ok(None);
        }
        Ok(cache.fetch(&key, &directory, suits, &|text| self.tell_of_network_cache(text)))
    }

    /// The network cache, and the key of a version of a project in it; only what is pinned has one.
    pub(super) fn known_in_network_cache(
        &self,
        project: &ProjectName,
        version: &Version,
    ) -> Option<(String, Arc<NetworkCache>)> {
        let key = network_cache::key(self.pins.get(project)?, version);
        let settings = self.settings.network_cache.as_ref()?;
        let proxies = shacache::Proxies::from_environment(&self.settings.environment);
        let tell = |text| self.tell_of_network_cache(text);
        let open = || NetworkCache::open(settings, &proxies, &tell).map(Arc::new);
        let Some(memory) = self.memory else { return Some((key, open()?)) };
        let mut known = locked(&memory.network_caches);
        let cache = match known.iter().find(|(known, _)| known == settings) {
            Some((_, cache)) => cache.clone(),
            None => {
                let cache = open();
                known.push((settings.clone(), cache.clone()));
                cache
            }
        };
        Some((key, cache?))
    }

    pub(super) fn tell_of_network_cache(&self, text: String) {
        self.told.tell(Level::Info, format!("networkcache: {text}"));
    }

    /// What the distributions chosen so far say about places of what they need.
    pub(super) fn dependency_links(&self, chosen: &[Arc<Chosen>]) -> Result<Vec<String>, EggError> {
        let mut links = Vec::new();
        if self.settings.use_dependency_links && !self.settings.install_from_cache {
            for distribution in chosen.iter().filter_map(|chosen| chosen.installed()) {
                links.extend(distribution.dependency_links()?);
            }
        }
        links.dedup();
        Ok(links)
    }

    /// The places of the settings, and `links`.
    pub(super) fn index(&self, links: &[String]) -> Result<Arc<Index>, EggError> {
        let mut places = match self.places.get() {
            Some(known) => known.clone(),
            None => {
                let places = places(self.settings, &self.python)?;
                self.places.get_or_init(|| places).clone()
            }
        };
        for link in links {
            if !places.find_links.contains(link) {
                places.find_links.push(link.clone());
            }
        }
        let mut indexes = locked(self.memory.map_or(&self.indexes, |memory| &memory.indexes));
        if let Some((_, known)) = indexes.iter().find(|(known, _)| *known == places) {
            return Ok(Arc::clone(known));
        }
        if let Some(downloads) = &self.settings.download_cache {
            unfinished::sweep(downloads);
        }
        let index = Arc::new(Index::new(places.clone()));
        indexes.push((places, Arc::clone(&index)));
        Ok(index)
    }

    pub(super) fn scratch(&self) -> Result<&Utf8Path, EggError> {
        let failed = |source| EggError::Io { action: "create", path: "a temporary directory".into(), source };
        if self.scratch.get().is_none() {
            let made = tempfile::tempdir().map_err(failed)?;
            let _ = self.scratch.set(made);
        }
        let made = self.scratch.get().and_then(|directory| Utf8Path::from_path(directory.path()));
        made.ok_or_else(|| failed(std::io::Error::from(std::io::ErrorKind::InvalidFilename)))
    }
}
