//! The thread that looks after the partitions: processes what changed, checks promises, destroys what is to go, and
//! without a master keeps running what runs.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use slap::{Computer, Partition, PartitionId, RequestedState};

use super::board::{Board, Master};
use crate::Node;
use crate::configuration::Pace;
use crate::instance::{self, Options, Processed};
use crate::offline;
use crate::outcome::Exit;
use crate::progress::Event;
use crate::report;

/// Between two looks while another pass holds the pid file.
const LOCKED: Duration = Duration::from_secs(1);

/// How long a format may take before partitions are looked at without it.
const REPAIR: Duration = Duration::from_secs(5);

/// How long the promises of a partition that was just started may take to hold.
const GRACE: Duration = Duration::from_secs(10);

/// Keeps until the agent ends.
pub(crate) fn run(node: &Node, board: &Board) {
    let now = node.clock.now();
    let mut keeper =
        Keeper { node, board, next_report: now, next_repair: now, repaired: now, was_offline: false };
    let mut seen = 0;
    let mut next = Next::In(Duration::ZERO);
    loop {
        let now = node.clock.now();
        let deadline = match next {
            Next::In(pause) => now + pause,
            Next::InOrRetry(pause) => {
                let due = now + pause;
                board.state().failed_partitions.next().map_or(due, |retry| retry.clamp(now, due))
            }
        };
        if !board.wait(|state| state.partitions, &mut seen, Some(deadline)) {
            return;
        }
        next = keeper.look();
    }
}

/// When to look again if nothing happens before.
enum Next {
    /// After this time.
    In(Duration),
    /// After this time, or when something that failed is to be tried again.
    InOrRetry(Duration),
}

struct Keeper<'a> {
    node: &'a Node,
    board: &'a Board,
    next_report: Timestamp,
    /// When the machine may be formatted again for the sake of a partition.
    next_repair: Timestamp,
    /// Until when the last such format is waited for.
    repaired: Timestamp,
    was_offline: bool,
}

