//! The words of `supervisorctl`, spoken to a supervisor through its socket.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use host::clock::Clock;
use node::supervisor::xml_rpc::Value;
use node::supervisor::xml_rpc::code;
use node::supervisor::{Client, ClientError, DaemonSettings, ProcessInfo, ProcessState, SupervisorError};

use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Exit code of `status` when something asked about does not run.
const NOT_RUNNING: u8 = 3;

/// Exit code of `status` for a name that does not exist.
const UNKNOWN: u8 = 4;

/// How much of a log `tail` shows when it is not told.
const TAIL: i64 = 1600;

const HELP: &str = "actions: status, start, stop, restart, tail, signal, clear, pid, version, reread, update, add, remove, shutdown
names: GROUP:PROCESS, GROUP:*, PROCESS or all";

/// Does what `words` say; without words, what is typed.
pub(crate) fn run(context: &Context<'_>, client: &Client, words: &[String]) -> Result<u8, Failure> {
    if !words.is_empty() {
        return action(context, client, words);
    }
    action(context, client, &["status".to_owned()])?;
    loop {
        context.output.say("supervisor>");
        let mut line = String::new();
        let length = std::io::stdin().lock().read_line(&mut line).unwrap_or(0);
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.first().map(String::as_str) {
            None if length == 0 => return Ok(0),
            Some("quit" | "exit") => return Ok(0),
            None => {}
            Some(_) => {
                if let Err(failure) = action(context, client, &words) {
                    context.output.say(&failure.text());
                }
            }
        }
    }
}

fn action(context: &Context<'_>, client: &Client, words: &[String]) -> Result<u8, Failure> {
    let (action, names) = words.split_first().expect("there is at least one word");
    match action.as_str() {
        "status" => status(context, client, names),
        "start" => each(context, client, names, Verb::Start),
        "stop" => each(context, client, names, Verb::Stop),
        "restart" => {
            each(context, client, names, Verb::Stop)?;
            each(context, client, names, Verb::Start)
        }
        "clear" => each(context, client, names, Verb::Clear),
        "signal" => {
            let (signal, names) = names.split_first().ok_or_else(|| usage("signal SIGNAL NAME"))?;
            for name in names {
                client.call("supervisor.signalProcess", &[name.as_str().into(), signal.as_str().into()])?;
                context.output.answer(&format!("{name}: signalled"));
            }
            Ok(0)
        }
        "tail" => tail(context, client, names),
        "pid" => pid(context, client, names),
        "version" => {
            let version = client.call("supervisor.getSupervisorVersion", &[])?;
            context.output.answer(version.as_text().unwrap_or_default());
            Ok(0)
        }
        "reread" => reread(context, client),
        "update" => update(context, client),
        "add" | "remove" => {
            for name in names {
                let done = if action == "add" { client.add_group(name) } else { client.remove_group(name) };
                done?;
                context.output.answer(&format!(
                    "{name}: {} process group",
                    if action == "add" { "added" } else { "removed" }
                ));
            }
            Ok(0)
        }
        "shutdown" => {
            client.shutdown()?;
            context.output.answer("Shut down");
            Ok(0)
        }
        "help" => {
            context.output.answer(HELP);
            Ok(0)
        }
        other => {
            Err(Failure::new(Kind::Usage, format!("there is no action `{other}`")).hint(HELP).code("E-usage"))
        }
    }
}

fn usage(line: &str) -> Failure {
    Failure::new(Kind::Usage, "a name is missing").hint(format!("supervisorctl {line}")).code("E-usage")
}

fn status(context: &Context<'_>, client: &Client, names: &[String]) -> Result<u8, Failure> {
    let all = client.processes()?;
    let is_all = names.is_empty() || names.iter().any(|name| name == "all");
    let mut shown: Vec<&ProcessInfo> = Vec::new();
    let mut exit = 0;
    for name in names.iter().filter(|_| !is_all) {
        let found: Vec<&ProcessInfo> = all.iter().filter(|process| is_named(process, name)).collect();
        if found.is_empty() {
            context.output.answer(&format!(
                "{name}: ERROR (no such {})",
                if name.ends_with(":*") { "group" } else { "process" }
            ));
            exit = UNKNOWN;
        }
        shown.extend(found);
    }
    if is_all {
        shown = all.iter().collect();
    }
    if context.output.is_json() {
        let list: Vec<serde_json::Value> = shown
            .iter()
            .map(|process| {
                serde_json::json!({
                    "name": process.name, "group": process.group, "state": process.state.name(), "pid": process.pid,
                    "description": process.description, "exit-status": process.exit_status, "start": process.start,
                })
            })
            .collect();
        context.output.json(&serde_json::Value::Array(list));
    } else if !shown.is_empty() {
        context.output.answer(&status_lines(&shown));
    }
    let is_down = shown.iter().any(|process| process.state != ProcessState::Running);
    Ok(if exit == 0 && is_down { NOT_RUNNING } else { exit })
}

