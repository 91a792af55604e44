//! What clients may ask of the daemon, by method.

use camino::Utf8Path;
use host::children::{signal_number, signal_process};
use host::files;
use tokio::sync::oneshot;

use super::super::client::ProcessState;
use super::super::settings::Settings;
use super::super::xml_rpc::{Fault, Value, code};
use super::answers::{Goal, Pending, Shape};
use super::{Daemon, Key, Mood, log_text, spawn};

/// How a call is answered.
pub(super) type Answer = Result<Value, Fault>;

/// The answer of a call, or that it comes when processes have got where they are to go.
pub(super) enum Handled {
    Now(Answer),
    Later { shape: Shape, waits: Vec<(Key, Goal)>, results: Vec<Value> },
}

/// The methods that [`Daemon::handle`] knows, sorted, those of the namespace `system` included.
pub(super) const METHODS: &[&str] = &[
    "slapos.updateProcessGroup",
    "supervisor.addProcessGroup",
    "supervisor.clearAllProcessLogs",
    "supervisor.clearLog",
    "supervisor.clearProcessLog",
    "supervisor.clearProcessLogs",
    "supervisor.getAPIVersion",
    "supervisor.getAllConfigInfo",
    "supervisor.getAllProcessInfo",
    "supervisor.getIdentification",
    "supervisor.getPID",
    "supervisor.getProcessInfo",
    "supervisor.getState",
    "supervisor.getSupervisorVersion",
    "supervisor.getVersion",
    "supervisor.readLog",
    "supervisor.readMainLog",
    "supervisor.readProcessLog",
    "supervisor.readProcessStderrLog",
    "supervisor.readProcessStdoutLog",
    "supervisor.reloadConfig",
    "supervisor.removeProcessGroup",
    "supervisor.restart",
    "supervisor.sendProcessStdin",
    "supervisor.shutdown",
    "supervisor.signalAllProcesses",
    "supervisor.signalProcess",
    "supervisor.signalProcessGroup",
    "supervisor.startAllProcesses",
    "supervisor.startProcess",
    "supervisor.startProcessGroup",
    "supervisor.stopAllProcesses",
    "supervisor.stopProcess",
    "supervisor.stopProcessGroup",
    "supervisor.tailProcessLog",
    "supervisor.tailProcessStderrLog",
    "supervisor.tailProcessStdoutLog",
    "system.listMethods",
    "system.multicall",
];

/// The version of supervisord whose behaviour this is.
const SUPERVISOR_VERSION: &str = "4.3.0";

impl Daemon {
    /// Does what a call asks for.
    pub(super) fn handle(&mut self, method: &str, parameters: &[Value], reply: oneshot::Sender<Answer>) {
        let handled = self.dispatch(method, parameters).unwrap_or_else(|fault| Handled::Now(Err(fault)));
        // What a client is told must still be true when the daemon is killed the next moment.
        self.remember();
        match handled {
            Handled::Now(answer) => drop(reply.send(answer)),
            Handled::Later { shape, waits, results } => {
                self.pending.push(Pending { shape, waits, results, reply });
                self.resolve_pending();
            }
        }
    }

