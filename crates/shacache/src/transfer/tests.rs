//! Transfers from servers that do everything wrong.

use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use super::*;
use crate::checksum::Checksum;

/// A server that does with every connection what a closure says; the heads of all requests are kept, in lower case.
pub(super) struct Server {
    pub(super) address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn new(answer: impl Fn(usize, &str, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, count) = (Arc::clone(&heads), AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|count| count > 0)
                {
                }
                let head = head.to_ascii_lowercase();
                seen.lock().unwrap().push(head.clone());
                answer(count.fetch_add(1, Ordering::SeqCst), &head, &mut stream);
            }
        });
        Self { address, heads }
    }

    pub(super) fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    pub(super) fn head(&self, number: usize) -> String {
        self.heads.lock().unwrap()[number].clone()
    }
}

/// 300,000 bytes that are not all the same.
pub(super) fn content() -> Vec<u8> {
    (0..300_000_u32).map(|number| (number % 251) as u8).collect()
}

pub(super) fn write(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// A whole answer, of which only `sent` bytes come.
pub(super) fn whole(stream: &mut TcpStream, headers: &str, sent: usize) {
    let content = content();
    let head =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", content.len());
    write(stream, &head, &content[..sent]);
}

/// The rest of the content, as a server that knows ranges gives it.
fn rest(stream: &mut TcpStream, head: &str) {
    let content = content();
    let start = head.split("range: bytes=").nth(1).unwrap().split('-').next().unwrap().parse().unwrap();
    let body: &[u8] = &content[start..];
    let last = content.len() - 1;
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Range: bytes {start}-{last}/{}\r\n\r\n",
        body.len(),
        content.len()
    );
    write(stream, &head, body);
}

/// Limits that no server reaches by being slow on a busy machine.
pub(super) fn limits() -> Limits {
    Limits { patience: Duration::from_secs(60), deadline: Duration::from_secs(200), ..Limits::default() }
}

fn get_with(limits: Limits, server: &Server, is_checked: bool) -> Result<(Received, Vec<u8>), TransferError> {
    let mut file = tempfile::tempfile().unwrap();
    let request =
        Request { algorithms: vec![Algorithm::Sha256], is_checked, ..Request::new(&server.address) };
    let received = Client::new(limits, Proxies::default()).get(&request, &mut file)?;
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    Ok((received, content))
}

fn get(server: &Server) -> Result<(Received, Vec<u8>), TransferError> {
    get_with(limits(), server, true)
}

fn sha256(content: &[u8]) -> Checksum {
    let mut content = content;
    Hashes::of(&mut content, &[Algorithm::Sha256]).unwrap().checksum(Algorithm::Sha256).unwrap()
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let server = Server::new(|number, head, stream| match number {
        0 => whole(stream, "ETag: \"one\"\r\n", 100_000),
        _ => rest(stream, head),
    });

    let (received, got) = get_with(limits(), &server, false).unwrap();

    assert_eq!(got, content());
    assert_eq!(received.hashes.checksum(Algorithm::Sha256), Some(sha256(&content())));
    assert!(received.is_resumed);
    assert_eq!(server.requests(), 2);
    assert!(server.head(1).contains("range: bytes=100000-\r\n"), "{}", server.head(1));
    assert!(server.head(1).contains("if-range: \"one\"\r\n"));
}

#[test]
fn without_range_a_broken_transfer_begins_anew() {
    let server = Server::new(|number, _, stream| {
        whole(stream, "", if number == 0 { 100_000 } else { content().len() });
    });

    let (received, got) = get(&server).unwrap();

    assert_eq!(got, content());
    assert!(!received.is_resumed);
}

#[test]
fn what_nobody_checks_is_not_put_together_from_pieces_that_may_differ() {
    let server = Server::new(|number, _, stream| {
        whole(stream, "ETag: W/\"weak\"\r\n", if number == 0 { 100_000 } else { content().len() });
    });

    get_with(limits(), &server, false).unwrap();

    assert!(!server.head(1).contains("range:"));
}

#[test]
fn a_piece_of_another_file_is_not_taken() {
    let server = Server::new(|number, _, stream| match number {
        0 => whole(stream, "", 1000),
        1 => write(
            stream,
            "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: 1\r\n\
             Content-Range: bytes 1000-1000/1001\r\n\r\n",
            b"x",
        ),
        _ => whole(stream, "", content().len()),
    });

    let (_, got) = get(&server).unwrap();

    assert_eq!(got, content());
    assert!(!server.head(2).contains("range:"));
}

