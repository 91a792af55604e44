//! What the threads of an agent share: what the master wants, what waits, and that it is time to look again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use host::clock::Clock;
use jiff::Timestamp;
use slap::Computer;

use super::retries::Retries;
use super::status::{Attempt, MasterStatus, Status};
use crate::configuration::Pace;

/// The board. A thread waits on it until something about its own work changed.
pub(crate) struct Board {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Condvar,
}

pub(crate) struct State {
    /// What the master wants, once it was heard.
    pub(crate) computer: Option<Arc<Computer>>,
    /// Whether the master answered the last time it was asked, and why not.
    pub(crate) master: Master,
    /// Grows when releases are to be looked at.
    pub(crate) releases: u64,
    /// Grows when partitions are to be looked at.
    pub(crate) partitions: u64,
    /// Grows when the master is to be asked.
    pub(crate) questions: u64,
    /// The release that is being built.
    pub(crate) building: Option<String>,
    /// The partitions that wait for their release.
    pub(crate) waiting: Vec<String>,
    /// Releases that failed.
    pub(crate) failed_releases: Retries,
    /// Partitions that failed.
    pub(crate) failed_partitions: Retries,
    format_wanted: bool,
    stopping: bool,
    since: Timestamp,
}

/// What is known of the master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Master {
    /// It was not asked yet.
    Unasked,
    /// It answers.
    Here,
    /// It is away.
    Away { reason: String, since: Timestamp },
    /// It answers, and refuses.
    Refuses { reason: String },
}

impl Board {
    pub(crate) fn new(clock: Arc<dyn Clock>, pace: &Pace) -> Self {
        let retries = || Retries::new(pace.first_retry, pace.longest_retry);
        let since = clock.now();
        Self {
            clock,
            state: Mutex::new(State {
                computer: None,
                master: Master::Unasked,
                releases: 0,
                partitions: 0,
                questions: 0,
                building: None,
                waiting: Vec::new(),
                failed_releases: retries(),
                failed_partitions: retries(),
                format_wanted: false,
                stopping: false,
                since,
            }),
            changed: Condvar::new(),
        }
    }

    /// Looks at the board, and may write on it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the board panics")
    }

    /// Writes on the board and wakes whoever waits.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_all();
        result
    }

    /// Waits until the number that `of` picks differs from `seen`, which becomes it, or until `deadline`. `false` when
    /// the agent ends.
    pub(crate) fn wait(&self, of: fn(&State) -> u64, seen: &mut u64, deadline: Option<Timestamp>) -> bool {
        let mut state = self.state();
        while !state.stopping && of(&state) == *seen {
            let left = match deadline {
                // Only to notice a clock that was set.
                None => Duration::from_secs(3600),
                Some(deadline) => {
                    let left = deadline.duration_since(self.clock.now());
                    match Duration::try_from(left) {
                        Ok(left) if !left.is_zero() => left,
                        _ => break,
                    }
                }
            };
            (state, _) = self.changed.wait_timeout(state, left).expect("no holder of the board panics");
        }
        *seen = of(&state);
        !state.stopping
    }

    /// Takes notice of what the master wants. Returns whether that differs from before.
    pub(crate) fn set_computer(&self, computer: Computer) -> bool {
        self.change(|state| {
            let differs = state.computer.as_deref() != Some(&computer);
            if differs {
                state.computer = Some(Arc::new(computer));
                state.releases += 1;
                state.partitions += 1;
            }
            state.master = Master::Here;
            differs
        })
    }

    /// Everything is looked at again, and what failed is tried at once.
    pub(crate) fn poke(&self) {
        let now = self.clock.now();
        self.change(|state| {
            state.failed_releases.try_now(now);
            state.failed_partitions.try_now(now);
            state.questions += 1;
            state.releases += 1;
            state.partitions += 1;
        });
    }

    /// The master is asked again.
    pub(crate) fn poke_watcher(&self) {
        self.change(|state| state.questions += 1);
    }

    /// The machine is to be formatted: the master does not know it, or a partition is not as it was made.
    pub(crate) fn want_format(&self) {
        self.change(|state| state.format_wanted = true);
    }

    /// Whether a format was wanted since the last call.
    pub(crate) fn take_format_wanted(&self) -> bool {
        std::mem::take(&mut self.state().format_wanted)
    }

    pub(crate) fn stop(&self) {
        self.change(|state| state.stopping = true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// What a person is told of it.
    pub(crate) fn status(&self, master_url: &str) -> Status {
        let state = self.state();
        let attempts = |retries: &Retries| {
            retries
                .all()
                .map(|(subject, failed)| Attempt {
                    subject: subject.to_owned(),
                    failures: failed.times,
                    next: failed.next,
                    message: failed.message.clone(),
                })
                .collect()
        };
        let (is_here, reason, lost) = match &state.master {
            Master::Here => (true, None, None),
            Master::Unasked => (false, None, None),
            Master::Away { reason, since } => (false, Some(reason.clone()), Some(*since)),
            Master::Refuses { reason } => (false, Some(reason.clone()), None),
        };
        Status {
            pid: std::process::id(),
            since: state.since,
            master: MasterStatus { url: master_url.to_owned(), answers: is_here, reason, since: lost },
            building: state.building.clone(),
            waiting: state.waiting.clone(),
            failed_releases: attempts(&state.failed_releases),
            failed_partitions: attempts(&state.failed_partitions),
        }
    }
}