    fn dispatch(&mut self, method: &str, parameters: &[Value]) -> Result<Handled, Fault> {
        if self.is_ending() && method.starts_with("supervisor.") {
            return Err(Fault::new(code::SHUTDOWN_STATE, ""));
        }
        let name = method.strip_prefix("supervisor.").unwrap_or(method);
        let now = match name {
            "getAPIVersion" | "getVersion" => nothing(parameters, "3.0".into())?,
            "getSupervisorVersion" => nothing(parameters, SUPERVISOR_VERSION.into())?,
            "getIdentification" => nothing(parameters, self.settings.identifier.as_str().into())?,
            "getPID" => nothing(parameters, i64::from(std::process::id()).into())?,
            "getState" => nothing(parameters, daemon_state())?,
            "system.listMethods" => nothing(parameters, Value::texts(METHODS.iter().copied()))?,
            "getAllConfigInfo" => nothing(parameters, self.all_configuration())?,
            "getAllProcessInfo" => nothing(parameters, self.all_info())?,
            "getProcessInfo" => self.one_info(text(parameters, 0, 1)?)?,
            "reloadConfig" => nothing(parameters, Value::Nil).and_then(|_| self.reload())?,
            "addProcessGroup" => self.add_group(text(parameters, 0, 1)?)?,
            "removeProcessGroup" => self.remove_group(text(parameters, 0, 1)?)?,
            "shutdown" => nothing(parameters, Value::Nil).map(|_| self.end(Mood::ShuttingDown))?,
            "restart" => nothing(parameters, Value::Nil).map(|_| self.end(Mood::Restarting))?,
            "startProcess" | "startProcessGroup" | "startAllProcesses" => {
                return self.call_start(name, parameters);
            }
            "stopProcess" | "stopProcessGroup" | "stopAllProcesses" => {
                return self.call_stop(name, parameters);
            }
            "slapos.updateProcessGroup" => return self.update_group(text(parameters, 0, 1)?),
            "signalProcess" | "signalProcessGroup" | "signalAllProcesses" => {
                self.call_signal(name, parameters)?
            }
            "sendProcessStdin" => self.send_stdin(text(parameters, 0, 2)?, text(parameters, 1, 2)?)?,
            _ => self.dispatch_log(name, parameters)?,
        };
        Ok(Handled::Now(Ok(now)))
    }

    fn dispatch_log(&mut self, name: &str, parameters: &[Value]) -> Result<Value, Fault> {
        match name {
            "readLog" | "readMainLog" => {
                let path = self.settings.log.clone();
                log_text::read(Some(&path), number(parameters, 0, 2)?, number(parameters, 1, 2)?)
            }
            "clearLog" => {
                nothing(parameters, Value::Nil)?;
                self.log.clear().map(|()| true.into()).map_err(|_| Fault::new(code::FAILED, ""))
            }
            "clearProcessLog" | "clearProcessLogs" => self.clear_log(text(parameters, 0, 1)?),
            "clearAllProcessLogs" => {
                let cleared = self.keys().into_iter().map(|key| {
                    let answer = self.clear_log(&key.full());
                    outcome(&key, answer.err())
                });
                Ok(Value::Array(cleared.collect()))
            }
            "readProcessLog" | "readProcessStdoutLog" | "readProcessStderrLog" => {
                let path = self.log_path(text(parameters, 0, 3)?, name.contains("Stderr"))?;
                log_text::read(path.as_deref(), number(parameters, 1, 3)?, number(parameters, 2, 3)?)
            }
            "tailProcessLog" | "tailProcessStdoutLog" | "tailProcessStderrLog" => {
                let path = self.log_path(text(parameters, 0, 3)?, name.contains("Stderr"))?;
                Ok(log_text::tail(path.as_deref(), number(parameters, 1, 3)?, number(parameters, 2, 3)?))
            }
            _ => Err(Fault::new(code::UNKNOWN_METHOD, "")),
        }
    }

    /// The processes that a name means: `group:name`, `group:*`, or a name that is both; the second value tells
    /// whether one process was named.
    pub(super) fn named(&self, name: &str) -> Result<(Vec<Key>, bool), Fault> {
        let unknown = || Fault::new(code::BAD_NAME, name);
        let (group, process) = name.split_once(':').unwrap_or((name, name));
        let loaded = self.groups.get(group).ok_or_else(unknown)?;
        if matches!(process, "" | "*") {
            return Ok((self.keys_of(group), false));
        }
        if !loaded.processes.contains_key(process) {
            return Err(unknown());
        }
        Ok((vec![Key { group: group.to_owned(), name: process.to_owned() }], true))
    }

    fn one(&self, name: &str) -> Result<Key, Fault> {
        match self.named(name)? {
            (mut keys, true) => keys.pop().ok_or_else(|| Fault::new(code::BAD_NAME, name)),
            (_, false) => Err(Fault::new(code::BAD_NAME, name)),
        }
    }

    /// What a call about one process, one group or all is about.
    fn concerned(&self, method: &str, parameters: &[Value], more: usize) -> Result<(Vec<Key>, bool), Fault> {
        if method.ends_with("AllProcesses") {
            return Ok((self.keys(), false));
        }
        let name = text_of_optional(parameters, more)?;
        if method.ends_with("ProcessGroup") {
            if !self.groups.contains_key(name) {
                return Err(Fault::new(code::BAD_NAME, name));
            }
            return Ok((self.keys_of(name), false));
        }
        self.named(name)
    }