#[test]
fn a_server_out_of_breath_is_asked_again() {
    let server = Server::new(|number, _, stream| match number {
        0 => write(stream, "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b""),
        1 => write(
            stream,
            "HTTP/1.1 429 Later\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
            b"",
        ),
        _ => whole(stream, "", content().len()),
    });

    assert_eq!(get(&server).unwrap().1, content());
    assert_eq!(server.requests(), 3);
}

#[test]
fn a_clear_no_is_not_asked_again() {
    let server = Server::new(|_, _, stream| {
        write(stream, "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b"");
    });

    let error = get(&server).unwrap_err();

    assert_eq!(error.to_string(), "the server answered 404 Not Found");
    assert_eq!(server.requests(), 1);
}

#[test]
fn redirections_without_end_are_given_up() {
    let server = Server::new(|_, _, stream| {
        write(
            stream,
            "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /file\r\nContent-Length: 0\r\n\r\n",
            b"",
        );
    });

    let error = get(&server).unwrap_err();

    assert_eq!(error.to_string(), "the server redirects without end");
    assert_eq!(server.requests(), 11);
}

#[test]
fn a_server_that_always_breaks_off_is_given_up() {
    let server = Server::new(|_, _, stream| whole(stream, "Accept-Ranges: none\r\n", 5));

    let error = get(&server).unwrap_err();

    assert_eq!(error.to_string(), "the server broke off after 5 of 300000 bytes");
    assert_eq!(server.requests(), 4);
}

#[test]
fn a_length_that_is_a_lie_does_not_lengthen_the_file() {
    let server = Server::new(|_, _, stream| {
        write(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", b"hello and more");
    });

    assert_eq!(get(&server).unwrap().1, b"hello");
}

#[test]
fn more_than_the_limit_is_refused_at_once_or_when_it_comes() {
    let limits = Limits { largest: 1000, ..limits() };
    let announced = Server::new(|_, _, stream| whole(stream, "", content().len()));
    let unannounced = Server::new(|_, _, stream| {
        write(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &content());
    });

    for server in [announced, unannounced] {
        let error = get_with(limits, &server, true).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 1000 bytes");
        assert_eq!(server.requests(), 1);
    }
}

#[test]
fn a_server_that_falls_silent_is_given_up_soon() {
    let server = Server::new(|_, _, stream| {
        whole(stream, "", 10);
        // The connection stays open while its thread keeps a handle on it.
        let kept = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut kept = kept;
            let _ = kept.read(&mut [0]);
        });
    });
    let limits = Limits { attempts: 2, patience: Duration::from_millis(300), ..limits() };

    let error = get_with(limits, &server, true).unwrap_err();

    assert_eq!(error.to_string(), "the server said nothing for 300ms");
}

#[test]
fn a_slow_drip_is_given_up() {
    let server = Server::new(|_, _, stream| {
        whole(stream, "", 0);
        let mut dripping = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            while dripping.write_all(b"x").is_ok() {
                SystemClock.sleep(Duration::from_millis(50));
            }
        });
    });
    let limits = Limits { attempts: 1, patience: Duration::from_secs(3), ..limits() };

    let error = get_with(limits, &server, true).unwrap_err();

    assert_eq!(error.to_string(), "the server sent less than 64 bytes a second for 3s");
}

#[test]
fn everything_together_has_a_deadline() {
    let server = Server::new(|_, head, stream| {
        // Each attempt brings enough to be worth another one, without end.
        if head.contains("range:") { rest_in_part(stream, head) } else { whole(stream, "", 70_000) }
    });
    fn rest_in_part(stream: &mut TcpStream, head: &str) {
        let start: usize =
            head.split("range: bytes=").nth(1).unwrap().split('-').next().unwrap().parse().unwrap();
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: {}\r\n\
             Content-Range: bytes {start}-299999/300000\r\n\r\n",
            300_000 - start
        );
        write(stream, &head, b"x");
    }
    let limits = Limits { deadline: Duration::from_millis(600), ..limits() };

    let error = get_with(limits, &server, true).unwrap_err();

    assert!(error.is_passing() || matches!(error, TransferError::TooLong { .. }), "{error}");
}

#[test]
fn nonsense_instead_of_http_is_an_error() {
    let server = Server::new(|_, _, stream| write(stream, "what?\r\n\r\n", b""));

    assert!(matches!(get(&server).unwrap_err(), TransferError::Network(_)));
}

#[test]
fn a_cancelled_transfer_ends() {
    let server = Server::new(|_, _, stream| whole(stream, "", content().len()));
    let cancelled = AtomicBool::new(true);
    let request = Request { cancelled: Some(&cancelled), ..Request::new(&server.address) };

    let error = Client::new(limits(), Proxies::default())
        .get(&request, &mut tempfile::tempfile().unwrap())
        .unwrap_err();

    assert!(matches!(error, TransferError::Cancelled));
}
