//! Reading a page from a service on loopback.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a service may take to answer, or to say what a test waits for.
const LIMIT: Duration = Duration::from_secs(120);

/// Reads the page at an address such as `http://127.0.0.1:8600/done.txt`: its status, and its text.
///
/// # Errors
/// The address is of another form, or the service cannot be read.
pub fn read(url: &str) -> io::Result<(u16, String)> {
    let invalid =
        || io::Error::new(io::ErrorKind::InvalidInput, format!("not an address on loopback: {url}"));
    let rest = url.strip_prefix("http://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_once('/').ok_or_else(invalid)?;
    let mut connection = TcpStream::connect(authority)?;
    connection.set_read_timeout(Some(LIMIT))?;
    write!(connection, "GET /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes)?;
    let answer = String::from_utf8_lossy(&bytes);
    let status = answer.get(9..12).and_then(|digits| digits.parse().ok());
    let (Some(status), Some((_, text))) = (status, answer.split_once("\r\n\r\n")) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{url} does not speak HTTP: {answer}"),
        ));
    };
    Ok((status, text.to_owned()))
}

/// Reads the page again and again until `is_wanted` holds for its text, and gives that text.
///
/// # Panics
/// It does not hold within two minutes; the message shows what was read last.
pub fn wait_for(url: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        let last = read(url);
        match &last {
            Ok((200, text)) if is_wanted(text) => return text.clone(),
            _ => assert!(
                Instant::now() < deadline,
                "{url} does not say what is wanted; the last answer: {last:?}"
            ),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
