//! FTP, as much of it as it takes to get one file: binary, in passive mode, taken up again where it broke.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use ureq::http::Uri;

use super::TransferError;
use super::attempt::Attempt;

const PORT: u16 = 21;
/// A line of an answer has at most so many bytes, and an answer so many lines.
const LONGEST_LINE: u64 = 4096;
const MOST_LINES: usize = 256;

/// Gets the file at `uri` into the file of the attempt.
///
/// # Errors
/// It cannot be had; what is there of it is kept for the next attempt.
pub(super) fn receive(
    attempt: &mut Attempt<'_, '_>,
    uri: &Uri,
    credentials: Option<&(String, String)>,
) -> Result<(), TransferError> {
    let (directory, name) = parts(uri.path()).ok_or(TransferError::Address)?;
    let mut control = Control::open(attempt, uri)?;
    control.log_in(attempt, credentials)?;
    if !directory.is_empty() {
        control.ask(attempt, &[b"CWD ", directory.as_slice()].concat())?.positive()?;
    }
    control.ask(attempt, b"TYPE I")?.positive()?;
    let size = control.ask(attempt, &[b"SIZE ", name.as_slice()].concat())?.fact();
    let size = size.and_then(|size| size.parse().ok());
    let changed = control.ask(attempt, &[b"MDTM ", name.as_slice()].concat())?.fact();
    let mut data = control.passive(attempt)?;
    let is_same = attempt.partial.promised() == (size, changed.as_deref());
    let resumes = is_same && attempt.partial.can_resume(attempt.request) && {
        let command = format!("REST {}", attempt.partial.size());
        control.ask(attempt, command.as_bytes())?.code == 350
    };
    if resumes {
        attempt.partial.resume(attempt.file)?;
    } else {
        attempt.partial.restart(attempt.file)?;
        attempt.partial.promise(size, changed);
    }
    control.ask(attempt, &[b"RETR ", name.as_slice()].concat())?.begun()?;
    attempt.read(&mut data)?;
    if size.is_none() {
        // Nothing else tells the end of the file from a connection that broke.
        control.answer(attempt)?.positive()?;
    }
    Ok(())
}

/// The directory and the name in a path, both decoded. `None` for the path of a directory, and for what cannot be said
/// in one line.
fn parts(path: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    // `;type=i` says what is so anyway.
    let path = path.rsplit_once(";type=").map_or(path, |(path, _)| path);
    let path = path.strip_prefix('/').unwrap_or(path);
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let (directory, name) = (decoded(directory), decoded(name));
    let is_plain = |text: &[u8]| !text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    (!name.is_empty() && is_plain(&directory) && is_plain(&name)).then_some((directory, name))
}

/// A connection on which commands are given.
struct Control {
    stream: BufReader<Timed>,
    server: IpAddr,
}

impl Control {
    fn open(attempt: &Attempt<'_, '_>, uri: &Uri) -> Result<Self, TransferError> {
        let host = uri.host().ok_or(TransferError::Address)?.trim_matches(['[', ']']);
        let addresses = (host, uri.port_u16().unwrap_or(PORT)).to_socket_addrs();
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses.map_err(|error| attempt.broken(error))? {
            match Timed::connect(attempt, address) {
                Ok(stream) => {
                    let mut control = Self { stream: BufReader::new(stream), server: address.ip() };
                    control.answer(attempt)?.positive()?;
                    return Ok(control);
                }
                Err(error) => failure = error,
            }
        }
        Err(attempt.broken(failure))
    }

    fn log_in(
        &mut self,
        attempt: &Attempt<'_, '_>,
        credentials: Option<&(String, String)>,
    ) -> Result<(), TransferError> {
        let (name, password) =
            credentials.map_or(("anonymous", "anonymous@"), |(name, password)| (name, password));
        let answer = self.ask(attempt, format!("USER {name}").as_bytes())?;
        match answer.code {
            331 => self.ask(attempt, format!("PASS {password}").as_bytes())?.positive(),
            _ => answer.positive(),
        }
    }

    /// Opens a connection for data. Only its port is taken from the server: no server makes us connect to another one.
    fn passive(&mut self, attempt: &Attempt<'_, '_>) -> Result<Timed, TransferError> {
        let port = match self.server {
            IpAddr::V4(_) => self.ask(attempt, b"PASV")?.passive_port(),
            IpAddr::V6(_) => None,
        };
        let port = match port {
            Some(port) => port,
            None => {
                let answer = self.ask(attempt, b"EPSV")?;
                answer.extended_port().ok_or_else(|| answer.refusal())?
            }
        };
        Timed::connect(attempt, SocketAddr::new(self.server, port)).map_err(|error| attempt.broken(error))
    }

