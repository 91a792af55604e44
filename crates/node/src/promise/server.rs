//! An interpreter that is kept warm: it has imported what plugins need, and forks once for each of them.
//!
//! It runs as the partition's user from its first instruction on. One serves all plugins of the same interpreter, user
//! and path; one that has nothing to do for a while is ended, and one that is ended takes its promises with it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use host::handover;
use host::process::Program;
use host::users::Account;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long an interpreter may take until it has imported everything.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often interpreters that have nothing to do are looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the server's source from its standard input, so that it is not on its command line.
const BOOTSTRAP: &str = "import json, os\ntext = b''\nwhile not text.endswith(b'\\n'):\n  text += os.read(0, 65536) or b'{}\\n'\n\
                         setup = json.loads(text.decode('utf-8'))\n\
                         exec(compile(setup['source'], 'slapos_bridge/promise.py', 'exec'), {'__name__': '__main__', 'setup': setup})";

const SOURCE: &str = include_str!("../../../../python/slapos_bridge/promise.py");

/// The modules that are there for plugins whose release brings none.
const MODULES: [(&str, &str); 3] = [
    (
        "slapos.grid.promise.generic",
        include_str!("../../../../python/slapos_bridge/promise_modules/generic.py"),
    ),
    (
        "slapos.grid.promise.interface",
        include_str!("../../../../python/slapos_bridge/promise_modules/interface.py"),
    ),
    ("zope.interface", include_str!("../../../../python/slapos_bridge/promise_modules/zope_interface.py")),
];

/// What one interpreter is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purpose {
    pub(super) interpreter: Utf8PathBuf,
    pub(super) account: Account,
    /// The line with which the plugins set their path.
    pub(super) path_line: String,
}

/// A running interpreter.
#[derive(Debug)]
pub(super) struct Server {
    purpose: Purpose,
    pid: u32,
    control: Mutex<UnixStream>,
    process: Mutex<Child>,
    last_use: Mutex<Instant>,
}

/// All interpreters. They are started by a thread that lives as long as this does, because the kernel kills a child
/// with the thread that started it.
#[derive(Debug)]
pub(super) struct Servers {
    running: Arc<Mutex<Vec<Arc<Server>>>>,
    /// Held while one is started, so that two who want the same do not start two.
    starting: Mutex<()>,
    orders: Mutex<Sender<Order>>,
}

struct Order {
    program: Program,
    socket: OwnedFd,
    reply: Sender<io::Result<Child>>,
}

#[derive(Serialize)]
struct Setup<'a> {
    source: &'a str,
    modules: std::collections::BTreeMap<&'a str, &'a str>,
    plugin: &'a str,
}

#[derive(Deserialize)]
struct Ready {
    error: Option<String>,
}

impl Servers {
    /// No interpreter yet; those that have nothing to do for `idle` will be ended.
    pub(super) fn new(idle: Duration) -> io::Result<Self> {
        let running = Arc::new(Mutex::new(Vec::new()));
        let (orders, received) = channel();
        let watched = Arc::downgrade(&running);
        let thread = std::thread::Builder::new().name("promises".to_owned());
        thread.spawn(move || keep(&received, &watched, idle))?;
        Ok(Self { running, starting: Mutex::new(()), orders: Mutex::new(orders) })
    }

    /// The interpreter for a purpose, started when there is none; `plugin` is one of those that it will run.
    pub(super) fn get(&self, purpose: &Purpose, plugin: &str) -> io::Result<Arc<Server>> {
        if let Some(server) = self.find(purpose) {
            return Ok(server);
        }
        let _starting = held(&self.starting);
        if let Some(server) = self.find(purpose) {
            return Ok(server);
        }
        let server = Arc::new(self.start(purpose, plugin)?);
        held(&self.running).push(Arc::clone(&server));
        Ok(server)
    }

    fn find(&self, purpose: &Purpose) -> Option<Arc<Server>> {
        let mut running = held(&self.running);
        running.retain(|server| server.is_alive());
        let server = running.iter().find(|server| server.purpose == *purpose)?;
        server.used();
        Some(Arc::clone(server))
    }

