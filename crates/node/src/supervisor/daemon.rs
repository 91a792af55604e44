//! The supervisor itself: runs the processes of all partitions, restarts services, answers clients.
//!
//! One task owns everything; clients, children and signals send it messages. Children die with it: directly because
//! the kernel kills them, and what they left behind because its successor does, before it starts anything.

mod announce;
mod answers;
mod calls;
mod configuration_info;
mod groups;
mod listener;
mod log_file;
mod log_text;
mod main_log;
mod memory;
mod pipes;
mod process;
mod server;
mod signals;
mod spawn;
mod transitions;

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use host::children::{become_subreaper, raise_descriptor_limit, reap};
use host::clock::Clock;
use host::files;
use host::locks::FileLock;
use indexmap::IndexMap;
use tokio::sync::mpsc;

use super::client::{Client, ProcessState, full_name};
use super::settings::{GroupSettings, Settings, SettingsError};
use crate::progress::Journal;
use crate::watchdog::Watchdog;
use answers::Pending;
use listener::Listeners;
use main_log::MainLog;
use memory::{Intentions, Running};
use process::Process;
use server::Request;
use signals::Signals;
use spawn::Surroundings;

/// How long a supervisor that does not answer any more may still hold its lock.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// How a supervisor is run.
#[derive(Clone)]
pub struct DaemonSettings {
    /// Its main configuration file.
    pub configuration: Utf8PathBuf,
    /// The clock, for what is told to clients and written in logs.
    pub clock: Arc<dyn Clock>,
}