    fn all_info(&self) -> Value {
        let now = self.clock.now();
        Value::Array(
            self.keys_by_name()
                .iter()
                .filter_map(|key| Some(self.process(key)?.info(&key.group, now)))
                .collect(),
        )
    }

    fn one_info(&self, name: &str) -> Result<Value, Fault> {
        let key = self.one(name)?;
        let process = self.process(&key).ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        Ok(process.info(&key.group, self.clock.now()))
    }

    fn call_start(&mut self, method: &str, parameters: &[Value]) -> Result<Handled, Fault> {
        let wait_at = usize::from(!method.ends_with("AllProcesses"));
        let wait = truth_or(parameters, wait_at, true)?;
        let (keys, is_one) = self.concerned(method, parameters, 1)?;
        let (mut waits, mut results) = (Vec::new(), Vec::new());
        for key in keys {
            if !is_one && self.process(&key).is_some_and(|process| process.state.is_running()) {
                continue;
            }
            match self.start_asked(&key, is_one) {
                Ok(()) if wait && self.reached(&key, Goal::Up).is_none() => waits.push((key, Goal::Up)),
                Ok(()) => results.push(outcome(&key, None)),
                Err(fault) if is_one => return Err(fault),
                Err(fault) => results.push(outcome(&key, Some(fault))),
            }
        }
        Ok(later(waits, results, is_one))
    }

    fn start_asked(&mut self, key: &Key, is_one: bool) -> Result<(), Fault> {
        let Some(process) = self.process_mut(key) else {
            return Err(Fault::new(code::BAD_NAME, &key.full()));
        };
        if process.is_builtin() {
            return if is_one { Err(Fault::new(code::ALREADY_STARTED, &key.full())) } else { Ok(()) };
        }
        // Also what cannot be started ought to run: its file may be there at the next start of the machine.
        process.wanted = true;
        // Compatibility: what could not be executed is not tried, and its state does not change.
        if let Err(unfit) = spawn::command_of(&process.settings) {
            self.log.warning(&format!("not starting {}: {}", key.name, unfit.text()));
            return Err(match unfit {
                spawn::Unfit::Absent(text) => Fault::new(code::NO_FILE, &text),
                spawn::Unfit::NotExecutable(text) => Fault::new(code::NOT_EXECUTABLE, &text),
            });
        }
        if process.state.is_running() {
            return Err(Fault::new(code::ALREADY_STARTED, &key.full()));
        }
        if let Some(stopping) = &mut process.stopping {
            stopping.start_again = true;
            return Ok(());
        }
        self.start(key);
        match self.process(key) {
            Some(process) if process.spawn_error.is_some() => Err(Fault::new(code::SPAWN_ERROR, &key.full())),
            _ => Ok(()),
        }
    }

    fn call_stop(&mut self, method: &str, parameters: &[Value]) -> Result<Handled, Fault> {
        let wait_at = usize::from(!method.ends_with("AllProcesses"));
        let wait = truth_or(parameters, wait_at, true)?;
        let (keys, is_one) = self.concerned(method, parameters, 1)?;
        let stopped = self.stop_asked(&keys);
        if let (true, [key], []) = (is_one, keys.as_slice(), stopped.as_slice()) {
            return Err(Fault::new(code::NOT_RUNNING, &key.full()));
        }
        if wait {
            let waits = stopped.into_iter().map(|key| (key, Goal::Down)).collect();
            return Ok(later(waits, Vec::new(), is_one));
        }
        Ok(later(Vec::new(), stopped.iter().map(|key| outcome(key, None)).collect(), is_one))
    }

