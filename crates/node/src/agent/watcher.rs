//! The thread that keeps what the master wants on the board: told by a master that watches, asking one that does not.

use std::time::Duration;

use slap::client::ClientError;

use super::board::{Board, Master};
use crate::Node;
use crate::intended;
use crate::outcome::with_causes;
use crate::progress::Event;

/// Shortest wait before a master that is away is asked again; doubled up to the interval of polling.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Watches until the agent ends.
pub(crate) fn run(node: &Node, board: &Board) {
    let pace = node.configuration.agent.clone();
    let mut watcher = Watcher { node, board, token: None, wait: FIRST_WAIT };
    let mut seen = 0;
    loop {
        let pause = match watcher.turn() {
            Turn::Again => Duration::ZERO,
            Turn::Poll => pace.poll,
            Turn::Away => watcher.wait.min(pace.poll),
        };
        if !board.wait(|state| state.questions, &mut seen, Some(node.clock.now() + pause)) {
            return;
        }
    }
}

struct Watcher<'a> {
    node: &'a Node,
    board: &'a Board,
    /// What the master gave at the last change.
    token: Option<String>,
    wait: Duration,
}

/// What to do after one question.
enum Turn {
    /// Ask the next at once: the master waits for us.
    Again,
    /// The master does not watch.
    Poll,
    /// The master is away, or refuses.
    Away,
}

impl Watcher<'_> {
    fn turn(&mut self) -> Turn {
        let configuration = &self.node.configuration;
        let watched = self.node.client.watch(
            &configuration.computer_id,
            self.token.as_deref(),
            configuration.agent.watch,
        );
        let watches = match watched {
            Ok(Some(token)) => {
                self.token = Some(token);
                true
            }
            Ok(None) => {
                self.here();
                return Turn::Again;
            }
            // Either the master cannot watch, or it does not know the computer; the answer to the next question tells.
            Err(ClientError::NotFound { .. }) => false,
            Err(error) => return self.failed(&error),
        };
        match intended::fetch(self.node) {
            Ok(computer) => {
                self.here();
                if self.board.set_computer(computer) {
                    tracing::debug!("what the master wants changed");
                }
                if watches { Turn::Again } else { Turn::Poll }
            }
            Err(error) => {
                self.token = None;
                self.failed(&error)
            }
        }
    }

    fn here(&mut self) {
        self.wait = FIRST_WAIT;
        let before = self.board.change(|state| std::mem::replace(&mut state.master, Master::Here));
        if matches!(before, Master::Away { .. }) {
            tracing::info!("The master answers again.");
            self.node.tell(Event::MasterFound);
            // Reports that were lost are made up for.
            self.board.change(|state| {
                state.releases += 1;
                state.partitions += 1;
            });
        }
    }

    fn failed(&mut self, error: &ClientError) -> Turn {
        let reason = with_causes(error);
        self.token = None;
        self.wait = self.wait.saturating_mul(2);
        if intended::is_unknown(error) {
            self.board.want_format();
        }
        let now = self.node.clock.now();
        let is_away = intended::is_away(error);
        let is_new = self.board.change(|state| {
            let is_new = matches!(state.master, Master::Here | Master::Unasked);
            state.master = match (&state.master, is_away) {
                (Master::Away { since, .. }, true) => Master::Away { reason: reason.clone(), since: *since },
                (_, true) => Master::Away { reason: reason.clone(), since: now },
                (_, false) => Master::Refuses { reason: reason.clone() },
            };
            if state.computer.is_none() && is_away {
                // The last answer is better than none: what it wants stopped stays stopped.
                state.partitions += 1;
            }
            is_new
        });
        if is_new {
            tracing::warn!("The master cannot be asked: {reason}");
            if is_away {
                self.node.tell(Event::MasterLost { reason });
            }
        }
        Turn::Away
    }
}