/// Why a supervisor does not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Its files make no sense.
    #[error("failed to load the supervisor's configuration")]
    Settings(#[from] SettingsError),
    /// Another one runs with the same files.
    #[error("another supervisor runs with `{configuration}`")]
    AlreadyRunning {
        /// The main file.
        configuration: Utf8PathBuf,
    },
    /// The machine refuses what it needs.
    #[error("failed to {attempt}")]
    Machine {
        /// What it tried.
        attempt: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Runs a supervisor in the foreground until it is told to end; everything that it ran has ended then.
///
/// # Errors
/// It cannot run at all. What goes wrong with its programs is told to its clients and in its log.
pub fn run(settings: &DaemonSettings) -> Result<(), DaemonError> {
    let failed = |attempt| move |source| DaemonError::Machine { attempt, source };
    let _lock = lock(settings)?;
    become_subreaper().map_err(failed("take in orphans"))?;
    let descriptor_limit = raise_descriptor_limit().ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("prepare to wait for events"))?;
    loop {
        let tasks = tokio::task::LocalSet::new();
        if !tasks.block_on(&runtime, Daemon::serve(settings, descriptor_limit))? {
            return Ok(());
        }
    }
}

/// Makes sure that no other supervisor runs with the same files. One that is just ending is waited for.
fn lock(settings: &DaemonSettings) -> Result<FileLock, DaemonError> {
    let loaded = Settings::load(&settings.configuration)?;
    let path = Utf8PathBuf::from(format!("{}.lock", loaded.pid_file));
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        let lock = FileLock::try_acquire(&path);
        let lock = lock.map_err(|source| DaemonError::Machine {
            attempt: "lock the supervisor's process file",
            source,
        })?;
        if let Some(lock) = lock {
            return Ok(lock);
        }
        if Instant::now() > deadline || Client::new(&loaded.socket).state().is_ok() {
            return Err(DaemonError::AlreadyRunning { configuration: settings.configuration.clone() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process, by group and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    group: String,
    name: String,
}

impl Key {
    fn full(&self) -> String {
        full_name(&self.group, &self.name)
    }
}

struct Group {
    settings: GroupSettings,
    processes: IndexMap<String, Process>,
}

/// What the daemon is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Running,
    Restarting,
    ShuttingDown,
}

struct Daemon {
    file: Utf8PathBuf,
    /// What the files said when they were last read.
    settings: Settings,
    /// What is loaded of it.
    groups: BTreeMap<String, Group>,
    pending: Vec<Pending>,
    mood: Mood,
    log: MainLog,
    /// What its files say at present.
    remembered: (Intentions, Running),
    around: Surroundings,
    watchdog: Option<Watchdog>,
    /// Where starts and ends are told to those who watch the node, when the daemon is a node's.
    events: Option<Journal>,
    listeners: Listeners,
    clock: Arc<dyn Clock>,
}

impl Daemon {
    /// Runs once; returns whether to run again.
    async fn serve(how: &DaemonSettings, descriptor_limit: Option<u64>) -> Result<bool, DaemonError> {
        let failed = |attempt| move |source| DaemonError::Machine { attempt, source };
        let settings = Settings::load(&how.configuration)?;
        let log = MainLog::open(&settings.log, settings.log_limit, how.clock.clone());
        let log = log.map_err(failed("open the supervisor's log"))?;
        let mut daemon = Self {
            file: how.configuration.clone(),
            groups: BTreeMap::new(),
            pending: Vec::new(),
            mood: Mood::Running,
            remembered: (Intentions::default(), Running::default()),
            around: Surroundings { address: format!("unix://{}", settings.socket), descriptor_limit },
            watchdog: None,
            events: None,
            listeners: Listeners::default(),
            clock: how.clock.clone(),
            settings,
            log,
        };
        let intentions = Intentions::load(&daemon.memory_file("intentions"));
        let running = Running::load(&daemon.memory_file("running"));
        let cleared =
            running.clear_away(&daemon.around.address).map_err(failed("look for earlier processes"))?;
        if !cleared.is_empty() {
            let count = cleared.len();
            daemon.log.warning(&format!("killed {count} processes that an earlier supervisor left behind"));
        }
        let (requests, received) = mpsc::channel(64);
        // Signals are caught before anything is started, so that no end of a child is missed.
        let signals = Signals::catch().map_err(failed("catch signals"))?;
        daemon.log.info(&format!("supervisord started with pid {}", std::process::id()));
        daemon.start_up(&intentions, &cleared);
        let socket = (daemon.settings.socket.clone(), daemon.settings.socket_mode);
        let listener =
            server::listen(&socket.0, socket.1).map_err(failed("listen on the supervisor's socket"))?;
        let pid = format!("{}\n", std::process::id());
        files::replace(&daemon.settings.pid_file, pid, 0o644)
            .map_err(failed("write the supervisor's process file"))?;
        let logs = Rc::new(daemon.settings.log.clone());
        let server = tokio::task::spawn_local(server::accept(listener, requests, logs));
        daemon.live(received, signals).await;
        // The last answers are on their way.
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.abort();
        for file in [&socket.0, &daemon.settings.pid_file] {
            let _ = files::remove_if_present(file);
        }
        Ok(daemon.mood == Mood::Restarting)
    }

    /// Loads all groups and starts what the files, or an earlier daemon's memory, say.
    fn start_up(&mut self, intentions: &Intentions, cleared: &[(String, String)]) {
        let mut groups: Vec<_> = self.settings.groups.clone().into_iter().collect();
        groups.sort_by_key(|(_, settings)| settings.priority);
        for (name, settings) in groups {
            self.load_group(&name, settings);
            for key in self.keys_of(&name) {
                let Some(process) = self.process_mut(&key) else { continue };
                if process.is_builtin() || process.pid.is_some() {
                    continue;
                }
                let was_cleared =
                    cleared.iter().any(|(group, name)| *group == key.group && *name == key.name);
                if intentions.starts(&key.group, &key.name, was_cleared) {
                    process.wanted = true;
                    self.start(&key);
                }
            }
        }
        self.remember();
    }

    async fn live(&mut self, mut requests: mpsc::Receiver<Request>, mut signals: Signals) {
        loop {
            if self.is_ending() && self.keys().iter().all(|key| self.is_down(key)) {
                self.log.info("all processes have ended");
                return;
            }
            let wake = self.next_due().unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                biased;
                () = signals.next() => {}
                Some(request) = requests.recv() => self.handle_request(request),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            if signals.take_end() {
                self.end(Mood::ShuttingDown);
            }
            if signals.take_reopen() {
                self.reopen_logs();
            }
            for (pid, ending) in reap() {
                self.ended(pid, ending);
            }
            self.tick();
            self.resolve_pending();
            self.remember();
        }
    }

    fn handle_request(&mut self, request: Request) {
        match request {
            Request::Call { method, parameters, reply } => self.handle(&method, &parameters, reply),
            Request::LogPath { process, is_error, reply } => {
                let path = self.named(&process).ok().and_then(|(keys, is_one)| {
                    let process = self.process(keys.first().filter(|_| is_one)?)?;
                    process.log_path(usize::from(is_error)).cloned()
                });
                let _ = reply.send(path);
            }
        }
    }

    fn is_ending(&self) -> bool {
        self.mood != Mood::Running
    }

    fn is_down(&self, key: &Key) -> bool {
        self.process(key).is_none_or(|process| process.is_builtin() || process.state.is_stopped())
    }

    /// Begins to end: everything is stopped, and remembered as what ought to run.
    fn end(&mut self, mood: Mood) -> super::xml_rpc::Value {
        if self.is_ending() {
            return true.into();
        }
        self.mood = mood;
        self.log.warning("stopping all processes");
        // What has ended by itself, and left nothing behind, stays ended, so that it is remembered as such.
        let left: Vec<Key> = self.escaped().into_iter().map(|(key, _)| key).collect();
        let is_over =
            |process: &Process| process.state == ProcessState::Exited && process.restart_at.is_none();
        let mut keys = self.keys();
        keys.retain(|key| left.contains(key) || !self.process(key).is_some_and(is_over));
        keys.reverse();
        let mut wanted = keys.clone();
        wanted.retain(|key| self.process(key).is_some_and(|process| process.wanted));
        self.stop_asked(&keys);
        for key in &wanted {
            if let Some(process) = self.process_mut(key) {
                process.wanted = true;
            }
        }
        true.into()
    }

    fn reopen_logs(&mut self) {
        let _ = self.log.reopen();
        let processes = self.groups.values().flat_map(|group| group.processes.values());
        for log in processes.flat_map(|process| &process.logs).flatten() {
            let _ = log.borrow_mut().reopen();
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.groups.values().flat_map(|group| group.processes.values()).filter_map(Process::due).min()
    }
}