    /// Stops processes; returns those of which there was something to stop.
    pub(super) fn stop_asked(&mut self, keys: &[Key]) -> Vec<Key> {
        let escaped = if keys.is_empty() { Vec::new() } else { self.escaped() };
        let mut stopped = Vec::new();
        for key in keys {
            let of_it: Vec<_> =
                escaped.iter().filter(|(of, _)| of == key).map(|(_, process)| *process).collect();
            let Some(process) = self.process_mut(key) else { continue };
            if process.is_builtin() {
                continue;
            }
            process.wanted = false;
            let waits_for_restart = process.restart_at.is_some();
            if process.state.is_running()
                || process.stopping.is_some()
                || waits_for_restart
                || !of_it.is_empty()
            {
                stopped.push(key.clone());
                self.stop(key, of_it);
            }
        }
        stopped
    }

    fn call_signal(&mut self, method: &str, parameters: &[Value]) -> Result<Value, Fault> {
        let at = usize::from(!method.ends_with("AllProcesses"));
        let name = text(parameters, at, at + 1)?;
        let signal = signal_number(name).ok_or_else(|| Fault::new(code::BAD_SIGNAL, name))?;
        let (keys, is_one) = self.concerned(method, &parameters[..at], 0)?;
        let mut results = Vec::new();
        for key in keys {
            let running = self.process(&key).filter(|process| {
                matches!(
                    process.state,
                    ProcessState::Running | ProcessState::Starting | ProcessState::Stopping
                )
            });
            match running.and_then(|process| process.pid) {
                Some(pid) => {
                    let sent = signal_process(pid, signal);
                    let fault = sent.err().map(|error| Fault::new(code::FAILED, &error.to_string()));
                    match fault {
                        Some(fault) if is_one => return Err(fault),
                        fault => results.push(outcome(&key, fault)),
                    }
                }
                None if is_one => return Err(Fault::new(code::NOT_RUNNING, &key.full())),
                None => {}
            }
        }
        Ok(if is_one { true.into() } else { Value::Array(results) })
    }

    fn send_stdin(&mut self, name: &str, characters: &str) -> Result<Value, Fault> {
        let key = self.one(name)?;
        let process = self.process(&key).ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        let Some(stdin) = process.stdin.as_ref().filter(|_| process.stopping.is_none()) else {
            return Err(Fault::new(code::NOT_RUNNING, name));
        };
        let written = stdin.try_clone().and_then(|copy| {
            use std::io::Write;
            fs_err::File::from_parts(copy.into(), "standard input").write_all(characters.as_bytes())
        });
        written.map(|()| true.into()).map_err(|_| Fault::new(code::NO_FILE, name))
    }

    fn reload(&mut self) -> Result<Value, Fault> {
        self.read_settings()?;
        let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (name, settings) in &self.settings.groups {
            match self.groups.get(name) {
                None => added.push(name.as_str()),
                Some(group) if group.settings != *settings => changed.push(name.as_str()),
                Some(_) => {}
            }
        }
        removed.extend(
            self.groups.keys().map(String::as_str).filter(|name| !self.settings.groups.contains_key(*name)),
        );
        let lists = [added, changed, removed].map(Value::texts).to_vec();
        // Compatibility: a list in a list, because the reference cannot return three values.
        Ok(Value::Array(vec![Value::Array(lists)]))
    }

    /// Reads the files again; where the daemon itself listens and logs stays as it was.
    pub(super) fn read_settings(&mut self) -> Result<(), Fault> {
        let fresh = Settings::load(&self.file).map_err(|error| {
            let mut reasons = vec![error.to_string()];
            let mut cause = std::error::Error::source(&error);
            while let Some(why) = cause {
                reasons.push(why.to_string());
                cause = why.source();
            }
            Fault::new(code::CANT_REREAD, &reasons.join(": "))
        })?;
        self.settings.groups = fresh.groups;
        Ok(())
    }

    fn add_group(&mut self, name: &str) -> Result<Value, Fault> {
        let settings =
            self.settings.groups.get(name).cloned().ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        if self.groups.contains_key(name) {
            return Err(Fault::new(code::ALREADY_ADDED, name));
        }
        self.load_group(name, settings);
        Ok(true.into())
    }

    fn remove_group(&mut self, name: &str) -> Result<Value, Fault> {
        let group = self.groups.get(name).ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        if group.processes.values().any(|process| !process.is_builtin() && !process.state.is_stopped()) {
            return Err(Fault::new(code::STILL_RUNNING, name));
        }
        self.unload_group(name);
        Ok(true.into())
    }

