//! A master that answers as the test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use slap::Computer;

/// A master that knows one computer and notes what it is told.
#[derive(Clone)]
pub(crate) struct FakeMaster {
    state: Arc<Mutex<MasterState>>,
    /// Where it answers.
    pub(crate) url: String,
}

#[derive(Default)]
struct MasterState {
    computer: Option<Computer>,
    calls: Vec<(String, BTreeMap<String, String>)>,
    statuses: BTreeMap<String, u16>,
}

impl FakeMaster {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let master = Self { state: Arc::default(), url };
        let served = master.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(&mut stream.unwrap()));
            }
        });
        master
    }

    pub(crate) fn wants(&self, computer: Computer) {
        self.state.lock().unwrap().computer = Some(computer);
    }

    /// Makes a method answer with `status` from here on.
    pub(crate) fn answers(&self, method: &str, status: u16) {
        self.state.lock().unwrap().statuses.insert(method.to_owned(), status);
    }

    /// What it was told since the last call: method and the id or address that it was about.
    pub(crate) fn told(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.state.lock().unwrap().calls);
        let subject = |fields: &BTreeMap<String, String>| {
            fields.get("computer_partition_id").or_else(|| fields.get("url")).cloned().unwrap_or_default()
        };
        calls.iter().map(|(method, fields)| format!("{method} {}", subject(fields))).collect()
    }

    /// Waits until it was told `wanted`, and gives everything up to then.
    pub(crate) fn wait_until_told(&self, wanted: &str) -> Vec<String> {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
        let mut told = Vec::new();
        while !told.iter().any(|call| call == wanted) {
            assert!(std::time::Instant::now() < deadline, "it was told only {told:?}");
            std::thread::sleep(std::time::Duration::from_millis(5));
            told.extend(self.told());
        }
        told
    }

    /// One field of the last call of `method`.
    pub(crate) fn field(&self, method: &str, field: &str) -> String {
        let state = self.state.lock().unwrap();
        state.calls.iter().rev().find(|(name, _)| name == method).unwrap().1[field].clone()
    }

    fn serve(&self, stream: &mut TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            let mut length = 0;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                if header.trim().is_empty() {
                    break;
                }
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let target = request.split_whitespace().nth(1).unwrap().trim_start_matches('/').to_owned();
            let (method, query) = target.split_once('?').unwrap_or((&target, ""));
            let (status, answer) = self.answer(method, query, &String::from_utf8(body).unwrap());
            let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", answer.len());
            if stream.write_all(format!("{head}{answer}").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, method: &str, query: &str, body: &str) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        let status = state.statuses.get(method).copied().unwrap_or(200);
        if method == "getFullComputerInformation" {
            return match (&state.computer, status) {
                (Some(computer), 200) => (200, slap::wire::write_computer(computer).unwrap()),
                (None, 200) => (404, String::new()),
                (_, status) => (status, String::new()),
            };
        }
        if method == "watchComputer" || method == "getComputerInformation" {
            return (404, String::new());
        }
        let text = if body.is_empty() { query } else { body };
        state.calls.push((method.to_owned(), fields(text)));
        match method {
            "getComputerPartitionCertificate" if status == 200 => (
                200,
                "<marshal><dictionary><string>certificate</string><string>C</string><string>key</string>\
                 <string>K</string></dictionary></marshal>"
                    .to_owned(),
            ),
            "updateComputerPartitionRelatedInstanceList" if status == 200 => (404, String::new()),
            _ => (status, String::new()),
        }
    }
}

fn fields(text: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
