//! Indexes that hang, break off, lead in circles and lie.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A server that answers each request with bytes, and then closes the connection; with none it says nothing and keeps
/// it. `answer` gets the head of the request, and how many came before.
fn server(answer: impl Fn(&str, usize) -> Option<Vec<u8>> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = AtomicUsize::new(0);
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            match answer(&head, count.fetch_add(1, Ordering::Relaxed)) {
                Some(bytes) => drop(stream.write_all(&bytes)),
                None => silent.push(stream),
            }
        }
    });
    address
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A place that asks this index, which may be silent for one second.
fn asking(address: String) -> Place {
    let mut place = place(&[("one", "1.0")]);
    place.settings.index = Some(address);
    place.settings.environment.insert("PIP_TIMEOUT".to_owned(), "1".to_owned());
    place
}

fn nothing_is_installed(place: &Place) {
    let eggs = place.settings.eggs_directory.read_dir_utf8();
    assert_eq!(eggs.map_or(0, Iterator::count), 0);
}

#[test]
fn one_that_says_nothing_is_given_up() {
    let place = asking(server(|_, _| None));

    let error = place.install(&["one"]).unwrap_err();

    assert_eq!(error.code(), "E-eggs-download");
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("said nothing for 1s"), "{reason}");
    nothing_is_installed(&place);
}

#[test]
fn one_that_leads_in_a_circle_is_given_up() {
    let place = asking(server(|_, _| Some(answer("302 Found", "Location: /one/\r\n", b""))));

    let error = place.install(&["one"]).unwrap_err();

    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("redirects without end"), "{reason}");
    nothing_is_installed(&place);
}

#[test]
fn a_file_that_always_breaks_off_is_not_used() {
    let place = asking(server(|head, _| {
        if head.starts_with("get /one/ ") {
            return Some(answer("200 OK", "", b"<a href='/one-1.0-py3-none-any.whl'>one</a>"));
        }
        Some(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nPK".to_vec())
    }));

    let error = place.install(&["one"]).unwrap_err();

    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("broke off after 2 of 5000 bytes"), "{reason}");
    nothing_is_installed(&place);
}

#[test]
fn a_file_that_breaks_off_once_is_taken_up_where_it_broke() {
    let source = place(&[]);
    let wheel = fs::read(source.wheel("one", "1.0", &[])).unwrap();
    let digits = hexadecimal(&Sha256::digest(&wheel));
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ranges);
    let half = wheel.len() / 2;
    let place = asking(server(move |head, _| {
        if head.starts_with("get /one/ ") {
            let page = format!("<a href='/one-1.0-py3-none-any.whl#sha256={digits}'>one</a>");
            return Some(answer("200 OK", "", page.as_bytes()));
        }
        let range = head.lines().find_map(|line| line.strip_prefix("range: ")).map(str::to_owned);
        seen.lock().unwrap().push(range.clone());
        if range.is_none() {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", wheel.len());
            return Some([head.as_bytes(), &wheel[..half]].concat());
        }
        let range = format!("Content-Range: bytes {half}-{}/{}\r\n", wheel.len() - 1, wheel.len());
        Some(answer("206 Partial Content", &range, &wheel[half..]))
    }));

    place.install(&["one"]).unwrap();

    assert_eq!(*ranges.lock().unwrap(), [None, Some(format!("bytes={half}-"))]);
}

#[test]
fn checksums_that_nothing_can_have_are_no_permission() {
    let source = place(&[]);
    let wheel = fs::read(source.wheel("one", "1.0", &[])).unwrap();
    let place = asking(server(move |head, _| {
        let page = b"<a href='/one-1.0-py3-none-any.whl#sha256=abc'>one</a>";
        Some(answer("200 OK", "", if head.starts_with("get /one/ ") { page } else { &wheel }))
    }));

    let error = place.install(&["one"]).unwrap_err();

    assert_eq!(error.code(), "E-download-checksum");
    nothing_is_installed(&place);
}

#[test]
fn names_of_files_lead_nowhere_else() {
    let pages = [
        "<a href='/f/..%2f..%2fone-1.0-py3-none-any.whl'>one</a>".to_owned(),
        "<a href='/f/..%2f..%2fone-1.0.tar.gz'>one</a>".to_owned(),
        r#"{"files": [{"filename": "../../one-1.0-py3-none-any.whl", "url": "/f"}]}"#.to_owned(),
        r#"{"files": [{"filename": "/one-1.0.tar.gz", "url": "/f"}]}"#.to_owned(),
    ];
    for page in pages {
        let mut place = asking(server(move |_, _| Some(answer("200 OK", "", page.as_bytes()))));
        place.settings.download_cache = Some(place.root.join("cache/dist"));

        let error = place.install(&["one"]).unwrap_err();

        assert_eq!(error.code(), "E-eggs-missing", "{error}");
    }
}