impl Keeper<'_> {
    fn pace(&self) -> &Pace {
        &self.node.configuration.agent
    }

    /// One look at everything.
    fn look(&mut self) -> Next {
        let (computer, master) = {
            let state = self.board.state();
            (state.computer.clone(), state.master.clone())
        };
        let computer = match (computer, &master) {
            (Some(computer), Master::Here) => computer,
            (_, Master::Away { reason, .. }) => {
                self.without_master(reason);
                return Next::In(self.pace().promises);
            }
            // Refused, or not asked yet: what runs is left alone.
            _ => return Next::In(self.pace().promises),
        };
        self.was_offline = false;
        if self.repair(&computer) {
            return Next::In(REPAIR);
        }
        let options = Options {
            wait_for_releases: true,
            grace: GRACE,
            skip: self.postponed(&computer),
            ..Options::default()
        };
        let skipped = options.skip.clone();
        let processed = match instance::pass_for(self.node, &computer, &options) {
            Ok(processed) => processed,
            Err(outcome) if outcome.exit == Exit::Locked => return Next::In(LOCKED),
            Err(outcome) => {
                for problem in &outcome.problems {
                    tracing::error!("{}", problem.message);
                }
                return Next::In(self.pace().first_retry);
            }
        };
        let master_lost = processed.master_lost;
        self.note(&computer, &skipped, processed);
        if master_lost {
            self.board.poke_watcher();
            return Next::In(self.pace().first_retry);
        }
        self.report(&computer);
        Next::InOrRetry(self.pace().promises)
    }

    /// Starts what is configured when the master went away, and each time after that looks whether it still runs.
    fn without_master(&mut self, reason: &str) {
        if !self.was_offline {
            self.was_offline = true;
            tracing::warn!("Working without the master: {reason}");
        }
        let outcome = offline::pass(self.node);
        for problem in &outcome.problems {
            tracing::error!("{}", problem.message);
        }
    }

    /// The partitions that failed a short time ago with what is still asked of them.
    fn postponed(&self, computer: &Computer) -> Vec<PartitionId> {
        let now = self.node.clock.now();
        let state = self.board.state();
        computer
            .partitions
            .iter()
            .filter(|partition| {
                state.failed_partitions.must_wait(partition.id.as_str(), &request(partition), now)
            })
            .map(|partition| partition.id.clone())
            .collect()
    }

    /// Has the machine formatted before a partition is tried that is not as a format leaves it; `false` when all are,
    /// or a format a short time ago did not help.
    fn repair(&mut self, computer: &Computer) -> bool {
        let now = self.node.clock.now();
        let is_unfit = |partition: &Partition| {
            partition.is_busy()
                && !instance::is_fit(&self.node.configuration.partition_directory(&partition.id))
        };
        if !computer.partitions.iter().any(is_unfit) {
            return false;
        }
        if now >= self.next_repair {
            self.next_repair = now + self.pace().poll;
            self.repaired = now + REPAIR;
            self.board.want_format();
        }
        now < self.repaired
    }

    /// Writes on the board who waits for a release, and tells whoever listens of those who begin to.
    fn tell_waiting(&self, computer: &Computer, waiting: &[PartitionId]) {
        let names = waiting.iter().map(ToString::to_string).collect();
        let before = self.board.change(|state| std::mem::replace(&mut state.waiting, names));
        for partition in computer.partitions.iter().filter(|partition| waiting.contains(&partition.id)) {
            let Some(url) = &partition.release else { continue };
            if !before.iter().any(|name| name == partition.id.as_str()) {
                let partition = partition.id.to_string();
                self.node.tell(Event::PartitionWaiting { partition, url: url.to_string() });
            }
        }
    }

    /// Writes on the board what failed and what does no more.
    fn note(&self, computer: &Computer, skipped: &[PartitionId], processed: Processed) {
        self.tell_waiting(computer, &processed.waiting);
        let now = self.node.clock.now();
        let pace = self.pace();
        self.board.change(|state| {
            state.failed_partitions.keep(|id| {
                computer.partitions.iter().any(|partition| partition.id.as_str() == id && partition.is_busy())
            });
            for partition in &computer.partitions {
                let key = partition.id.as_str();
                let is_tried = partition.requested_state != RequestedState::Destroyed
                    && !skipped.contains(&partition.id);
                if is_tried && processed.outcome.problems.iter().all(|problem| problem.subject != key) {
                    state.failed_partitions.succeeded(key);
                }
            }
            for problem in &processed.outcome.problems {
                let Some(partition) =
                    computer.partitions.iter().find(|partition| partition.id.as_str() == problem.subject)
                else {
                    continue;
                };
                // What a promise complains of is often repaired elsewhere, and nobody tells.
                let longest = if problem.is_promise { pace.promises } else { pace.longest_retry };
                state.failed_partitions.failed(
                    &problem.subject,
                    &request(partition),
                    &problem.message,
                    now,
                    longest,
                );
            }
        });
    }

    /// Destroys what is to be destroyed, and now and then sends what was consumed.
    fn report(&mut self, computer: &Arc<Computer>) {
        let now = self.node.clock.now();
        let is_tried = |partition: &&Partition| {
            partition.requested_state == RequestedState::Destroyed
                && partition.is_busy()
                && !self.board.state().failed_partitions.must_wait(
                    partition.id.as_str(),
                    &request(partition),
                    now,
                )
        };
        let tried: Vec<&Partition> = computer.partitions.iter().filter(is_tried).collect();
        if tried.is_empty() && now < self.next_report {
            return;
        }
        self.next_report = now + self.pace().report;
        let reported = report::pass_for(self.node, computer);
        let longest = self.pace().longest_retry;
        self.board.change(|state| {
            for partition in tried {
                let key = partition.id.as_str();
                if reported.destroyed.contains(&partition.id) {
                    state.failed_partitions.succeeded(key);
                    continue;
                }
                let problem = reported.outcome.problems.iter().find(|problem| problem.subject == key);
                let message =
                    problem.map_or("it is kept for the time being", |problem| problem.message.as_str());
                state.failed_partitions.failed(key, &request(partition), message, now, longest);
            }
        });
        if !reported.destroyed.is_empty() {
            // The partitions are free now, as the master will say.
            self.board.poke_watcher();
        }
    }
}

/// What is asked of a partition: when it changes, an earlier failure means nothing.
fn request(partition: &Partition) -> String {
    let release = partition.release.as_ref().map_or("", |url| url.as_str());
    format!("{} {release} {}", partition.requested_state, partition.timestamp.as_deref().unwrap_or_default())
}
