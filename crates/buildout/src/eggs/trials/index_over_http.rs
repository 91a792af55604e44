//! An index over HTTP in this process: what it is asked, by whom, and what is believed.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::*;

/// Serves files by path; a path that ends in `/` is a page. Returns the address and the paths that were asked.
pub(super) fn serve(files: BTreeMap<String, Vec<u8>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (request, authorization) = read_request(&mut reader);
            let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
            let (status, body) = match files.get(&path) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b"none"[..]),
            };
            log.lock().unwrap().push(path + &authorization);
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    (address, asked)
}

/// The first line of a request, and who asks if it says so; its other headers are read away.
fn read_request(reader: &mut impl BufRead) -> (String, String) {
    let (mut request, mut header, mut authorization) = (String::new(), String::new(), String::new());
    reader.read_line(&mut request).unwrap();
    while reader.read_line(&mut header).is_ok() && !header.trim().is_empty() {
        if header.to_lowercase().starts_with("authorization:") {
            authorization = format!(" by {}", header.split_whitespace().last().unwrap());
        }
        header.clear();
    }
    (request, authorization)
}

#[test]
fn an_index_over_http_is_asked_only_for_the_names_needed() {
    let mut place = place(&[("one", "1.0"), ("two", "2.0")]);
    let one = fs::read(place.wheel("one", "1.0", &["two"])).unwrap();
    let two = fs::read(place.wheel("two", "2.0", &[])).unwrap();
    let digits = |content: &[u8]| hexadecimal(&Sha256::digest(content));
    let json = format!(
        r#"{{"files": [{{"filename": "one-1.0-py3-none-any.whl", "url": "../../f/one-1.0-py3-none-any.whl",
            "hashes": {{"sha256": "{}"}}, "core-metadata": true}}]}}"#,
        digits(&one)
    );
    let html = format!("<a href='/f/two-2.0-py3-none-any.whl#sha256={}'>two</a>", digits(&two));
    let (address, asked) = serve(BTreeMap::from([
        ("/simple/one/".to_owned(), json.into_bytes()),
        ("/simple/two/".to_owned(), html.into_bytes()),
        ("/f/one-1.0-py3-none-any.whl".to_owned(), one),
        (
            "/f/one-1.0-py3-none-any.whl.metadata".to_owned(),
            b"Name: one\nVersion: 1.0\nRequires-Dist: two\n\n".to_vec(),
        ),
        ("/f/two-2.0-py3-none-any.whl".to_owned(), two),
    ]));
    place.settings.index = Some(format!("{address}/simple/"));

    assert_eq!(place.install(&["one"]).unwrap().path().len(), 2);

    let asked = asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        [
            "/simple/one/",
            "/f/one-1.0-py3-none-any.whl.metadata",
            "/simple/two/",
            "/f/two-2.0-py3-none-any.whl",
            "/f/one-1.0-py3-none-any.whl"
        ]
    );
}

#[test]
fn a_file_with_another_checksum_is_not_installed() {
    let mut place = place(&[("one", "1.0")]);
    let one = fs::read(place.wheel("one", "1.0", &[])).unwrap();
    let html = format!("<a href='/one-1.0-py3-none-any.whl#sha256={}'>one</a>", "0".repeat(64));
    let (address, _) = serve(BTreeMap::from([
        ("/one/".to_owned(), html.into_bytes()),
        ("/one-1.0-py3-none-any.whl".to_owned(), one),
    ]));
    place.settings.index = Some(address);
    place.settings.download_cache = Some(place.root.join("cache"));

    let error = place.install(&["one"]).unwrap_err();

    assert_eq!(error.code(), "E-download-checksum");
    assert!(!place.root.join("eggs").join("one-1.0-py3.egg").exists());
    assert_eq!(place.root.join("cache").read_dir_utf8().unwrap().count(), 0);
}

