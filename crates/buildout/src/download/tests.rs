//! Downloads from a small server of our own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8PathBuf;

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

fn fetch(fetcher: &Fetcher, download: &Download) -> Result<Downloaded, DownloadError> {
    fetcher.fetch(download, &mut |_| {})
}

/// The MD5 of `hello`.
const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

#[test]
fn a_checked_download_comes_from_the_network_once_and_then_from_the_cache() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello"))]);
    let download = Download::new(server.url("/a")).md5(Some(HELLO.to_owned()));
    let fetcher = Fetcher::new(Some(root.clone()), false);

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

    let error = fetch(&Fetcher::new(Some(root.clone()), false), &download).unwrap_err();

    assert_eq!(error.code(), "E-download-checksum");
    assert_eq!(error.classic(), format!("MD5 checksum mismatch downloading '{}'", server.url("/a")));
    assert_eq!(fs_err::read_dir(&root).unwrap().count(), 0);
}

#[test]
fn a_wrong_file_in_the_cache_is_reported_and_kept() {
    let (_guard, root) = scratch();
    let server = Server::new(&[("/a", &ok("hello"))]);
    let download = Download::new(server.url("/a"));
    let fetcher = Fetcher::new(Some(root), false);
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
    fetch(&Fetcher::new(Some(root.clone()), false), &Download::new(server.url("/a"))).unwrap();
    let offline = Fetcher::new(Some(root), true);

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
    let mut fetcher = Fetcher::new(Some(root), false);
    fetcher.prefer_network(true);
    fetch(&fetcher, &download).unwrap();

    let again = fetch(&fetcher, &download).unwrap();

    assert_eq!(fs_err::read_to_string(again.path()).unwrap(), "one");
}

#[test]
fn the_alternate_address_is_asked_when_the_first_fails() {
    let server = Server::new(&[("/b", &ok("hello"))]);
    let download = Download::new(server.url("/a")).alternate_url(Some(server.url("/b")));

    let done = fetch(&Fetcher::new(None, false), &download).unwrap();

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
        let error = fetch(&Fetcher::new(None, false), &Download::new(server.url(path))).unwrap_err();
        assert_eq!(error.code(), "E-download-failed", "{path}");
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut fetcher = Fetcher::new(None, false);
    fetcher.timeout(Duration::from_millis(50));

    let error =
        fetch(&fetcher, &Download::new(format!("http://{}/", listener.local_addr().unwrap()))).unwrap_err();

    assert!(matches!(error, DownloadError::Network { .. }));
}

#[test]
fn credentials_of_the_host_are_sent() {
    let (_guard, root) = scratch();
    fs_err::write(root.join(".netrc"), "machine 127.0.0.1 login anna password one").unwrap();
    let server = Server::new(&[("/a", &ok("hello"))]);
    let mut fetcher = Fetcher::new(None, false);
    fetcher.home(root.as_str());

    fetch(&fetcher, &Download::new(server.url("/a"))).unwrap();

    let request = server.requests().remove(0).to_ascii_lowercase();
    assert_eq!(request, "/a authorization: basic yw5uytpvbmu=");
}

#[test]
fn files_of_this_machine_are_used_where_they_are() {
    let (_guard, root) = scratch();
    fs_err::write(root.join("a file"), "hello").unwrap();
    let mut fetcher = Fetcher::new(None, true);
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
