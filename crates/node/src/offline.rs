//! Without a master: what is configured to run is running, and nothing else changes.

use std::io;

use host::files;
use slap::{Partition, RequestedState};

use crate::Node;
use crate::instance;
use crate::intended;
use crate::outcome::{Exit, Outcome, Problem};
use crate::promise::{Check, Mode};
use crate::supervisor::xml_rpc::Value;
use crate::supervisor::{ProcessInfo, ProcessState, Supervisor, SupervisorError};

/// Starts what should run.
pub(crate) fn pass(node: &Node) -> Outcome {
    if let Err(problem) = instance::prepare(node) {
        return Outcome::stopped(Exit::Failed, problem);
    }
    let supervisor = node.supervisor();
    let remembered = intended::remembered(node);
    let partitions = remembered.map(|computer| computer.partitions).unwrap_or_default();
    let started = stop_as_noted(node, &supervisor)
        .and_then(|()| stop_as_remembered(&supervisor, &partitions))
        .and_then(|()| start(&supervisor));
    check_promises(node, &partitions);
    match started {
        Ok(processed) => Outcome { exit: Exit::Offline, problems: Vec::new(), processed },
        Err(error) => {
            let problem = Problem::of("supervisor", &error).with_code("E-supervisor");
            Outcome::stopped(Exit::Failed, problem)
        }
    }
}

/// Stops what the master's last answer wanted stopped, in case the node ended before it was.
fn stop_as_remembered(supervisor: &Supervisor, partitions: &[Partition]) -> Result<(), SupervisorError> {
    for partition in
        partitions.iter().filter(|partition| partition.requested_state != RequestedState::Started)
    {
        if supervisor.layout().group_file(partition.id.as_str()).exists() {
            supervisor.stop(partition.id.as_str())?;
        }
    }
    Ok(())
}

/// Keeps the results of promises fresh: whoever looks at this node sees how it is, not how it was.
fn check_promises(node: &Node, partitions: &[Partition]) {
    for partition in
        partitions.iter().filter(|partition| partition.requested_state == RequestedState::Started)
    {
        let directory = node.configuration.partition_directory(&partition.id);
        let release = partition.release.as_ref().map(|url| node.configuration.release_directory(url));
        // Only what was deployed once is looked at; the rest has nothing to promise yet.
        if !directory.join(".timestamp").exists() {
            continue;
        }
        let check = Check {
            partition: partition.id.as_str(),
            directory: &directory,
            release: release.as_deref(),
            mode: Mode::Anomaly,
            force: false,
            only: None,
        };
        match node.promises.check(&check) {
            Ok(report) => {
                if let Some(text) = report.error_text() {
                    tracing::error!(partition.id = %partition.id, "{text}");
                }
            }
            Err(error) => {
                tracing::warn!(partition.id = %partition.id, %error, "its promises cannot be checked");
            }
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
