//! A supervisor that answers as an idle one.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use camino::Utf8Path;

use crate::supervisor::xml_rpc::{Value, read_call, write_answer};

/// A supervisor that runs nothing and notes what it is asked.
#[derive(Clone, Default)]
pub(crate) struct FakeSupervisor {
    calls: Arc<Mutex<Vec<String>>>,
}

impl FakeSupervisor {
    pub(crate) fn start(socket: &Utf8Path) -> Self {
        let supervisor = Self::default();
        let listener = UnixListener::bind(socket).unwrap();
        let served = supervisor.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                served.serve(stream.unwrap());
            }
        });
        supervisor
    }

    /// The calls that change something, since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn serve(&self, mut stream: std::os::unix::net::UnixStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let (method, parameters) = read_call(&String::from_utf8(body).unwrap()).unwrap();
        let method = method.trim_start_matches("supervisor.").to_owned();
        let subject = parameters.first().and_then(Value::as_text).unwrap_or_default().to_owned();
        let answer = match method.as_str() {
            "getState" => Value::Struct(vec![
                ("statecode".to_owned(), Value::Integer(1)),
                ("statename".to_owned(), Value::Text("RUNNING".to_owned())),
            ]),
            "reloadConfig" => {
                let none = || Value::Array(Vec::new());
                Value::Array(vec![Value::Array(vec![none(), none(), none()])])
            }
            _ => {
                self.calls.lock().unwrap().push(format!("{method} {subject}"));
                Value::Array(Vec::new())
            }
        };
        let text = write_answer(&Ok(answer));
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", text.len());
        let _ = stream.write_all(format!("{head}{text}").as_bytes());
    }
}
