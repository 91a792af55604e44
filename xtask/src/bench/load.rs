//! Load on an HTTP server: a number of clients, each asking again as soon as it has its answer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What a load found.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Answers with status 200 in a second, over all clients.
    pub(crate) per_second: f64,
    /// The time within which 99 of 100 answers came.
    pub(crate) slowest_percent: Duration,
    /// Answers with another status, and connections that broke.
    pub(crate) errors: u64,
}

/// Asks for `path` on 127.0.0.1 from `clients` threads for the given time.
pub(crate) fn load(port: u16, path: &str, clients: usize, time: Duration) -> Measured {
    let start = Instant::now();
    let deadline = start + time;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n");
    let (mut times, errors) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    Client { port, request: request.as_bytes(), connection: None }.ask_until(deadline)
                })
            })
            .collect();
        threads.into_iter().fold((Vec::new(), 0), |(mut times, errors), thread| {
            let (more, wrong) = thread.join().expect("a client does not panic");
            times.extend(more);
            (times, errors + wrong)
        })
    });
    let taken = start.elapsed();
    times.sort_unstable();
    let slowest_percent = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Measured { per_second: times.len() as f64 / taken.as_secs_f64(), slowest_percent, errors }
}

struct Client<'a> {
    port: u16,
    request: &'a [u8],
    connection: Option<TcpStream>,
}

impl Client<'_> {
    fn ask_until(mut self, deadline: Instant) -> (Vec<Duration>, u64) {
        let (mut times, mut errors) = (Vec::new(), 0);
        while Instant::now() < deadline {
            let start = Instant::now();
            match self.ask() {
                Ok(200) => times.push(start.elapsed()),
                Ok(_) => errors += 1,
                Err(_) => {
                    errors += 1;
                    self.connection = None;
                }
            }
        }
        (times, errors)
    }

    /// One question; the connection is kept if the server keeps it. Gives the status.
    fn ask(&mut self) -> io::Result<u16> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = TcpStream::connect(("127.0.0.1", self.port))?;
                connection.set_nodelay(true)?;
                connection.set_read_timeout(Some(ANSWER_LIMIT))?;
                connection
            }
        };
        connection.write_all(self.request)?;
        let answer = Answer::read(&mut connection)?;
        if answer.stays_open {
            self.connection = Some(connection);
        }
        Ok(answer.status)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    stays_open: bool,
    length: usize,
}

impl Answer {
    /// Reads one answer to its end.
    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(16 * 1024);
        let mut chunk = [0_u8; 64 * 1024];
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let count = from.read(&mut chunk)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer.extend_from_slice(&chunk[..count]);
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let status =
            head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(|| invalid("no status"))?;
        let header = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
        };
        if header("transfer-encoding").is_some() {
            return Err(invalid("an answer in chunks is not measured"));
        }
        let closes = header("connection") == Some("close") || head.starts_with("http/1.0");
        let mut got = buffer.len() - end;
        let announced = header("content-length")
            .map(|length| length.parse().map_err(|_| invalid("bad length")))
            .transpose()?;
        loop {
            if announced.is_some_and(|length: usize| got >= length) {
                break;
            }
            match from.read(&mut chunk)? {
                0 if announced.is_none() => break,
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => got += count,
            }
        }
        Ok(Self { status, stays_open: !closes && announced.is_some(), length: got })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_length_leaves_the_connection_open() {
        let mut text: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

        assert_eq!(Answer::read(&mut text).unwrap(), Answer { status: 200, stays_open: true, length: 5 });
    }

    #[test]
    fn an_old_server_closes() {
        let mut text: &[u8] = b"HTTP/1.0 404 NOT FOUND\r\nServer: x\r\n\r\nnothing here";

        assert_eq!(Answer::read(&mut text).unwrap(), Answer { status: 404, stays_open: false, length: 12 });
    }

    #[test]
    fn half_an_answer_is_an_error() {
        let mut text: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";

        assert!(Answer::read(&mut text).is_err());
    }
}