    fn update_group(&mut self, name: &str) -> Result<Handled, Fault> {
        self.read_settings()?;
        let fresh =
            self.settings.groups.get(name).cloned().ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        let Some(group) = self.groups.get(name) else {
            self.load_group(name, fresh);
            return Ok(Handled::Now(Ok(true.into())));
        };
        let is_kept = |process: &super::Process| {
            fresh
                .programs
                .get(&process.settings.name)
                .is_some_and(|program| process.settings.runs_the_same_as(program))
        };
        let gone = group.processes.iter().filter(|(_, process)| !is_kept(process));
        let gone: Vec<Key> =
            gone.map(|(process, _)| Key { group: name.to_owned(), name: process.clone() }).collect();
        let stopped = self.stop_asked(&gone);
        let waits = stopped.into_iter().map(|key| (key, Goal::Down)).collect();
        Ok(Handled::Later { shape: Shape::Update(name.to_owned(), fresh), waits, results: Vec::new() })
    }

    fn log_path(&self, name: &str, is_error: bool) -> Result<Option<camino::Utf8PathBuf>, Fault> {
        let key = self.one(name)?;
        Ok(self.process(&key).and_then(|process| process.log_path(usize::from(is_error)).cloned()))
    }

    fn clear_log(&mut self, name: &str) -> Result<Value, Fault> {
        let key = self.one(name)?;
        let Some(process) = self.process(&key) else { return Err(Fault::new(code::BAD_NAME, name)) };
        for (output, log) in process.logs.iter().enumerate() {
            let cleared = match (log, process.log_path(output)) {
                (Some(log), _) => log.borrow_mut().clear(),
                (None, Some(path)) => files::remove_if_present(Utf8Path::new(path)),
                (None, None) => Ok(()),
            };
            cleared.map_err(|_| Fault::new(code::FAILED, name))?;
        }
        Ok(true.into())
    }
}

/// What became of one process of a call about several.
pub(super) fn outcome(key: &Key, fault: Option<Fault>) -> Value {
    let (status, description) =
        fault.map_or((code::SUCCESS, "OK".to_owned()), |fault| (fault.code, fault.text));
    let members = [
        ("name", Value::Text(key.name.clone())),
        ("group", Value::Text(key.group.clone())),
        ("status", status.into()),
        ("description", Value::Text(description)),
    ];
    Value::Struct(members.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

fn later(waits: Vec<(Key, Goal)>, results: Vec<Value>, is_one: bool) -> Handled {
    Handled::Later { shape: if is_one { Shape::One } else { Shape::Each }, waits, results }
}

fn daemon_state() -> Value {
    Value::Struct(vec![("statecode".to_owned(), 1.into()), ("statename".to_owned(), "RUNNING".into())])
}

fn incorrect() -> Fault {
    Fault::new(code::INCORRECT_PARAMETERS, "")
}

fn nothing(parameters: &[Value], value: Value) -> Result<Value, Fault> {
    if parameters.is_empty() { Ok(value) } else { Err(incorrect()) }
}

fn text(parameters: &[Value], at: usize, count: usize) -> Result<&str, Fault> {
    if parameters.len() != count {
        return Err(incorrect());
    }
    parameters.get(at).and_then(Value::as_text).ok_or_else(incorrect)
}

/// The first of at least one and at most `1 + more` parameters.
fn text_of_optional(parameters: &[Value], more: usize) -> Result<&str, Fault> {
    if parameters.len() > 1 + more {
        return Err(incorrect());
    }
    parameters.first().and_then(Value::as_text).ok_or_else(incorrect)
}

fn number(parameters: &[Value], at: usize, count: usize) -> Result<i64, Fault> {
    if parameters.len() != count {
        return Err(incorrect());
    }
    parameters.get(at).and_then(Value::as_integer).ok_or_else(incorrect)
}

fn truth_or(parameters: &[Value], at: usize, default: bool) -> Result<bool, Fault> {
    match parameters.get(at) {
        None => Ok(default),
        Some(Value::Boolean(truth)) => Ok(*truth),
        Some(Value::Integer(number)) => Ok(*number != 0),
        Some(_) => Err(incorrect()),
    }
}