    fn ask(&mut self, attempt: &Attempt<'_, '_>, command: &[u8]) -> Result<Answer, TransferError> {
        if command.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(TransferError::Address);
        }
        let stream = &mut self.stream.get_mut().stream;
        stream.write_all(&[command, b"\r\n"].concat()).map_err(|error| attempt.broken(timed_out(error)))?;
        self.answer(attempt)
    }

    /// An answer, of one line or, when a `-` follows the number, of several up to one with the number and a blank.
    fn answer(&mut self, attempt: &Attempt<'_, '_>) -> Result<Answer, TransferError> {
        let mut first: Option<Answer> = None;
        for _ in 0..MOST_LINES {
            let mut line = Vec::new();
            let count = (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line);
            if count.map_err(|error| TransferError::from_control(attempt, error))? == 0 {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection");
                return Err(TransferError::Network(error.into()));
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            match (code, &first) {
                (Some(code), None) if is_last => return Ok(Answer { code, text: line }),
                (Some(code), None) => first = Some(Answer { code, text: line }),
                (Some(code), Some(begun)) if is_last && code == begun.code => {
                    return Ok(Answer { code, text: line });
                }
                (_, Some(_)) => {}
                (None, None) => break,
            }
        }
        let error = io::Error::new(io::ErrorKind::InvalidData, "what the server says is not FTP");
        Err(TransferError::Network(error.into()))
    }
}

impl TransferError {
    /// A connection on which an answer was waited for broke: nothing of the file is missing for that.
    fn from_control(attempt: &Attempt<'_, '_>, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Network(error.into()),
            _ => attempt.broken(error),
        }
    }
}

/// What the server answers to a command.
struct Answer {
    code: u16,
    /// Its last line, with the number.
    text: String,
}

impl Answer {
    fn positive(self) -> Result<(), TransferError> {
        if (200..300).contains(&self.code) { Ok(()) } else { Err(self.refusal()) }
    }

    fn begun(self) -> Result<(), TransferError> {
        if (100..200).contains(&self.code) { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(&self) -> TransferError {
        TransferError::Refused { answer: self.text.clone(), is_passing: (400..500).contains(&self.code) }
    }

    /// What a server knows of a file, if it knows it.
    fn fact(&self) -> Option<String> {
        (self.code == 213).then(|| self.text.get(4..).map(|fact| fact.trim().to_owned()))?
    }

    /// `227 … (h1,h2,h3,h4,p1,p2)`
    fn passive_port(&self) -> Option<u16> {
        let numbers = self.text.get(4..).filter(|_| self.code == 227)?;
        let start = numbers.find(|letter: char| letter.is_ascii_digit())?;
        let numbers =
            numbers[start..].split(|letter: char| !letter.is_ascii_digit() && letter != ',').next()?;
        let numbers: Vec<u8> = numbers.split(',').map_while(|number| number.parse().ok()).collect();
        match numbers[..] {
            [_, _, _, _, high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        }
    }

    /// `229 … (|||port|)`
    fn extended_port(&self) -> Option<u16> {
        let (_, rest) = self.text.split_once("(|||").filter(|_| self.code == 229)?;
        rest.split('|').next()?.parse().ok()
    }
}

/// A connection that is waited for no longer than the limits of a transfer say.
struct Timed {
    stream: TcpStream,
    patience: Duration,
    end: Instant,
}

impl Timed {
    fn connect(attempt: &Attempt<'_, '_>, address: SocketAddr) -> io::Result<Self> {
        let (patience, end) = (attempt.client.limits().patience, attempt.end);
        let stream = TcpStream::connect_timeout(&address, left(patience, end)?)?;
        stream.set_write_timeout(Some(patience).filter(|patience| !patience.is_zero()))?;
        Ok(Self { stream, patience, end })
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.patience, self.end)?))?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

/// How long to wait.
fn left(patience: Duration, end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now()).min(patience);
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The system says of a time that ran out that waiting would block.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_directory_and_a_name_and_no_second_command() {
        let parts = |path| {
            parts(path)
                .map(|(directory, name)| [directory, name].map(|text| String::from_utf8(text).unwrap()))
        };

        assert_eq!(parts("/pub/a%20b/c%23.tar;type=i"), Some(["pub/a b".into(), "c#.tar".into()]));
        assert_eq!(parts("/c"), Some([String::new(), "c".into()]));
        assert_eq!(parts("/%2Fetc/c"), Some(["/etc".into(), "c".into()]));
        for path in ["/", "/pub/", "", "/a%0d%0aDELE%20b", "/a%0A/b"] {
            assert_eq!(parts(path), None, "{path}");
        }
    }

    #[test]
    fn ports_are_read_from_answers() {
        let answer = |text: &str| Answer { code: text[..3].parse().unwrap(), text: text.to_owned() };

        assert_eq!(answer("227 Entering Passive Mode (10,0,0,1,31,64).").passive_port(), Some(8000));
        assert_eq!(answer("227 10,0,0,1,31,64").passive_port(), Some(8000));
        assert_eq!(answer("227 (10,0,0,1,31)").passive_port(), None);
        assert_eq!(answer("227 (10,0,0,1,31,640)").passive_port(), None);
        assert_eq!(answer("500 no (10,0,0,1,31,64)").passive_port(), None);
        assert_eq!(answer("229 Entering (|||8000|)").extended_port(), Some(8000));
        assert_eq!(answer("229 Entering (|||80000|)").extended_port(), None);
    }
}
