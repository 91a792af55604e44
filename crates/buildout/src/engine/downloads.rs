//! Files from elsewhere, for the parts of a build.

use std::sync::Arc;
use std::time::Duration;

use shacache::{Client, ContentCache, HttpCache, HttpCacheSettings, Proxies};

use super::Engine;
use crate::download::{Download, Downloaded, Fetcher, Prefetch};
use crate::fault::Fault;
use crate::{BuildError, Level};

impl Engine {
    pub(crate) fn download(&mut self, download: &Download) -> Result<Downloaded, BuildError> {
        let fetcher = self.fetcher()?;
        let engine = &*self;
        let mut log = |logger: Option<&str>, message: String| engine.log(Level::Info, logger, message);
        Ok(fetcher.fetch(download, &mut log).map_err(Fault::Download)?)
    }

    /// What the recipe of a part says that it will ask for.
    pub(crate) fn downloads_of(&self, part: &str) -> Vec<Download> {
        let recipe = self.slots.get(part).and_then(|slot| slot.recipe.as_ref());
        recipe.map(|recipe| recipe.downloads()).unwrap_or_default()
    }

    /// Begins to fetch what parts will ask for.
    pub(crate) fn fetch_ahead(&mut self, downloads: Vec<Download>) -> Result<(), BuildError> {
        // One file alone comes no sooner.
        if downloads.len() > 1 {
            let mut fetcher = self.fetcher()?;
            let parts = self.buildout_directory("parts-directory")?;
            crate::unfinished::sweep(&parts);
            fetcher.ahead(Some(Arc::new(Prefetch::new(fetcher.clone(), Some(&parts)))));
            fetcher.fetch_ahead(downloads);
            self.downloads = Some(fetcher);
        }
        Ok(())
    }

    /// Gives up what is still being fetched and nobody has asked for.
    pub(crate) fn end_fetching_ahead(&mut self) {
        if let Some(fetcher) = &mut self.downloads {
            fetcher.ahead(None);
        }
    }

    /// What fetches files as `[buildout]` says.
    pub(crate) fn fetcher(&mut self) -> Result<Fetcher, BuildError> {
        if let Some(fetcher) = &self.downloads {
            return Ok(fetcher.clone());
        }
        let cache = self.buildout_option("download-cache")?.map(|path| self.directory.join(path));
        let client = Client::new(Fetcher::limits(self.socket_timeout()?), self.proxies());
        let offline = self.offline || self.flag("install-from-cache", false)?;
        let mut fetcher = Fetcher::new(cache, offline, client);
        fetcher.base_directory(&self.directory);
        if let Some(home) = self.environment.get("HOME") {
            fetcher.home(home);
        }
        if let Some(settings) = self.network_cache_settings()? {
            fetcher.mirror(self.network_cache(settings));
        }
        self.downloads = Some(fetcher.clone());
        Ok(fetcher)
    }

    /// The proxies of the environment, as it is when they are asked for: recipes may set some.
    pub(crate) fn proxies(&self) -> Proxies {
        Proxies::from_environment(&self.environment)
    }

    fn socket_timeout(&mut self) -> Result<Option<Duration>, BuildError> {
        let seconds = self.buildout_option("socket-timeout")?;
        Ok(seconds.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs))
    }

    /// What the profile says about the network cache.
    pub(super) fn network_cache_settings(&mut self) -> Result<Option<HttpCacheSettings>, BuildError> {
        let Some(section) = self.buildout_option("networkcache-section")? else { return Ok(None) };
        let options = self.copy(&section)?;
        Ok(HttpCacheSettings::from_options(&|name| options.get(name).cloned()))
    }

    /// The network cache that settings describe; one that cannot be used is logged and left alone.
    pub(crate) fn network_cache(&self, settings: HttpCacheSettings) -> Option<Arc<dyn ContentCache>> {
        match HttpCache::new(settings, Fetcher::limits(None), &self.proxies()) {
            Ok(cache) => Some(Arc::new(cache)),
            Err(error) => {
                self.log(Level::Info, Some("networkcache"), format!("cannot be used: {error}"));
                None
            }
        }
    }
}
