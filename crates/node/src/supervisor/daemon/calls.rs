//! What clients may ask of the daemon, by method.

mod groups;
mod logs;
mod parameters;
mod processes;

use tokio::sync::oneshot;

use self::parameters::{nothing, text, text_of_optional};
use super::super::xml_rpc::{Fault, Value, code};
use super::answers::{Goal, Pending, Shape};
use super::{Daemon, Key, Mood};

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
