//! What a master is told at its start.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use camino::Utf8PathBuf;
use host::clock::{Clock, SystemClock};
use slap::{ComputerId, PartitionId, SoftwareUrl};

use crate::frontend::BypassedReleases;

/// The settings of a stand-alone master.
#[derive(Clone)]
pub struct MasterConfiguration {
    /// The address to listen on. Loopback, unless told otherwise.
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// The database, one file. Its directory must exist.
    pub database: Utf8PathBuf,
    /// The computer that requests go to when they name none.
    pub default_computer: ComputerId,
    /// The names by which it is reached beside its own address: those of a front-end, of this machine. Whoever asks
    /// for another name is refused, so that no web page can reach the master through a name of its own.
    pub public_names: Vec<String>,
    /// The releases of products, the one to take first.
    pub products: BTreeMap<String, Vec<SoftwareUrl>>,
    /// Masters that fulfil requests in place of this one.
    pub forwarding: Vec<Forwarding>,
    /// Frontends that are made up here.
    pub bypassed: BypassedReleases,
    /// The clock to go by.
    pub clock: Arc<dyn Clock>,
}

impl MasterConfiguration {
    /// A master on loopback with the settings that everybody takes first.
    #[must_use]
    pub fn new(database: Utf8PathBuf, port: u16) -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port,
            database,
            default_computer: "local_computer".parse().expect("a constant that is an id"),
            public_names: Vec::new(),
            products: BTreeMap::new(),
            forwarding: Vec::new(),
            bypassed: BypassedReleases::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Another master, and what is for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// Its address, exactly as requests name it.
    pub url: String,
    /// The private key to prove who forwards.
    pub key_file: Option<Utf8PathBuf>,
    /// The certificate of that key.
    pub cert_file: Option<Utf8PathBuf>,
    /// The authorities to trust instead of those of the system.
    pub ca_file: Option<Utf8PathBuf>,
    /// The releases that are always requested there.
    pub releases: Vec<SoftwareUrl>,
    /// The partition there as which requests are made; `None` to make them as a person.
    pub requester: Option<(ComputerId, PartitionId)>,
}

impl Forwarding {
    /// A master that is only asked when a request names it.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url, key_file: None, cert_file: None, ca_file: None, releases: Vec::new(), requester: None }
    }

    pub(crate) fn has_certificate(&self) -> bool {
        self.key_file.is_some() && self.cert_file.is_some()
    }
}