    fn start(&self, purpose: &Purpose, plugin: &str) -> io::Result<Server> {
        let (mut control, theirs) = UnixStream::pair()?;
        let program = Program::new(&purpose.interpreter)
            .args(["-E", "-s", "-B", "-c", BOOTSTRAP])
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", purpose.account.home.as_str())
            .env("PYTHONNOUSERSITE", "true")
            .directory("/")
            .account(purpose.account.clone());
        let (reply, started) = channel();
        let gone = |_| io::Error::other("the thread that starts interpreters has ended");
        held(&self.orders).send(Order { program, socket: theirs.into(), reply }).map_err(|_| gone(()))?;
        let process = started.recv().map_err(|_| gone(()))??;
        let setup = Setup { source: SOURCE, modules: MODULES.into_iter().collect(), plugin };
        let mut server_setup = serde_json::to_vec(&setup)?;
        server_setup.push(b'\n');
        let answer = control.write_all(&server_setup).and_then(|()| read_ready(&control));
        let server = Server {
            purpose: purpose.clone(),
            pid: process.id(),
            control: Mutex::new(control),
            process: Mutex::new(process),
            last_use: Mutex::new(Instant::now()),
        };
        match answer {
            Ok(Ready { error: Some(error) }) => {
                tracing::debug!("{}: nothing to warm up: {error}", purpose.interpreter);
            }
            Ok(Ready { error: None }) => {}
            Err(error) => {
                return Err(io::Error::new(
                    error.kind(),
                    format!("`{}` did not start: {error}", purpose.interpreter),
                ));
            }
        }
        Ok(server)
    }
}

impl Server {
    /// A connection to a process that runs one promise.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        self.used();
        let (ours, theirs) = UnixStream::pair()?;
        handover::give(&held(&self.control), &theirs)?;
        Ok(ours)
    }

    /// Its process number, which is that of the parent of every promise's process.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    fn used(&self) {
        *held(&self.last_use) = Instant::now();
    }

    fn is_alive(&self) -> bool {
        held(&self.process).try_wait().is_ok_and(|ended| ended.is_none())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself when the control socket closes, with what it runs; this makes sure of it.
        let _ = held(&self.control).shutdown(std::net::Shutdown::Both);
        let mut process = held(&self.process);
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if !process.try_wait().is_ok_and(|ended| ended.is_none()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Starts what is ordered and ends what is idle, until nobody can order any more.
fn keep(orders: &Receiver<Order>, running: &Weak<Mutex<Vec<Arc<Server>>>>, idle: Duration) {
    use std::sync::mpsc::RecvTimeoutError;
    loop {
        match orders.recv_timeout(LOOK_INTERVAL.min(idle)) {
            Ok(Order { program, socket, reply }) => {
                let child = program.spawn(Stdio::from(socket), Stdio::null(), Stdio::null());
                let _ = reply.send(child);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let Some(running) = running.upgrade() else { return };
        // One that is in use is held by its user as well, and is not ended here.
        let is_kept = |server: &mut Arc<Server>| {
            Arc::strong_count(server) > 1 || held(&server.last_use).elapsed() < idle
        };
        let ended: Vec<_> = held(&running).extract_if(.., |server| !is_kept(server)).collect();
        drop(ended);
    }
}

fn read_ready(control: &UnixStream) -> io::Result<Ready> {
    control.set_read_timeout(Some(START_LIMIT))?;
    let mut line = String::new();
    BufReader::new(control.take(1 << 16)).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended at once"));
    }
    Ok(serde_json::from_str(&line)?)
}

/// What is behind a lock. A thread that panicked while it held one has left nothing half done.
fn held<T: ?Sized>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line of JSON, for the other side.
pub(super) fn line(value: &serde_json::Value) -> Vec<u8> {
    let mut line = json!(value).to_string().into_bytes();
    line.push(b'\n');
    line
}
