//! The promise pass: every promise of every started instance is checked, and nothing else happens. Nothing is sent to
//! the master, so a master that is away does not matter as long as its last answer is known.

use slap::{Computer, Partition, PartitionId, RequestedState};

use super::{Check, Mode};
use crate::Node;
use crate::instance::check_selection;
use crate::intended;
use crate::outcome::{Exit, Outcome, Problem};
use crate::pid_file::PidFile;
use crate::progress::Event;

/// Checks the promises of the started partitions, or of those in `only` when it names any.
#[must_use]
pub fn pass(node: &Node, only: &[PartitionId]) -> Outcome {
    let _pid_file = match PidFile::take(&node.configuration.pid_files.instance) {
        Ok(file) => file,
        Err(error) => return error.into(),
    };
    let computer = match intended::fetch(node) {
        Ok(computer) => computer,
        Err(error) => match intended::remembered(node).filter(|_| intended::is_away(&error)) {
            Some(computer) => computer,
            None => return Outcome::stopped(Exit::Failed, intended::problem(node, &error)),
        },
    };
    if let Err(problem) = check_selection(&computer.partitions, only) {
        return Outcome::stopped(Exit::Failed, problem);
    }
    tracing::info!("Processing promises...");
    let outcome = check_all(node, &computer, only);
    tracing::info!("Finished promises.");
    outcome
}

fn check_all(node: &Node, computer: &Computer, only: &[PartitionId]) -> Outcome {
    let is_concerned = |partition: &&Partition| {
        partition.requested_state == RequestedState::Started
            && partition.is_busy()
            && (only.is_empty() || only.contains(&partition.id))
            && node.configuration.partition_directory(&partition.id).is_dir()
    };
    let mut checked = 0;
    let mut problems = Vec::new();
    for partition in computer.partitions.iter().filter(is_concerned) {
        checked += 1;
        if let Err(message) = check(node, partition) {
            tracing::error!(partition.id = %partition.id, "{message}");
            let directory = node.configuration.partition_directory(&partition.id);
            let mut problem = Problem::new(partition.id.as_str(), message)
                .with_code("E-promise-failed")
                .with_hint(format!("its log is in {directory}/.slapgrid/promise/log"));
            problem.software_type = partition.software_type.as_ref().map(|kind| kind.as_str().into());
            // Whatever keeps a promise from being checked counts as its failure.
            problem.is_promise = true;
            problems.push(problem);
        }
    }
    Outcome::of(problems, checked)
}

fn check(node: &Node, partition: &Partition) -> Result<(), String> {
    let directory = node.configuration.partition_directory(&partition.id);
    let release = partition.release.as_ref().map(|url| node.configuration.release_directory(url));
    let check = Check {
        partition: partition.id.as_str(),
        directory: &directory,
        release: release.as_deref(),
        mode: Mode::Test,
        force: true,
        only: None,
    };
    let report = node.promises.check(&check).map_err(|error| error.to_string())?;
    for result in &report.checked {
        node.tell(Event::PromiseChecked {
            partition: partition.id.to_string(),
            promise: result.name.clone(),
            failed: result.failed,
            message: result.message.clone(),
        });
    }
    report.error_text().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::new("exit 1");
        let url = trial.release("web");
        trial.wants_partitions(vec![
            trial.partition("slappart0", RequestedState::Started, &url),
            trial.partition("slappart1", RequestedState::Stopped, &url),
            trial.partition("slappart2", RequestedState::Started, &url),
        ]);
        trial
    }

    #[test]
    fn started_partitions_are_checked_and_the_master_is_told_nothing() {
        let trial = trial();

        assert_eq!(pass(&trial.node, &[]).exit.code(), 0);
        assert_eq!(trial.promises.checks(), ["slappart0 Test forced", "slappart2 Test forced"]);
        trial.promises.fail("slappart2", "no answer");
        let outcome = pass(&trial.node, &["slappart2".parse().unwrap()]);

        assert_eq!(outcome.exit.code(), 2);
        assert_eq!(trial.promises.checks(), ["slappart2 Test forced"]);
        assert_eq!(trial.master.told(), Vec::<String>::new());
    }

    #[test]
    fn the_last_answer_of_a_master_that_is_away_is_good_enough() {
        let trial = trial();
        assert_eq!(pass(&trial.node, &[]).exit.code(), 0);
        let _ = trial.promises.checks();
        trial.master.answers("getFullComputerInformation", 503);

        assert_eq!(pass(&trial.node, &[]).exit.code(), 0);

        assert_eq!(trial.promises.checks().len(), 2);
    }
}
