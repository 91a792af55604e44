//! Downloads from a small server of our own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8PathBuf;
use shacache::{CacheError, Client, ContentCache, Entry, Hashes, Received};

use super::*;

/// Whole answers by path; every request line is kept.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(answers: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answers: BTreeMap<String, String> =
            answers.iter().map(|(path, answer)| ((*path).to_owned(), (*answer).to_owned())).collect();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                answer(stream, &answers, &seen);
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(stream: TcpStream, answers: &BTreeMap<String, String>, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let authorization = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    seen.lock()
        .unwrap()
        .push(format!("{path}{}", authorization.map(|line| format!(" {line}")).unwrap_or_default()));
    let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
    let text = answers.get(&path).unwrap_or(&missing);
    let _ = reader.get_mut().write_all(text.as_bytes());
}

pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    (directory, path)
}

/// A fetcher whose patience no server of a test exhausts, however busy the machine is.
fn fetcher(cache: Option<Utf8PathBuf>, offline: bool) -> Fetcher {
    patient_fetcher(cache, offline, Duration::from_secs(60))
}

fn patient_fetcher(cache: Option<Utf8PathBuf>, offline: bool, patience: Duration) -> Fetcher {
    Fetcher::new(cache, offline, Client::new(Fetcher::limits(Some(patience)), shacache::Proxies::default()))
}

fn fetch(fetcher: &Fetcher, download: &Download) -> Result<Downloaded, DownloadError> {
    fetcher.fetch(download, &mut |_, _| {})
}

/// The MD5 of `hello`.
const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

#[test]
fn a_checked_download_comes_from_the_network_once_and_then_from_the_cache() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello"))]);
    let download = Download::new(server.url("/a")).md5(Some(HELLO.to_owned()));
    let fetcher = fetcher(Some(root.clone()), false);

    let first = fetch(&fetcher, &download).unwrap();
    let second = fetch(&fetcher, &download.clone().destination(root.join("copy"))).unwrap();

    assert!(!first.is_temporary());
    assert_eq!(fs_err::read_to_string(first.path()).unwrap(), "hello");
    assert_eq!(second.path(), root.join("copy"));
    assert_eq!(fs_err::read_to_string(second.path()).unwrap(), "hello");
    assert_eq!(server.requests(), ["/a"]);
}

#[test]
fn a_wrong_checksum_leaves_nothing_that_could_be_used() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("<html>moved</html>"))]);
    let download = Download::new(server.url("/a")).md5(Some(HELLO.to_owned())).destination(root.join("out"));

    let error = fetch(&fetcher(Some(root.clone()), false), &download).unwrap_err();

    assert_eq!(error.code(), "E-download-checksum");
    assert_eq!(error.classic(), format!("MD5 checksum mismatch downloading '{}'", server.url("/a")));
    assert_eq!(fs_err::read_dir(&root).unwrap().count(), 0);
}

#[test]
fn a_wrong_file_in_the_cache_is_reported_and_kept() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello"))]);
    let download = Download::new(server.url("/a"));
    let fetcher = fetcher(Some(root), false);
    let cached = fetch(&fetcher, &download).unwrap();
    fs_err::write(cached.path(), "spoilt").unwrap();

    let error = fetch(&fetcher, &download.md5(Some(HELLO.to_owned()))).unwrap_err();

    assert!(
        matches!(&error, DownloadError::Checksum(wrong) if wrong.place == Place::Cache(cached.path().to_owned()))
    );
    assert!(cached.path().exists());
}

#[test]
fn offline_only_the_cache_serves() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello")), ("/b", &ok("hello"))]);
    fetch(&fetcher(Some(root.clone()), false), &Download::new(server.url("/a"))).unwrap();
    let offline = fetcher(Some(root), true);

    assert!(fetch(&offline, &Download::new(server.url("/a"))).is_ok());
    assert_eq!(fetch(&offline, &Download::new(server.url("/b"))).unwrap_err().code(), "E-download-offline");
    assert_eq!(server.requests(), ["/a"]);
}

#[test]
fn the_network_is_preferred_when_asked_and_the_cache_stands_in() {
    let (_guard, root) = scratch();
    let download = {
        let server = Server::new(&[("/a", &ok("one"))]);
        Download::new(server.url("/a"))
    };
    let mut fetcher = fetcher(Some(root), false);
    fetcher.prefer_network(true);
    fetch(&fetcher, &download).unwrap();

    let again = fetch(&fetcher, &download).unwrap();

    assert_eq!(fs_err::read_to_string(again.path()).unwrap(), "one");
}

