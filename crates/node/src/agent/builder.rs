//! The thread that installs and removes releases, one after the other.

use std::sync::Arc;
use std::time::Duration;

use slap::{Computer, Release, SoftwareState};

use super::board::Board;
use crate::Node;
use crate::outcome::Exit;
use crate::software::{self, Options};

/// Between two looks while another pass holds the pid file.
const LOCKED: Duration = Duration::from_secs(1);

/// Builds until the agent ends.
pub(crate) fn run(node: &Node, board: &Board) {
    let mut seen = 0;
    let mut locked = false;
    loop {
        let now = node.clock.now();
        let retry = board.state().failed_releases.next();
        let deadline = if locked { Some(now + LOCKED) } else { retry };
        if !board.wait(|state| state.releases, &mut seen, deadline) {
            return;
        }
        locked = false;
        let Some(computer) = board.state().computer.clone() else { continue };
        board.change(|state| {
            state
                .failed_releases
                .keep(|url| computer.releases.iter().any(|release| release.url.as_str() == url));
        });
        for release in &computer.releases {
            if board.is_stopping() {
                return;
            }
            locked |= !one(node, board, &computer, release);
        }
    }
}

/// Does what is to be done for one release; `false` when another pass does it.
fn one(node: &Node, board: &Board, computer: &Computer, release: &Release) -> bool {
    let key = release.url.as_str();
    if release.state == SoftwareState::Available && software::is_available(node, &release.url) {
        board.change(|state| state.failed_releases.succeeded(key));
        return true;
    }
    let request = request(release);
    if board.state().failed_releases.must_wait(key, &request, node.clock.now()) {
        return true;
    }
    let alone = Arc::new(Computer {
        id: computer.id.clone(),
        releases: vec![release.clone()],
        partitions: Vec::new(),
    });
    board.change(|state| state.building = Some(key.to_owned()));
    let outcome = software::pass_for(node, &alone, &Options::default());
    let now = node.clock.now();
    let longest = node.configuration.agent.longest_retry;
    board.change(|state| {
        state.building = None;
        match (outcome.exit, outcome.problems.first()) {
            (Exit::Success, _) => {
                state.failed_releases.succeeded(key);
                // Instances may have waited for it.
                state.partitions += 1;
            }
            (Exit::Locked, _) => {}
            (_, problem) => {
                let message = problem.map_or("it failed", |problem| problem.message.as_str());
                state.failed_releases.failed(key, &request, message, now, longest);
            }
        }
    });
    outcome.exit != Exit::Locked
}

/// What is asked of a release: with the time of its profile when that is a file, because a person who corrects it does
/// not ask again.
fn request(release: &Release) -> String {
    let modified = fs_err::metadata(release.url.as_str()).and_then(|metadata| metadata.modified()).ok();
    format!("{} {modified:?}", release.state)
}