fn status_lines(processes: &[&ProcessInfo]) -> String {
    let width = processes.iter().map(|process| process.full_name().len()).max().unwrap_or(0).max(30) + 3;
    processes
        .iter()
        .map(|process| {
            format!("{:<width$}{:<10}{}\n", process.full_name(), process.state.name(), process.description)
        })
        .collect()
}

fn is_named(process: &ProcessInfo, name: &str) -> bool {
    match name.split_once(':') {
        Some((group, "*" | "")) => process.group == group,
        Some((group, process_name)) => process.group == group && process.name == process_name,
        None => process.name == name && process.group == name || process.full_name() == name,
    }
}

/// What is done to each of several processes.
#[derive(Clone, Copy)]
enum Verb {
    Start,
    Stop,
    Clear,
}

impl Verb {
    fn method(self, of: &str) -> String {
        match self {
            Self::Start => format!("supervisor.start{of}"),
            Self::Stop => format!("supervisor.stop{of}"),
            Self::Clear if of == "Process" => "supervisor.clearProcessLogs".to_owned(),
            Self::Clear => "supervisor.clearAllProcessLogs".to_owned(),
        }
    }

    fn past(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Clear => "cleared",
        }
    }
}

fn each(context: &Context<'_>, client: &Client, names: &[String], verb: Verb) -> Result<u8, Failure> {
    if names.is_empty() {
        return Err(usage(&format!("{} NAME", verb.past().trim_end_matches("ed").trim_end_matches('p'))));
    }
    let mut exit = 0;
    for name in names {
        let answer = match name.split_once(':') {
            _ if name == "all" => client.call(&verb.method("AllProcesses"), &[]),
            Some((group, "*" | "")) if !matches!(verb, Verb::Clear) => {
                client.call(&verb.method("ProcessGroup"), &[group.into()])
            }
            _ => client.call(&verb.method("Process"), &[name.as_str().into()]),
        };
        match answer {
            Ok(answer) if answer.elements().is_empty() => {
                context.output.answer(&format!("{name}: {}", verb.past()));
            }
            Ok(answer) => {
                for one in answer.elements() {
                    exit = exit.max(outcome(context, one, verb));
                }
            }
            Err(error) if error.fault_code().is_some() => {
                let reason = reason(error.fault_code().unwrap_or_default());
                context.output.answer(&format!("{name}: ERROR ({reason})"));
                exit = 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit)
}

fn outcome(context: &Context<'_>, answer: &Value, verb: Verb) -> u8 {
    let text = |member: &str| answer.member(member).and_then(Value::as_text).unwrap_or_default().to_owned();
    let (group, name) = (text("group"), text("name"));
    let full = if group == name { name } else { format!("{group}:{name}") };
    match answer.member("status").and_then(Value::as_integer) {
        Some(code::SUCCESS) | None => {
            context.output.answer(&format!("{full}: {}", verb.past()));
            0
        }
        Some(status) => {
            context.output.answer(&format!("{full}: ERROR ({})", reason(status)));
            1
        }
    }
}

fn reason(fault: i64) -> &'static str {
    match fault {
        code::BAD_NAME => "no such process",
        code::NO_FILE => "no such file",
        code::NOT_EXECUTABLE => "file is not executable",
        code::ABNORMAL_TERMINATION => "abnormal termination",
        code::SPAWN_ERROR => "spawn error",
        code::ALREADY_STARTED => "already started",
        code::NOT_RUNNING => "not running",
        _ => "it failed",
    }
}

fn tail(context: &Context<'_>, client: &Client, words: &[String]) -> Result<u8, Failure> {
    let mut length = TAIL;
    let mut is_following = false;
    let mut names = Vec::new();
    for word in words {
        match word.strip_prefix('-') {
            Some("f") => is_following = true,
            Some(number) => {
                length = number.parse().map_err(|_| usage("tail [-f | -BYTES] NAME [stdout|stderr]"))?;
            }
            None => names.push(word.as_str()),
        }
    }
    let name = *names.first().ok_or_else(|| usage("tail [-f | -BYTES] NAME [stdout|stderr]"))?;
    let channel = if names.get(1) == Some(&"stderr") { "Stderr" } else { "Stdout" };
    let method = format!("supervisor.tailProcess{channel}Log");
    let mut offset = 0;
    loop {
        let answer = client.call(&method, &[name.into(), offset.into(), length.into()])?;
        let text = answer.elements().first().and_then(Value::as_text).unwrap_or_default();
        let end = answer.elements().get(1).and_then(Value::as_integer).unwrap_or(0);
        if offset == 0 || end > offset {
            context.output.answer(text);
        }
        if !is_following {
            return Ok(0);
        }
        offset = end;
        context.clock.sleep(Duration::from_secs(1));
    }
}

fn pid(context: &Context<'_>, client: &Client, names: &[String]) -> Result<u8, Failure> {
    if names.is_empty() {
        context.output.answer(&client.pid()?.to_string());
        return Ok(0);
    }
    for process in client.processes()? {
        if names.iter().any(|name| name == "all" || is_named(&process, name)) {
            context.output.answer(&process.pid.to_string());
        }
    }
    Ok(0)
}

fn reread(context: &Context<'_>, client: &Client) -> Result<u8, Failure> {
    let difference = client.reload_configuration()?;
    let mut lines = Vec::new();
    for (names, word) in [
        (&difference.added, "available"),
        (&difference.changed, "changed"),
        (&difference.removed, "disappeared"),
    ] {
        lines.extend(names.iter().map(|name| format!("{name}: {word}")));
    }
    context.output.answer(&if lines.is_empty() {
        "No config updates to processes".to_owned()
    } else {
        lines.join("\n")
    });
    Ok(0)
}

fn update(context: &Context<'_>, client: &Client) -> Result<u8, Failure> {
    let difference = client.reload_configuration()?;
    for group in difference.removed.iter().chain(&difference.changed) {
        client.stop_group(group)?;
        client.remove_group(group)?;
        context.output.answer(&format!("{group}: removed process group"));
    }
    for group in difference.added.iter().chain(&difference.changed) {
        client.add_group(group)?;
        context.output.answer(&format!("{group}: added process group"));
    }
    Ok(0)
}

/// Runs the supervisor of a configuration file in this process.
pub(crate) fn run_daemon(context: &Context<'_>, configuration: Utf8PathBuf) -> Result<u8, Failure> {
    let settings = DaemonSettings { configuration, clock: Arc::new(context.clock) };
    node::supervisor::run(&settings).map_err(|error| {
        Failure::of(Kind::Failed, &error).hint("look at its configuration").code("E-supervisor")
    })?;
    Ok(0)
}

impl From<SupervisorError> for Failure {
    fn from(error: SupervisorError) -> Self {
        Self::of(Kind::Failed, &error).hint("look at its log, var/log/supervisord.log").code("E-supervisor")
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let kind =
            if matches!(error, ClientError::Unreachable { .. }) { Kind::Unreachable } else { Kind::Failed };
        Self::of(kind, &error).hint("slapos node supervisord starts a supervisor").code("E-supervisor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(group: &str, name: &str) -> ProcessInfo {
        ProcessInfo {
            name: name.to_owned(),
            group: group.to_owned(),
            start: 1,
            stop: 0,
            now: 2,
            state: ProcessState::Running,
            spawn_error: String::new(),
            exit_status: 0,
            pid: 7,
            stdout_log: String::new(),
            stderr_log: String::new(),
            description: "pid 7, uptime 0:00:01".to_owned(),
        }
    }

    #[test]
    fn names_select_one_process_or_a_group() {
        let process = process("slappart0", "web-on-watch");

        assert!(is_named(&process, "slappart0:web-on-watch"));
        assert!(is_named(&process, "slappart0:*"));
        assert!(!is_named(&process, "slappart0:db"));
        assert!(!is_named(&process, "slappart01:*"));
    }

    #[test]
    fn status_is_one_padded_line_for_each_process() {
        let (one, other) = (process("slappart0", "web-on-watch"), process("x", "x"));

        insta::assert_snapshot!(status_lines(&[&one, &other]), @"
        slappart0:web-on-watch           RUNNING   pid 7, uptime 0:00:01
        x                                RUNNING   pid 7, uptime 0:00:01
        ");
    }
}
