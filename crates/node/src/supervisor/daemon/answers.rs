//! Answers that wait until processes have come up or gone down.

use tokio::sync::oneshot;

use super::super::client::ProcessState;
use super::super::settings::GroupSettings;
use super::super::xml_rpc::{Fault, Value, code};
use super::calls::{Answer, outcome};
use super::{Daemon, Key};

/// Where a process is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    Up,
    Down,
}

/// What the answer looks like, and what is to be done before it is given.
pub(super) enum Shape {
    /// Of the only process: true, or a fault.
    One,
    /// Of each process: what became of it.
    Each,
    /// True, when the group of that name has become this.
    Update(String, GroupSettings),
}

/// A call whose answer waits.
pub(super) struct Pending {
    pub(super) shape: Shape,
    pub(super) waits: Vec<(Key, Goal)>,
    pub(super) results: Vec<Value>,
    pub(super) reply: oneshot::Sender<Answer>,
}

impl Daemon {
    /// Answers the calls that have waited for long enough.
    pub(super) fn resolve_pending(&mut self) {
        for mut pending in std::mem::take(&mut self.pending) {
            let mut failure = None;
            let mut waits = Vec::new();
            for (key, goal) in std::mem::take(&mut pending.waits) {
                match self.reached(&key, goal) {
                    None => waits.push((key, goal)),
                    Some(fault) => {
                        pending.results.push(outcome(&key, fault.clone()));
                        failure = failure.or(fault);
                    }
                }
            }
            if !waits.is_empty() {
                self.pending.push(Pending { waits, ..pending });
                continue;
            }
            let answer = match (pending.shape, failure) {
                (Shape::One, Some(fault)) => Err(fault),
                (Shape::One, None) => Ok(true.into()),
                (Shape::Each, _) => Ok(Value::Array(pending.results)),
                (Shape::Update(group, settings), _) => {
                    self.replace_group(&group, settings);
                    self.remember();
                    Ok(true.into())
                }
            };
            // The client may have gone; what it asked for is done all the same.
            let _ = pending.reply.send(answer);
        }
    }

    /// Whether a process is where it is to go (`Some(None)`), cannot get there, or is on its way (`None`).
    pub(super) fn reached(&self, key: &Key, goal: Goal) -> Option<Option<Fault>> {
        let Some(process) = self.process(key) else { return Some(None) };
        match (goal, process.state) {
            (Goal::Down, state) => state.is_stopped().then_some(None),
            (Goal::Up, ProcessState::Running) => Some(None),
            (Goal::Up, ProcessState::Starting | ProcessState::Stopping) => None,
            (Goal::Up, _) if process.spawn_error.is_some() => {
                Some(Some(Fault::new(code::SPAWN_ERROR, &key.full())))
            }
            (Goal::Up, _) => Some(Some(Fault::new(code::ABNORMAL_TERMINATION, &key.full()))),
        }
    }
}
