//! A small cache server, and entries signed by the `openssl` command as the Python client signs them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::cache::download_key;
use crate::hexadecimal;
use sha2::Digest;

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Serves and takes files below `/store` and `/dir`.
fn server() -> (String, Files) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let files = Files::default();
    let served = Arc::clone(&files);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            answer(stream, &served);
        }
    });
    (address, files)
}

fn answer(mut stream: TcpStream, files: &Files) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let (status, body) = match method.as_str() {
        "GET" => match files.lock().unwrap().get(&path) {
            Some(content) => ("200 OK", content.clone()),
            None => ("404 Not Found", Vec::new()),
        },
        "POST" => {
            let hash = hexadecimal(&sha2::Sha512::digest(&body));
            files.lock().unwrap().insert(format!("{path}/{hash}"), body);
            ("201 Created", hash.into_bytes())
        }
        _ => {
            let entries = [b"[", body.as_slice(), b"]"].concat();
            files.lock().unwrap().insert(path, entries);
            ("201 Created", Vec::new())
        }
    };
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

struct Keys {
    _guard: tempfile::TempDir,
    key: Utf8PathBuf,
    certificate: String,
}

fn keys() -> Keys {
    let guard = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
    let (key, certificate) = (root.join("key.pem"), root.join("certificate.pem"));
    let made = Program::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "1"])
        .args(["-keyout", key.as_str(), "-out", certificate.as_str()])
        .capture(SIGNING)
        .unwrap();
    assert!(made.success(), "{}", made.text());
    Keys { certificate: fs_err::read_to_string(certificate).unwrap(), _guard: guard, key }
}

fn cache(address: &str, keys: &Keys) -> HttpCache {
    let options = |name: &str| match name {
        "download-cache-url" | "upload-cache-url" => Some(format!("{address}/store/")),
        "download-dir-url" | "upload-dir-url" => Some(format!("{address}/dir")),
        "signature-certificate-list" => Some(keys.certificate.clone()),
        "signature-private-key-file" => Some(keys.key.to_string()),
        _ => None,
    };
    HttpCache::new(HttpCacheSettings::from_options(&options).unwrap(), Limits::default(), &Proxies::default())
        .unwrap()
}

fn file(content: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

#[test]
fn what_was_added_is_found_and_read() {
    let ((address, _), keys) = (server(), keys());
    let cache = cache(&address, &keys);
    let key = download_key("http://example.org/a");
    let facts = [("file".to_owned(), Value::from("a"))].into_iter().collect();

    cache.add(&key, &mut file("hello"), facts).unwrap();
    let entries = cache.find(&key).unwrap();
    let mut read = tempfile::tempfile().unwrap();
    let received = cache.read(&entries[0], &[Algorithm::Md5], &mut read).unwrap();

    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].facts["file"], "a");
    assert_eq!(received.hashes.checksum(Algorithm::Md5).unwrap().digits, "5d41402abc4b2a76b9719d911017c592");
    read.rewind().unwrap();
    assert_eq!(std::io::read_to_string(read).unwrap(), "hello");
    assert_eq!(cache.find("nothing").unwrap(), []);
}

#[test]
fn entries_of_strangers_and_nonsense_are_not_seen() {
    let ((address, files), stranger, keys) = (server(), keys(), keys());
    cache(&address, &stranger).add("one", &mut file("hello"), Map::new()).unwrap();
    files.lock().unwrap().insert(
        "/dir/two".to_owned(),
        br#"[["{\"sha512\": \"0\"}", ""], [1, 2], "x", [], ["{}", "!!"]]"#.to_vec(),
    );
    files.lock().unwrap().insert("/dir/three".to_owned(), b"<html>".to_vec());
    let cache = cache(&address, &keys);

    assert_eq!(cache.find("one").unwrap(), []);
    assert_eq!(cache.find("two").unwrap(), []);
    assert!(matches!(cache.find("three"), Err(CacheError::Answer { .. })));
}

#[test]
fn content_that_is_not_what_the_hash_says_is_refused() {
    let ((address, files), keys) = (server(), keys());
    let cache = cache(&address, &keys);
    cache.add("one", &mut file("hello"), Map::new()).unwrap();
    for (path, content) in files.lock().unwrap().iter_mut() {
        if path.starts_with("/store") {
            *content = b"hallo".to_vec();
        }
    }

    let entry = cache.find("one").unwrap().remove(0);
    let error = cache.read(&entry, &[], &mut tempfile::tempfile().unwrap()).unwrap_err();

    assert!(matches!(error, CacheError::Content { .. }), "{error}");
}

#[test]
fn a_section_without_addresses_is_no_cache() {
    assert_eq!(HttpCacheSettings::from_options(&|_| None), None);
    assert_eq!(
        HttpCacheSettings::from_options(&|name| (name == "download-dir-url").then(|| "x".into())),
        None
    );
}
