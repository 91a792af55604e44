//! What the tests of passes stand on: a directory that an ordinary user owns, a master and a supervisor that note what
//! they are asked, and a build engine that is a shell script.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::clock::ManualClock;
use host::files;
use host::users::Account;
use slap::client::{Client, Endpoint};
use slap::{Computer, Partition, RequestedState};

use crate::configuration::Configuration;
use crate::environment::Environment;
use crate::progress::{Event, Progress};
use crate::promise::{Check, PromiseFailure, Report};
use crate::supervisor::xml_rpc::{Value, read_call, write_answer};
use crate::{Node, Promises};

/// A directory that is removed at the end.
pub(crate) struct TrialDirectory {
    _directory: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl TrialDirectory {
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Writes a file, which belongs to the same user as the directory.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> Utf8PathBuf {
        let path = self.path.join(name);
        self.make(path.parent().unwrap().strip_prefix(&self.path).unwrap().as_str(), 0o755);
        files::replace(&path, text, mode).unwrap();
        own(&path);
        path
    }

    /// Makes a directory and its parents, which belong to the same user.
    pub(crate) fn make(&self, name: &str, mode: u32) -> Utf8PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let mut path = self.path.clone();
        for part in Utf8Path::new(name).components() {
            path.push(part);
            if !path.exists() {
                fs::create_dir(&path).unwrap();
                own(&path);
            }
        }
        if path != self.path {
            fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }
}

/// Nothing is built as root, so what root makes for a test is given away.
fn own(path: &Utf8Path) {
    if host::users::is_root() {
        files::give(path, &Account::by_name("nobody").unwrap().unwrap()).unwrap();
    }
}

pub(crate) fn directory() -> TrialDirectory {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    own(&path);
    TrialDirectory { _directory: directory, path }
}

/// A master that knows one computer and notes what it is told.
#[derive(Clone)]
pub(crate) struct FakeMaster {
    state: Arc<Mutex<MasterState>>,
    url: String,
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
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
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

/// Promises whose results are set by the test.
#[derive(Default)]
pub(crate) struct FakePromises {
    failures: Mutex<BTreeMap<String, String>>,
    checks: Mutex<Vec<String>>,
}

impl FakePromises {
    pub(crate) fn fail(&self, partition: &str, message: &str) {
        self.failures.lock().unwrap().insert(partition.to_owned(), message.to_owned());
    }

    pub(crate) fn pass(&self, partition: &str) {
        self.failures.lock().unwrap().remove(partition);
    }

    pub(crate) fn checks(&self) -> Vec<String> {
        std::mem::take(&mut self.checks.lock().unwrap())
    }
}

impl Promises for FakePromises {
    fn check(&self, check: &Check<'_>) -> std::io::Result<Report> {
        let force = if check.force { " forced" } else { "" };
        self.checks.lock().unwrap().push(format!("{} {:?}{force}", check.partition, check.mode));
        let failure = self
            .failures
            .lock()
            .unwrap()
            .get(check.partition)
            .map(|message| PromiseFailure { name: "check.py".to_owned(), message: message.clone() });
        Ok(Report { failures: failure.into_iter().collect(), ..Report::default() })
    }
}

/// Keeps events.
#[derive(Default)]
pub(crate) struct Kept(Mutex<VecDeque<Event>>);

impl Kept {
    pub(crate) fn take(&self) -> Vec<Event> {
        self.0.lock().unwrap().drain(..).collect()
    }
}

impl Progress for Kept {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push_back(event);
    }
}

/// A whole node in a directory of its own.
pub(crate) struct Trial {
    pub(crate) directory: TrialDirectory,
    pub(crate) master: FakeMaster,
    pub(crate) supervisor: FakeSupervisor,
    pub(crate) promises: Arc<FakePromises>,
    pub(crate) events: Arc<Kept>,
    pub(crate) clock: ManualClock,
    pub(crate) node: Node,
}

impl Trial {
    /// A node whose engine is the shell script `engine`, run as `engine ARGUMENTS`.
    pub(crate) fn new(engine: &str) -> Self {
        let directory = directory();
        for name in ["soft", "inst", "inst/etc", "inst/var/run", "inst/var/log", "run"] {
            directory.make(name, 0o755);
        }
        let engine = directory.write("engine", &format!("#!/bin/sh\nset -e\n{engine}\n"), 0o755);
        let supervisor = FakeSupervisor::start(&directory.path().join("inst/sv.sock"));
        let master = FakeMaster::start();
        let path = |name: &str| directory.path().join(name);
        let mut configuration = Configuration::new(
            "COMP-1".parse().unwrap(),
            &master.url,
            path("soft"),
            path("inst"),
            &[engine.as_os_str().to_owned()],
        );
        configuration.engine = vec![engine.into_string().into()];
        configuration.software_minimum_space = 0;
        configuration.instance_minimum_space = 0;
        configuration.pid_files.software = path("run/software.pid");
        configuration.pid_files.instance = path("run/instance.pid");
        configuration.pid_files.report = path("run/report.pid");
        let promises = Arc::new(FakePromises::default());
        let events = Arc::new(Kept::default());
        let clock = ManualClock::new(
            jiff::Timestamp::try_from(fs::metadata(path("run")).unwrap().modified().unwrap()).unwrap(),
        );
        let node = Node {
            configuration: Arc::new(configuration),
            client: Client::new(&Endpoint::new(&master.url)).unwrap(),
            clock: Arc::new(clock.clone()),
            progress: Arc::<Kept>::clone(&events),
            environment: Arc::new(
                Environment::default().with("PATH", "/usr/bin:/bin").with("PIP_INDEX_URL", "x"),
            ),
            promises: Arc::<FakePromises>::clone(&promises),
        };
        Self { directory, master, supervisor, promises, events, clock, node }
    }

    /// Changes the configuration.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Configuration)) {
        let mut configuration = (*self.node.configuration).clone();
        change(&mut configuration);
        self.node.configuration = Arc::new(configuration);
    }

    /// Makes the machine's own clock that of the node, for tests of threads that wait.
    pub(crate) fn use_real_time(&mut self) {
        self.node.clock = Arc::new(host::clock::SystemClock);
    }

    /// Puts a complete release in place, and gives its address.
    pub(crate) fn release(&self, name: &str) -> slap::SoftwareUrl {
        let url: slap::SoftwareUrl = format!("http://release/{name}").parse().unwrap();
        let md5 = url.md5();
        self.directory.write(&format!("soft/{md5}/instance.cfg"), "[buildout]\nparts =", 0o644);
        self.directory.write(&format!("soft/{md5}/.completed"), "x", 0o644);
        url
    }

    /// Makes the directory of a partition, and gives what the master wants of it.
    pub(crate) fn partition(&self, id: &str, state: RequestedState, url: &slap::SoftwareUrl) -> Partition {
        self.directory.make(&format!("inst/{id}"), 0o750);
        Partition {
            requested_state: state,
            release: Some(url.clone()),
            software_type: Some("default".parse().unwrap()),
            timestamp: Some("10.5".to_owned()),
            access_status: Some("#access all right".to_owned()),
            ..Partition::free("COMP-1".parse().unwrap(), id.parse().unwrap())
        }
    }

    pub(crate) fn wants_partitions(&self, partitions: Vec<Partition>) {
        let id = "COMP-1".parse().unwrap();
        self.master.wants(Computer { id, releases: Vec::new(), partitions });
    }
}
