//! The cache of SlapOS, over HTTP: a directory (shadir) of signed entries, and a store (shacache) of content by its
//! SHA-512.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use host::process::Program;
use serde_json::{Map, Value};

use crate::cache::{CacheError, ContentCache, Entry};
use crate::certificates::Certificates;
use crate::checksum::{Algorithm, Hashes};
use crate::transfer::{Client, Identity, Limits, Proxies, Received, Request, TransferError};

/// The longest answer of a directory that is read.
const LONGEST_ANSWER: u64 = 4 << 20;
/// How long a store may take to look at what it was sent.
const DIGESTION: Duration = Duration::from_secs(600);
/// How long a signature may take.
const SIGNING: Duration = Duration::from_secs(60);

/// Where a cache is, and who we are for it. Everything is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpCacheSettings {
    /// Where content and entries are read.
    pub download: Option<Place>,
    /// Where content and entries are added.
    pub upload: Option<Place>,
    /// Certificates whose entries are trusted, PEM, one after the other.
    pub certificates: String,
    /// The key that signs what is added.
    pub private_key: Option<Utf8PathBuf>,
    /// Authority, own certificate and own key for the store.
    pub store_tls: [Option<Utf8PathBuf>; 3],
    /// Authority, own certificate and own key for the directory.
    pub directory_tls: [Option<Utf8PathBuf>; 3],
}

/// The two addresses of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where content is.
    pub store: String,
    /// Where entries are.
    pub directory: String,
}

impl HttpCacheSettings {
    /// Settings from the options of a section such as `[networkcache]`; `None` when it names no cache.
    #[must_use]
    pub fn from_options(option: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let text =
            |name: &str| option(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let path = |name: String| text(&name).map(Utf8PathBuf::from);
        let place = |way: &str| {
            let store = text(&format!("{way}-cache-url"))?;
            Some(Place { store, directory: text(&format!("{way}-dir-url"))? })
        };
        let tls = |server: &str| ["ca", "cert", "key"].map(|kind| path(format!("{server}-{kind}-file")));
        let settings = Self {
            download: place("download"),
            upload: place("upload"),
            certificates: text("signature-certificate-list").unwrap_or_default(),
            private_key: path("signature-private-key-file".to_owned()),
            store_tls: tls("shacache"),
            directory_tls: tls("shadir"),
        };
        (settings.download.is_some() || settings.upload.is_some()).then_some(settings)
    }
}

/// A cache of SlapOS.
#[derive(Debug, Clone)]
pub struct HttpCache {
    settings: HttpCacheSettings,
    certificates: Certificates,
    store: Client,
    directory: Client,
}

impl HttpCache {
    /// A cache as the settings say; nothing is asked yet.
    ///
    /// # Errors
    /// Certificates or keys for the connections cannot be read.
    pub fn new(settings: HttpCacheSettings, limits: Limits, proxies: &Proxies) -> io::Result<Self> {
        let identity = |[authority, certificate, key]: &[Option<Utf8PathBuf>; 3]| {
            Identity::load(authority.as_deref(), certificate.as_deref(), key.as_deref())
        };
        let store = Client::with_identity(limits, proxies.clone(), identity(&settings.store_tls)?);
        let directory = match settings.directory_tls == settings.store_tls {
            true => store.clone(),
            false => Client::with_identity(limits, proxies.clone(), identity(&settings.directory_tls)?),
        };
        // A cache is there to save time: one attempt more than none is enough.
        let store = store.limited(Limits { attempts: 2, ..limits });
        let directory = directory.limited(Limits { attempts: 2, largest: LONGEST_ANSWER, ..limits });
        let certificates = Certificates::from_pem(&settings.certificates);
        Ok(Self { settings, certificates, store, directory })
    }

    /// An entry, if it says where the content is and somebody who is trusted says so.
    fn trusted(&self, entry: &Value) -> Option<Entry> {
        let [Value::String(text), Value::String(signature)] = entry.as_array()?.as_slice() else {
            return None;
        };
        let signature = STANDARD.decode(signature).ok().filter(|signature| !signature.is_empty())?;
        if !self.certificates.vouch_for(text, &signature) {
            return None;
        }
        let facts: Map<String, Value> = serde_json::from_str(text).ok()?;
        let sha512 = facts.get("sha512")?.as_str()?.to_ascii_lowercase();
        let is_hash = sha512.len() == 128 && sha512.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then_some(Entry { sha512, facts })
    }

    /// The text of an entry with its signature, as it is sent to a directory.
    fn signed(&self, facts: &Map<String, Value>) -> Result<String, CacheError> {
        let text = Value::Object(facts.clone()).to_string();
        let signature = match &self.settings.private_key {
            Some(key) => STANDARD.encode(sign(key, &text)?),
            None => String::new(),
        };
        Ok(Value::from(vec![text, signature]).to_string())
    }