#[test]
fn a_page_of_links_that_cannot_be_had_is_no_reason_to_fail_unless_nothing_else_has_the_file() {
    let mut place = place(&[("one", "1.0")]);
    let one = fs::read(place.wheel("one", "1.0", &[])).unwrap();
    let html = b"<a href='/one-1.0-py3-none-any.whl'>one</a>".to_vec();
    let (address, _) =
        serve(BTreeMap::from([("/one/".to_owned(), html), ("/one-1.0-py3-none-any.whl".to_owned(), one)]));
    place.settings.index = Some(address);
    place.settings.find_links = vec!["http://127.0.0.1:9/links".to_owned()];

    assert_eq!(place.install(&["one"]).unwrap().path().len(), 1);

    let error = place.install(&["two"]).unwrap_err();
    assert_eq!(error.code(), "E-eggs-missing");
    let because = error.because();
    assert!(
        because.iter().any(|line| line.starts_with("failed to get http://127.0.0.1:9/links: ")),
        "{because:?}"
    );
}

#[test]
fn credentials_of_an_index_go_to_its_own_files_and_to_no_other_server() {
    let mut place = place(&[("one", "1.0"), ("two", "2.0")]);
    let one = fs::read(place.wheel("one", "1.0", &["two"])).unwrap();
    let two = fs::read(place.wheel("two", "2.0", &[])).unwrap();
    let (other, seen) = serve(BTreeMap::from([("/two-2.0-py3-none-any.whl".to_owned(), two)]));
    let (address, asked) = serve(BTreeMap::from([
        ("/one/".to_owned(), b"<a href='/one-1.0-py3-none-any.whl'>one</a>".to_vec()),
        ("/one-1.0-py3-none-any.whl".to_owned(), one),
        ("/two/".to_owned(), format!("<a href='{other}/two-2.0-py3-none-any.whl'>two</a>").into_bytes()),
    ]));
    place.settings.index = Some(address.replace("http://", "http://bert:other@"));

    place.install(&["one"]).unwrap();

    assert_eq!(*seen.lock().unwrap(), ["/two-2.0-py3-none-any.whl"]);
    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|path| path.ends_with(" by YmVydDpvdGhlcg==")), "{asked:?}");
    assert!(asked.iter().any(|path| path.starts_with("/one-1.0-py3-none-any.whl ")), "{asked:?}");
}

#[test]
fn hosts_that_are_not_allowed_are_not_asked() {
    let mut place = place(&[("one", "1.0")]);
    let (address, asked) = serve(BTreeMap::new());
    place.settings.index = Some(address);
    place.settings.allow_hosts = vec!["*.example".to_owned()];

    assert_eq!(place.install(&["one"]).unwrap_err().code(), "E-eggs-missing");

    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn credentials_come_from_netrc_unless_the_address_has_them() {
    let mut place = place(&[("one", "1.0")]);
    let (address, asked) = serve(BTreeMap::new());
    let netrc = place.root.join("netrc");
    fs::write(&netrc, "machine 127.0.0.1 login anna password secret").unwrap();
    place.settings.environment.insert("NETRC".to_owned(), netrc.to_string());

    for address in [address.clone(), address.replace("http://", "http://bert:other@")] {
        place.settings.index = Some(address);
        place.install(&["one"]).unwrap_err();
    }

    assert_eq!(*asked.lock().unwrap(), ["/one/ by YW5uYTpzZWNyZXQ=", "/one/ by YmVydDpvdGhlcg=="]);
}

#[test]
fn credentials_of_the_index_are_not_shown() {
    let mut place = place(&[("one", "1.0")]);
    let (address, _) = serve(BTreeMap::new());
    place.settings.index = Some(address.replace("http://", "http://someone:secret@"));

    let error = place.install(&["one"]).unwrap_err();

    let shown = format!("{error:?} {:?}", error.because());
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn the_proxy_of_pip_is_gone_through() {
    let mut place = place(&[("one", "1.0")]);
    let one = fs::read(place.wheel("one", "1.0", &[])).unwrap();
    let (proxy, asked) = serve(BTreeMap::from([
        ("http://index.example/one/".to_owned(), b"<a href='/one-1.0-py3-none-any.whl'>one</a>".to_vec()),
        ("http://index.example/one-1.0-py3-none-any.whl".to_owned(), one),
    ]));
    place.settings.index = Some("http://index.example".to_owned());
    place.settings.environment.insert("PIP_PROXY".to_owned(), proxy);

    place.install(&["one"]).unwrap();

    assert_eq!(
        *asked.lock().unwrap(),
        ["http://index.example/one/", "http://index.example/one-1.0-py3-none-any.whl"]
    );
}
