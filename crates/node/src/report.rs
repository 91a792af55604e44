//! The report pass: what instances consumed is sent, and what was asked to be destroyed is.

mod destroy;
mod retention;
mod usage;

use std::sync::Arc;

use slap::client::ClientError;
use slap::{Computer, Partition, PartitionId, RequestedState};

use crate::Node;
use crate::instance::{InstanceError, prepare};
use crate::intended;
use crate::outcome::{Exit, Outcome, Problem, with_causes};
use crate::pid_file::PidFile;
use crate::progress::Event;

/// Fetches what the master wants, sends what was consumed and destroys what is to be destroyed.
#[must_use]
pub fn pass(node: &Node) -> Outcome {
    alone(node, || intended::fetch(node).map(Arc::new)).outcome
}

/// As [`pass`], for an answer of the master that is known already.
pub(crate) fn pass_for(node: &Node, computer: &Arc<Computer>) -> Reported {
    alone(node, || Ok(Arc::clone(computer)))
}

/// How a report pass ended.
pub(crate) struct Reported {
    /// The outcome for the shell.
    pub(crate) outcome: Outcome,
    /// Partitions whose instance is destroyed.
    pub(crate) destroyed: Vec<PartitionId>,
}

fn alone(node: &Node, wanted: impl FnOnce() -> Result<Arc<Computer>, ClientError>) -> Reported {
    let refused = |outcome| Reported { outcome, destroyed: Vec::new() };
    let _pid_file = match PidFile::take(&node.configuration.pid_files.report) {
        Ok(file) => file,
        Err(error) => return refused(error.into()),
    };
    if let Err(problem) = prepare(node) {
        return refused(Outcome::stopped(Exit::Failed, problem));
    }
    match wanted() {
        Ok(computer) => process(node, &computer),
        Err(error) => refused(Outcome::stopped(Exit::Failed, intended::problem(node, &error))),
    }
}

fn process(node: &Node, computer: &Computer) -> Reported {
    let is_present = |partition: &&Partition| {
        partition.is_busy() && node.configuration.partition_directory(&partition.id).is_dir()
    };
    let present: Vec<&Partition> = computer.partitions.iter().filter(is_present).collect();
    let mut problems = usage::run_scripts(node, &present);
    let unsent = usage::send(node, &present, &mut problems);
    let mut destroyed = Vec::new();
    for partition in present.iter().filter(|partition| partition.requested_state == RequestedState::Destroyed)
    {
        // Usage that could not be sent would be lost with the partition.
        if unsent.contains(&partition.id) {
            continue;
        }
        match destroy::destroy(node, partition) {
            Ok(true) => {
                node.tell(Event::PartitionDestroyed { partition: partition.id.to_string() });
                destroyed.push(partition.id.clone());
            }
            Ok(false) => {}
            Err(error) => problems.push(problem(node, partition, &error)),
        }
    }
    Reported { outcome: Outcome::of(problems, destroyed.len()), destroyed }
}

/// Tells the log and the master of a partition that could not be destroyed.
fn problem(node: &Node, partition: &Partition, error: &InstanceError) -> Problem {
    let mut problem = Problem::of(partition.id.as_str(), error).with_code(error.code());
    problem.hint = error.hint();
    problem.software_type = partition.software_type.as_ref().map(|kind| kind.as_str().into());
    tracing::error!(partition.id = %partition.id, "{}", problem.message);
    let told = node.client.instance_error(&node.configuration.computer_id, &partition.id, &problem.message);
    if let Err(error) = told {
        tracing::warn!(partition.id = %partition.id, "the master was not told: {}", with_causes(&error));
    }
    problem
}

#[cfg(test)]
mod tests;
