//! The agent: the passes of one node, run when something changed or is due instead of by the minute.
//!
//! Nothing is remembered outside the disk, the master and the process table: an agent that is killed at any instant is
//! replaced by the next, which looks and goes on. Three threads share one board: the watcher keeps what the master
//! wants on it, the builder installs releases, the keeper looks after the partitions. Each stays for the life of the
//! agent, because the kernel kills a build together with the thread that started it.

mod board;
mod builder;
mod keeper;
mod retries;
mod socket;
mod status;
mod watcher;

use std::sync::Arc;
use std::time::{Duration, Instant};

use host::signals::Interruptions;

use crate::Node;
use crate::build::{end_orphans, end_own};
use crate::format::{self, Definition};
use crate::instance;
use crate::outcome::{Exit, Outcome, Problem};
use crate::pid_file::PidFile;
use crate::progress::Event;

use board::Board;
pub use socket::{AgentError, poke, status};
pub use status::{Attempt, MasterStatus, Status};

/// What a person asks of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The machine as somebody wrote it down: the content of `input_definition_file`.
    pub definition: Option<Definition>,
    /// Leaves the machine as it is formatted.
    pub skip_format: bool,
}

/// How long the threads may take to notice that they should end, after their children were killed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two looks at whether a format is due.
const STEP: Duration = Duration::from_millis(500);

/// Runs until it is told to end by a signal. To be called while the process has one thread.
#[must_use]
pub fn run(node: &Node, options: &Options) -> Outcome {
    let interruptions = match Interruptions::catch() {
        Ok(interruptions) => interruptions,
        Err(source) => {
            return Outcome::stopped(Exit::Failed, Problem::of("node agent", &source).with_code("E-agent"));
        }
    };
    let run = node.configuration.run_directory();
    if let Err(source) = node.configuration.make_state_directories() {
        let problem = Problem::of(run.as_str(), &source).with_code("E-directory-unwritable").with_hint(
            format!("make {} writable for the user that runs this node", node.configuration.instance_root),
        );
        return Outcome::stopped(Exit::Failed, problem);
    }
    let _pid_file = match PidFile::take(&run.join("slapos-agent.pid")) {
        Ok(file) => file,
        Err(error) => return error.into(),
    };
    node.tell(Event::AgentStarted { pid: std::process::id() });
    tracing::info!("The agent of {} begins.", node.configuration.computer_id);
    let outcome = work(node, options, &interruptions);
    node.tell(Event::AgentStopped);
    outcome
}

fn work(node: &Node, options: &Options, interruptions: &Interruptions) -> Outcome {
    let board = Arc::new(Board::new(Arc::clone(&node.clock), &node.configuration.agent));
    if let Err(error) = socket::serve(node, &board) {
        // Poking is a convenience; the agent finds out by itself, later.
        tracing::warn!(%error, "the agent cannot be poked");
    }
    for root in [&node.configuration.software_root, &node.configuration.instance_root] {
        end_orphans(root);
    }
    // What runs must run, whether or not the master answers.
    if let Err(problem) = instance::prepare(node) {
        return Outcome::stopped(Exit::Failed, problem);
    }
    let mut formatter = Formatter { node, options, next: None, next_wanted: None };
    formatter.look(&board);
    let threads = [
        spawn("watcher", node, &board, watcher::run),
        spawn("builder", node, &board, builder::run),
        spawn("keeper", node, &board, keeper::run),
    ];
    loop {
        match interruptions.wait(STEP) {
            Ok(false) => {
                formatter.look(&board);
                look_after_supervisor(node);
            }
            Ok(true) => break,
            Err(error) => {
                tracing::error!(%error, "the agent cannot wait for signals");
                break;
            }
        }
        // A thread ends only by a mistake of ours; a new agent is better than a part of one.
        if threads.iter().any(std::thread::JoinHandle::is_finished) {
            board.stop();
            end_builds(node);
            let problem = Problem::new("node agent", "a part of the agent ended unexpectedly")
                .with_code("E-agent")
                .with_hint("look at its log, and start it again: it goes on where it was");
            return Outcome::stopped(Exit::Failed, problem);
        }
    }
    tracing::info!("The agent ends; services go on.");
    board.stop();
    end_builds(node);
    let deadline = Instant::now() + PATIENCE;
    // The watcher may wait for the master; it holds nothing and ends with the process.
    while Instant::now() < deadline && threads[1..].iter().any(|thread| !thread.is_finished()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    Outcome::success()
}

/// Starts a supervisor in the place of one that was killed; it starts what ought to run.
fn look_after_supervisor(node: &Node) {
    if !node.configuration.launch_supervisor || node.supervisor().is_alive() {
        return;
    }
    tracing::warn!("the supervisor is gone: starting another");
    if let Err(problem) = instance::prepare(node) {
        tracing::error!("{}", problem.message);
    }
}

fn end_builds(node: &Node) {
    host::process::kill_followed_children();
    for root in [&node.configuration.software_root, &node.configuration.instance_root] {
        end_own(root);
    }
}

fn spawn(name: &str, node: &Node, board: &Arc<Board>, run: fn(&Node, &Board)) -> std::thread::JoinHandle<()> {
    let (node, board) = (node.clone(), Arc::clone(board));
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || run(&node, &board))
        .expect("the system has room for three threads")
}

/// Formats the machine at the beginning, each hour, and when something is found not to be as a format leaves it.
struct Formatter<'a> {
    node: &'a Node,
    options: &'a Options,
    next: Option<jiff::Timestamp>,
    next_wanted: Option<jiff::Timestamp>,
}

impl Formatter<'_> {
    fn look(&mut self, board: &Board) {
        let now = self.node.clock.now();
        // A format that does not help is not repeated at once.
        let is_wanted = self.next_wanted.is_none_or(|next| next <= now) && board.take_format_wanted();
        if self.options.skip_format || !(is_wanted || self.next.is_none_or(|next| next <= now)) {
            return;
        }
        let options = format::Options { dry_run: false, definition: self.options.definition.clone() };
        let formatted = format::pass(self.node, &options);
        let pace = &self.node.configuration.agent;
        let wait = match formatted.outcome.exit {
            Exit::Success => pace.format,
            // The master may be about to start.
            Exit::MasterNotTold => pace.first_retry.min(Duration::from_secs(1)),
            _ => pace.poll,
        };
        for problem in &formatted.outcome.problems {
            tracing::error!("{}", problem.message);
        }
        self.next = Some(now + wait);
        if is_wanted {
            self.next_wanted = Some(now + pace.poll);
        }
        if formatted.outcome.exit != Exit::Success {
            return;
        }
        board.poke_watcher();
        if is_wanted {
            // Whatever waited for it is tried at once.
            board.poke();
        }
    }
}

#[cfg(test)]
mod tests;
