//! What a profile says about distributions: pins, where they come from, where they go.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use shacache::HttpCacheSettings;

/// Everything that the egg service needs to know, as the `[buildout]` and `[versions]` sections say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EggSettings {
    /// The `[versions]` section, names as written.
    pub pins: IndexMap<String, String>,
    /// `index`; none means the default of the Python tools.
    pub index: Option<String>,
    /// `find-links`, in order.
    pub find_links: Vec<String>,
    /// `allow-hosts`: patterns of host names, `*` by default.
    pub allow_hosts: Vec<String>,
    /// Where distributions are installed.
    pub eggs_directory: Utf8PathBuf,
    /// Where links to distributions under development, and locally built ones, are.
    pub develop_eggs_directory: Utf8PathBuf,
    /// Where more distributions are, or links to them.
    pub further_directories: Vec<Utf8PathBuf>,
    /// Where scripts go.
    pub bin_directory: Utf8PathBuf,
    /// The buildout directory.
    pub directory: Utf8PathBuf,
    /// The interpreter that scripts and source builds run under.
    pub python: Utf8PathBuf,
    /// Nothing may be fetched or installed.
    pub offline: bool,
    /// The index is asked even when what is installed would do.
    pub newest: bool,
    /// Only the download cache may be used.
    pub install_from_cache: bool,
    /// Final versions win over newer pre-releases.
    pub prefer_final: bool,
    /// A distribution without a pin is allowed.
    pub allow_picked_versions: bool,
    /// An unknown extra is a warning instead of an error.
    pub allow_unknown_extras: bool,
    /// Whether the places that distributions name for what they need are looked at, too.
    pub use_dependency_links: bool,
    /// Whether distributions are fetched and installed one after the other, each before the next is looked for, as
    /// zc.buildout does. All at once takes less time, and installs nothing when something is missing.
    pub one_at_a_time: bool,
    /// Whether it is to be told who requires what was picked.
    pub note_requirers: bool,
    /// Directory where descriptions of interpreters are kept.
    pub python_cache: Option<Utf8PathBuf>,
    /// Where downloaded distributions are kept (`<download-cache>/dist`).
    pub download_cache: Option<Utf8PathBuf>,
    /// The cache that is asked before the index for what is pinned.
    pub network_cache: Option<HttpCacheSettings>,
    /// Directory of the machine where unpacked distributions are shared by builds.
    pub shared_store: Option<Utf8PathBuf>,
    /// Environment of the processes that build and run Python code.
    pub environment: BTreeMap<String, String>,
}
