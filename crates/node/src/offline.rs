//! Without a master: what is configured to run is running, and nothing else changes.

use std::io;

use host::files;

use crate::Node;
use crate::instance;
use crate::outcome::{Exit, Outcome, Problem};
use crate::supervisor::xml_rpc::Value;
use crate::supervisor::{ProcessInfo, ProcessState, Supervisor, SupervisorError};

/// Starts what should run; `reason` says why the master is not asked.
pub(crate) fn pass(node: &Node, reason: &str) -> Outcome {
    tracing::warn!("The master cannot be reached ({reason}); starting what is configured.");
    if let Err(problem) = instance::prepare(node) {
        return Outcome::stopped(Exit::Failed, problem);
    }
    let supervisor = node.supervisor();
    match stop_as_noted(node, &supervisor).and_then(|()| start(&supervisor)) {
        Ok(processed) => Outcome { exit: Exit::Offline, problems: Vec::new(), processed },
        Err(error) => {
            let problem = Problem::of("supervisor", &error).with_code("E-supervisor");
            Outcome::stopped(Exit::Failed, problem)
        }
    }
}

/// Honours `.requested_state`, which old versions left for this moment; each is used once.
fn stop_as_noted(node: &Node, supervisor: &Supervisor) -> Result<(), SupervisorError> {
    let Ok(entries) = node.configuration.instance_root.read_dir_utf8() else { return Ok(()) };
    for entry in entries.flatten() {
        let note = entry.path().join(".requested_state");
        let taken: io::Result<Option<String>> = files::read_text_if_present(&note)
            .and_then(|text| files::remove_if_present(&note).map(|()| text));
        if let Ok(Some(text)) = taken
            && text.trim() == "stopped"
        {
            supervisor.stop(entry.file_name())?;
        }
    }
    Ok(())
}

/// Starts what is configured and should run but does not; returns how many processes that were.
fn start(supervisor: &Supervisor) -> Result<usize, SupervisorError> {
    let client = supervisor.client();
    let mut started = 0;
    for process in client.processes()?.iter().filter(|process| should_start(process)) {
        let name = process.full_name();
        tracing::info!("Starting {name}");
        // Another starter may have been quicker, and a program that cannot start must not keep the others from it.
        match client.call("supervisor.startProcess", &[Value::Text(name.clone()), Value::Boolean(false)]) {
            Ok(_) => started += 1,
            Err(error) => tracing::warn!(%error, "{name} was not started"),
        }
    }
    Ok(started)
}

/// Whether a process is to be started: one that did what it had to do and ended well is not run again.
fn should_start(process: &ProcessInfo) -> bool {
    match process.state {
        ProcessState::Starting | ProcessState::Running | ProcessState::Stopping | ProcessState::Backoff => {
            false
        }
        ProcessState::Exited => process.name.ends_with("-on-watch") || process.exit_status != 0,
        ProcessState::Stopped | ProcessState::Fatal | ProcessState::Unknown => true,
    }
}
