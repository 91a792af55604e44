//! How profiles are fetched from the network, and which options say so.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use shacache::HttpCacheSettings;

use super::location::expand_home;
use crate::BuildError;
use crate::command_line::CommandLineAssignment;
use crate::fault::Fault;
use crate::table::Table;

/// How profiles are fetched from the network: as `[buildout]` of the root profile and the command line say.
#[derive(Debug, Clone, Default)]
pub(crate) struct FetchRules {
    pub(crate) cache: Option<Utf8PathBuf>,
    pub(crate) offline: bool,
    pub(crate) newest: bool,
    /// How long to wait for a word from a server.
    pub(crate) timeout: Option<Duration>,
    pub(crate) network_cache: Option<HttpCacheSettings>,
}

/// Finds the rules in a table; what the command line assigns comes first.
pub(crate) struct FetchOptions<'a> {
    pub(crate) assignments: &'a [CommandLineAssignment],
    /// The user's home, for caches below it.
    pub(crate) home: Option<&'a Utf8Path>,
}

impl FetchOptions<'_> {
    /// The rules that the table makes. Of its sections, `[buildout]` and the one that [`Self::network_cache`] names
    /// count.
    pub(crate) fn rules(&self, table: &Table) -> Result<FetchRules, BuildError> {
        let option = |name: &str| self.value(table, "buildout", name);
        let flag = |name: &str| match option(name).as_deref() {
            Some("true") => Ok(true),
            None | Some("false") => Ok(false),
            Some(value) => {
                let (option, value) = (name.to_owned(), value.to_owned());
                Err(BuildError::from(Fault::InvalidValue { option, value, expected: "true or false" }))
            }
        };
        let cache = option("extends-cache").filter(|cache| !cache.is_empty());
        if let Some(cache) = &cache
            && cache.contains("${")
        {
            return Err(Fault::Exception {
                name: "ValueError",
                option: "extends-cache",
                message: format!("extends-cache '{cache}' may not contain ${{section:variable}} to expand."),
                hint: "write the path itself: it is needed before anything can be expanded",
                code: "E-profile-value",
            }
            .into());
        }
        let directory = Utf8PathBuf::from(option("directory").unwrap_or_default());
        let network_cache = self.network_cache(table);
        Ok(FetchRules {
            cache: cache.map(|cache| expand_home(&cache, self.home, &directory)),
            // A build that installs from its cache alone does not ask the network for profiles either.
            offline: flag("offline")? || flag("install-from-cache")?,
            newest: flag("newest")?,
            timeout: option("socket-timeout")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs),
            network_cache: network_cache.and_then(|section| {
                HttpCacheSettings::from_options(&|name| self.value(table, &section, name))
            }),
        })
    }

    /// The section that describes the network cache.
    pub(crate) fn network_cache(&self, table: &Table) -> Option<String> {
        self.value(table, "buildout", "networkcache-section").map(|section| section.trim().to_owned())
    }

    fn value(&self, table: &Table, section: &str, option: &str) -> Option<String> {
        let typed = self
            .assignments
            .iter()
            .rfind(|assignment| assignment.section == section && assignment.option == option);
        typed.map(|assignment| assignment.value.clone()).or_else(|| table.plain(section, option))
    }
}