#[test]
fn the_alternate_address_is_asked_when_the_first_fails() {
    let server = Server::new(&[("/b", &ok("hello"))]);
    let download = Download::new(server.url("/a")).alternate_url(Some(server.url("/b")));

    let done = fetch(&fetcher(None, false), &download).unwrap();

    assert!(done.is_temporary());
    assert_eq!(fs_err::read_to_string(done.path()).unwrap(), "hello");
    assert_eq!(server.requests(), ["/a", "/b"]);
}

#[test]
fn a_server_that_breaks_off_or_loops_is_given_up() {
    let server = Server::new(&[
        ("/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
        ("/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"),
        ("/garbage", "what?\r\n\r\n"),
    ]);
    for path in ["/short", "/loop", "/garbage", "/missing"] {
        let error = fetch(&fetcher(None, false), &Download::new(server.url(path))).unwrap_err();
        assert_eq!(error.code(), "E-download-failed", "{path}");
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fetcher = patient_fetcher(None, false, Duration::from_millis(300));

    let error =
        fetch(&fetcher, &Download::new(format!("http://{}/", listener.local_addr().unwrap()))).unwrap_err();

    assert!(matches!(error, DownloadError::Network { .. }));
}

#[test]
fn credentials_of_the_host_are_sent() {
    let (_guard, root) = scratch();
    fs_err::write(root.join(".netrc"), "machine 127.0.0.1 login anna password one").unwrap();
    let server = Server::new(&[("/a", &ok("hello"))]);
    let mut fetcher = fetcher(None, false);
    fetcher.home(root.as_str());

    fetch(&fetcher, &Download::new(server.url("/a"))).unwrap();

    let request = server.requests().remove(0).to_ascii_lowercase();
    assert_eq!(request, "/a authorization: basic yw5uytpvbmu=");
}

#[test]
fn files_of_this_machine_are_used_where_they_are() {
    let (_guard, root) = scratch();
    fs_err::write(root.join("a file"), "hello").unwrap();
    let mut fetcher = fetcher(None, true);
    fetcher.base_directory(&root);
    let check = |url: &str| {
        let download = Download::new(url).md5(Some(HELLO.to_owned()));
        fetch(&fetcher, &download).map(|done| done.path().to_owned())
    };

    assert_eq!(check("a file").unwrap(), root.join("a file"));
    assert_eq!(check(&format!("file://{root}/a%20file")).unwrap(), root.join("a file"));
    let wrong = fetch(&fetcher, &Download::new("a file").md5(Some("0".repeat(32)))).unwrap_err();
    assert_eq!(wrong.classic(), format!("MD5 checksum mismatch for local resource at '{root}/a file'."));
    assert_eq!(check("gopher://x/y").unwrap_err().code(), "E-download-offline");
}

#[test]
fn every_checksum_of_a_download_counts_wherever_it_is_written() {
    let server = Server::new(&[("/a", &ok("hello"))]);
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let right = Download::new(server.url(&format!("/a#sha256={sha256}"))).md5(Some(HELLO.to_owned()));
    let wrong = Download::new(server.url("/a")).checksum(Algorithm::Sha512, Some("0".repeat(128)));

    assert_eq!((right.url.clone(), right.checksums.len()), (server.url("/a"), 2));
    assert!(fetch(&fetcher(None, false), &right).is_ok());
    let error = fetch(&fetcher(None, false), &wrong).unwrap_err();
    assert_eq!(error.classic(), format!("SHA512 checksum mismatch downloading '{}'", server.url("/a")));
}

#[test]
fn a_cache_that_cannot_be_written_is_told() {
    let server = Server::new(&[("/a", &ok("hello"))]);
    let download = Download::new(server.url("/a"));

    let error = fetch(&fetcher(Some("/proc/self/no-cache".into()), false), &download).unwrap_err();

    assert!(matches!(&error, DownloadError::File { .. }));
    assert_eq!(
        error.to_string(),
        format!("cannot keep what {} sends in /proc/self/no-cache", server.url("/a"))
    );
}

#[test]
fn what_a_killed_build_left_in_the_cache_is_swept_away() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello"))]);
    fs_err::write(root.join(format!(".unfinished-{}-x", u32::MAX)), "half").unwrap();
    fs_err::write(root.join(".unfinished-1-x"), "of a process that lives").unwrap();

    let done = fetch(&fetcher(Some(root.clone()), false), &Download::new(server.url("/a"))).unwrap();

    let mut names: Vec<_> =
        root.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    assert_eq!(names, [".unfinished-1-x", done.path().file_name().unwrap()]);
}

/// A cache that holds one content under every key, and what was added to it.
struct OneContent {
    content: &'static str,
    added: Mutex<Vec<String>>,
}

impl ContentCache for OneContent {
    fn find(&self, _: &str) -> Result<Vec<Entry>, CacheError> {
        match self.content {
            "" => Err(CacheError::Signing("nobody knows how".to_owned())),
            _ => Ok(vec![Entry { sha512: "0".repeat(128), facts: serde_json::Map::new() }]),
        }
    }

    fn read(
        &self,
        _: &Entry,
        algorithms: &[Algorithm],
        file: &mut std::fs::File,
    ) -> Result<Received, CacheError> {
        file.write_all(self.content.as_bytes())?;
        let mut hashes = Hashes::new(algorithms);
        hashes.update(self.content.as_bytes());
        Ok(Received { hashes, content_type: None, url: String::new(), is_resumed: false })
    }

    fn takes_content(&self) -> bool {
        true
    }

    fn add(
        &self,
        key: &str,
        file: &mut std::fs::File,
        facts: serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), CacheError> {
        use std::io::Seek;
        file.rewind()?;
        let content = std::io::read_to_string(file)?;
        self.added.lock().unwrap().push(format!("{key} {content} {}", facts["file"]));
        Err(CacheError::ReadOnly)
    }
}

fn with_mirror(
    content: &'static str,
    download: &Download,
) -> (Result<String, DownloadError>, Vec<String>, Vec<String>) {
    let cache = Arc::new(OneContent { content, added: Mutex::default() });
    let mut fetcher = fetcher(None, false);
    fetcher.mirror(Some(Arc::clone(&cache) as Arc<dyn ContentCache>));
    let mut log = Vec::new();
    let done =
        fetcher.fetch(download, &mut |logger, text| log.push(format!("{}: {text}", logger.unwrap_or("-"))));
    let read = done.map(|done| fs_err::read_to_string(done.path()).unwrap());
    let added = std::mem::take(&mut *cache.added.lock().unwrap());
    (read, log, added)
}

#[test]
fn the_network_cache_serves_before_the_address() {
    let server = Server::new(&[]);
    let download = Download::new(server.url("/a")).md5(Some(HELLO.to_owned()));

    let (read, log, added) = with_mirror("hello", &download);

    assert_eq!(read.unwrap(), "hello");
    let key = shacache::download_key(&download.url);
    assert_eq!(log, [format!("networkcache: Trying to download {key} from network cache...")]);
    assert!(server.requests().is_empty() && added.is_empty());
}

#[test]
fn whatever_fails_in_the_network_cache_the_address_serves() {
    let server = Server::new(&[("/a", &ok("hello"))]);
    let download = Download::new(server.url("/a")).md5(Some(HELLO.to_owned()));
    let key = shacache::download_key(&download.url);

    for (content, reason) in [
        ("", "the entry cannot be signed: nobody knows how".to_owned()),
        ("wrong", format!("MD5 checksum mismatch downloading '{}' in network cache", download.url)),
    ] {
        let (read, log, added) = with_mirror(content, &download);
        assert_eq!(read.unwrap(), "hello");
        assert_eq!(
            log,
            [
                format!("networkcache: Trying to download {key} from network cache..."),
                format!("networkcache: {reason}"),
                format!("-: Downloading {}", download.url),
                format!("networkcache: Trying to upload {key} to network cache..."),
                "networkcache: the cache takes nothing".to_owned(),
            ]
        );
        assert_eq!(added, [format!("{key} hello \"a\"")]);
    }
}

#[test]
fn files_fetched_ahead_are_those_that_are_asked_for() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello")), ("/b", &ok("hallo")), ("/c", &ok("wrong"))]);
    let all: Vec<Download> = ["/a", "/b", "/c"]
        .iter()
        .map(|path| Download::new(server.url(path)).md5(Some(HELLO.to_owned())))
        .collect();
    let ahead = Prefetch::new(fetcher(None, false), Some(&root));
    ahead.add(all.clone());

    let mut log = Vec::new();
    let mut take = |download: &Download| loop {
        // What nobody has begun with is not there: then it would be fetched by whoever asks.
        if let Some(taken) = ahead.take(download, &mut |_, text| log.push(text)) {
            return taken;
        }
    };
    let destination = root.join("here");
    // A worker that has not begun yet would leave the file to us, and this test looks at the workers.
    while server.requests().len() < 3 {
        std::thread::yield_now();
    }
    let first = take(&all[0].clone().destination(destination.clone())).unwrap();
    let third = take(&all[2]).unwrap_err();

    assert_eq!(first.path(), destination);
    let mode = fs_err::metadata(&destination).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert_eq!(fs_err::read_to_string(destination).unwrap(), "hello");
    assert_eq!(third.code(), "E-download-checksum");
    assert_eq!(log, [format!("Downloading {}", all[0].url), format!("Downloading {}", all[2].url)]);
    assert!(ahead.take(&Download::new(server.url("/other")), &mut |_, _| {}).is_none());
}
