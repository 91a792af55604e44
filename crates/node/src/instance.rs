//! The instance pass: every partition is brought into the state that the master wants.
//!
//! A partition whose timestamp and period say that nothing changed costs a look at its promises' due times and no
//! process. Partitions are processed a few at a time, each by one thread from beginning to end; nothing that happens to
//! one stops the others, except the loss of the master.

pub(crate) mod certificate;
mod error;
mod install;
mod log;
mod partition;
mod plan;
mod profile;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use slap::client::ClientError;
use slap::{Computer, Partition, PartitionId};

use crate::Node;
use crate::intended;
use crate::offline;
use crate::outcome::{Exit, Outcome, Problem, with_causes};
use crate::pid_file::PidFile;
use crate::supervisor::SupervisorError;

pub use error::InstanceError;
pub(crate) use install::is_fit;
pub use plan::Options;
pub(crate) use plan::check_selection;

/// How a pass over the partitions ended.
#[derive(Debug)]
pub(crate) struct Processed {
    /// The outcome for the shell.
    pub(crate) outcome: Outcome,
    /// Partitions on which something was done, failed attempts included.
    pub(crate) partitions: Vec<PartitionId>,
    /// Partitions that wait for their release.
    pub(crate) waiting: Vec<PartitionId>,
    /// Whether the master was lost on the way; the rest of the partitions was left as it is.
    pub(crate) master_lost: bool,
}

/// Fetches what the master wants and makes it so, unless another instance pass does. Without a master, what is
/// configured is started.
#[must_use]
pub fn pass(node: &Node, options: &Options) -> Outcome {
    tracing::info!("Processing computer partitions...");
    let stopped_or_processed = alone(node, options, || intended::fetch(node).map(Arc::new));
    tracing::info!("Finished computer partitions.");
    tracing::info!("{}", "=".repeat(80));
    match stopped_or_processed {
        Ok(processed) if processed.master_lost => {
            tracing::warn!(
                "The master was lost while partitions were processed; starting what is configured."
            );
            offline::pass(node)
        }
        Ok(processed) => processed.outcome,
        Err(Stopped::MasterAway(reason)) => {
            tracing::warn!("The master cannot be reached ({reason}); starting what is configured.");
            offline::pass(node)
        }
        Err(Stopped::Refused(outcome)) => outcome,
    }
}

/// As [`pass`], for an answer of the master that is known already.
///
/// # Errors
/// The pass did not begin.
pub(crate) fn pass_for(
    node: &Node,
    computer: &Arc<Computer>,
    options: &Options,
) -> Result<Processed, Outcome> {
    alone(node, options, || Ok(Arc::clone(computer))).map_err(|stopped| match stopped {
        Stopped::MasterAway(_) => unreachable!("the master is not asked"),
        Stopped::Refused(outcome) => outcome,
    })
}

/// Why a pass did not begin.
enum Stopped {
    MasterAway(String),
    Refused(Outcome),
}

fn alone(
    node: &Node,
    options: &Options,
    wanted: impl FnOnce() -> Result<Arc<Computer>, ClientError>,
) -> Result<Processed, Stopped> {
    let _pid_file = PidFile::take(&node.configuration.pid_files.instance)
        .map_err(|error| Stopped::Refused(error.into()))?;
    let refused = |problem| Stopped::Refused(Outcome::stopped(Exit::Failed, problem));
    prepare(node).map_err(refused)?;
    let computer = wanted().map_err(|error| {
        if intended::is_away(&error) {
            Stopped::MasterAway(with_causes(&error))
        } else {
            refused(intended::problem(node, &error))
        }
    })?;
    check_selection(&computer.partitions, &options.only).map_err(refused)?;
    Ok(process(node, &computer, options))
}

/// Writes the supervisor's configuration and makes sure that it runs.
///
/// # Errors
/// What a person is told: the instance root is missing or cannot be written, or the supervisor does not start.
pub(crate) fn prepare(node: &Node) -> Result<(), Problem> {
    let root = &node.configuration.instance_root;
    if let Err(source) = fs_err::read_dir(root) {
        let error = InstanceError::File { what: "read", path: root.clone(), source };
        return Err(Problem::of(root.as_str(), &error)
            .with_code("E-directory-missing")
            .with_hint(format!("make it: slapos node format, or correct instance_root = {root}")));
    }
    let supervisor = node.supervisor();
    let ready =
        supervisor.write_configuration(Some(&node.watchdog())).and_then(|_| supervisor.ensure_running());
    ready.map(drop).map_err(|error| {
        let code = match &error {
            SupervisorError::Configuration { .. } => "E-directory-unwritable",
            _ => "E-supervisor",
        };
        Problem::of(root.as_str(), &error)
            .with_code(code)
            .with_hint(format!("look at {root}/var/log, and at who owns {root}"))
    })
}

/// Brings the partitions of this machine into the states that `computer` wants.
fn process(node: &Node, computer: &Computer, options: &Options) -> Processed {
    let pass = partition::Pass { node, options, supervisor: node.supervisor() };
    let workers = if options.debug { 1 } else { node.configuration.concurrency.max(1) };
    let results = in_parallel(&computer.partitions, workers, |partition| pass.run(partition));
    let mut processed = Processed {
        outcome: Outcome::success(),
        partitions: Vec::new(),
        waiting: Vec::new(),
        master_lost: false,
    };
    let mut problems = Vec::new();
    for (partition, result) in computer.partitions.iter().zip(results) {
        // Not begun because the master was lost before.
        let Some(result) = result else { continue };
        if result.processed {
            processed.partitions.push(partition.id.clone());
        }
        if result.waits {
            processed.waiting.push(partition.id.clone());
        }
        processed.master_lost |= result.master_away;
        problems.extend(result.problem);
    }
    processed.outcome = Outcome::of(problems, processed.partitions.len());
    processed
}

/// Gives each partition to one of `workers` threads, in order; stops giving when one of them lost the master.
fn in_parallel(
    partitions: &[Partition],
    workers: usize,
    run: impl Fn(&Partition) -> partition::Result + Sync,
) -> Vec<Option<partition::Result>> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let results: Vec<Mutex<Option<partition::Result>>> =
        partitions.iter().map(|_| Mutex::new(None)).collect();
    // A build is killed by the kernel when the thread that started it ends, so each thread stays until its partition
    // is done.
    std::thread::scope(|scope| {
        for _ in 0..workers.min(partitions.len()) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(partition) = partitions.get(index) else { return };
                    let result = run(partition);
                    if result.master_away {
                        stop.store(true, Ordering::Relaxed);
                    }
                    *results[index].lock().expect("no holder of this lock panics") = Some(result);
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().expect("no holder of this lock panics")).collect()
}

#[cfg(test)]
mod tests;