    /// Sends content to the store, unless it has it already.
    fn store_content(&self, place: &Place, sha512: &str, file: &mut File) -> Result<(), CacheError> {
        let url = join(&place.store, sha512);
        let failed = |url: &str| {
            let url = url.to_owned();
            move |source| CacheError::Transfer { url, source }
        };
        let (agent, address) = self.store.agent(&url).map_err(failed(&url))?;
        if agent.get(address).call().is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        file.rewind()?;
        let size = file.metadata()?.len();
        let url = place.store.trim_end_matches('/');
        let (agent, address) = self.store.agent(url).map_err(failed(url))?;
        let request = agent.post(address);
        let request = request.header("Content-Length", size.to_string());
        let request = request.header("Content-Type", "application/octet-stream");
        let request = request.config().timeout_recv_response(Some(DIGESTION)).build();
        let refused = |answer: String| CacheError::Refused { url: place.store.clone(), answer };
        let mut answer = request.send(&*file).map_err(|error| refused(error.to_string()))?;
        let status = answer.status().as_u16();
        let said = answer.body_mut().read_to_string().unwrap_or_default();
        if status == 201 && said.trim() == sha512 { Ok(()) } else { Err(refused(format!("{status} {said}"))) }
    }
}

impl ContentCache for HttpCache {
    fn find(&self, key: &str) -> Result<Vec<Entry>, CacheError> {
        let Some(place) = &self.settings.download else { return Ok(Vec::new()) };
        let url = join(&place.directory, key);
        let mut file = tempfile::tempfile()?;
        match self.directory.get(&Request::new(&url), &mut file) {
            Ok(_) => {}
            Err(TransferError::Status { status: 404, .. }) => return Ok(Vec::new()),
            Err(source) => return Err(CacheError::Transfer { url, source }),
        }
        let mut text = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut text)?;
        let entries: Vec<Value> =
            serde_json::from_slice(&text).map_err(|source| CacheError::Answer { url, source })?;
        Ok(entries.iter().filter_map(|entry| self.trusted(entry)).collect())
    }

    fn read(&self, entry: &Entry, algorithms: &[Algorithm], file: &mut File) -> Result<Received, CacheError> {
        let place = self.settings.download.as_ref().ok_or(CacheError::ReadOnly)?;
        let url = join(&place.store, &entry.sha512);
        let algorithms = [&[Algorithm::Sha512], algorithms].concat();
        let request = Request { algorithms, is_checked: true, ..Request::new(&url) };
        let received = self.store.get(&request, file);
        let received = received.map_err(|source| CacheError::Transfer { url: url.clone(), source })?;
        let found = received.hashes.checksum(Algorithm::Sha512).map(|checksum| checksum.digits);
        match found {
            Some(found) if found == entry.sha512 => Ok(received),
            found => {
                let found = found.unwrap_or_default();
                Err(CacheError::Content { wanted: entry.sha512.clone(), found })
            }
        }
    }

    fn takes_content(&self) -> bool {
        self.settings.upload.is_some()
    }

    fn add(&self, key: &str, file: &mut File, mut facts: Map<String, Value>) -> Result<(), CacheError> {
        let place = self.settings.upload.as_ref().ok_or(CacheError::ReadOnly)?;
        file.rewind()?;
        let hashes = Hashes::of(file, &[Algorithm::Sha512])?;
        let sha512 = hashes.checksum(Algorithm::Sha512).map(|checksum| checksum.digits).unwrap_or_default();
        self.store_content(place, &sha512, file)?;
        facts.insert("sha512".to_owned(), Value::from(sha512));
        let entry = self.signed(&facts)?;
        let url = join(&place.directory, key);
        let refused = |answer: String| CacheError::Refused { url: url.clone(), answer };
        let (agent, address) =
            self.directory.agent(&url).map_err(|source| CacheError::Transfer { url: url.clone(), source })?;
        let request = agent.put(address).header("Content-Type", "application/json");
        let answer = request.send(&entry).map_err(|error| refused(error.to_string()))?;
        match answer.status().as_u16() {
            201 => Ok(()),
            status => Err(refused(status.to_string())),
        }
    }
}

fn join(base: &str, name: &str) -> String {
    format!("{}/{name}", base.trim_end_matches('/'))
}

/// A signature of the kind that caches know. The libraries that we have make none with SHA-1, and rightly so; the
/// `openssl` command does.
fn sign(key: &Utf8Path, text: &str) -> Result<Vec<u8>, CacheError> {
    let scratch = tempfile::tempdir()?;
    let path = |name: &str| scratch.path().join(name);
    fs_err::write(path("text"), text)?;
    let program = Program::new("openssl").args(["dgst", "-sha1", "-sign", key.as_str(), "-out"]);
    let finished = program.arg(path("signature")).arg(path("text")).capture(SIGNING)?;
    if !finished.success() {
        return Err(CacheError::Signing(finished.text().trim().to_owned()));
    }
    Ok(fs_err::read(path("signature"))?)
}

#[cfg(test)]
mod tests;
