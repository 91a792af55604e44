//! What others hear of processes: listeners, those who watch the node, and the watchdog.

use super::listener::ProcessEvent;
use super::{Daemon, Key};
use crate::progress::{Event, Progress as _};
use crate::supervisor::client::ProcessState;

impl Daemon {
    /// Changes a state and tells listeners.
    pub(super) fn set_state(&mut self, key: &Key, state: ProcessState) {
        let Some(process) = self.process_mut(key) else { return };
        let event = ProcessEvent {
            process: key.name.clone(),
            group: key.group.clone(),
            from: process.state,
            to: state,
            tries: process.retries,
            expected: None,
            pid: process.pid,
        };
        process.state = state;
        let is_watched = process.settings.is_watched();
        self.listeners.tell(&event);
        if state == ProcessState::Fatal && is_watched {
            self.bang(key);
        }
    }

    /// A process ended by itself.
    pub(super) fn exited(&mut self, key: &Key, pid: u32, is_expected: bool, may_bang: bool) {
        let Some(process) = self.process_mut(key) else { return };
        let from = std::mem::replace(&mut process.state, ProcessState::Exited);
        let is_watched = process.settings.is_watched();
        let event = ProcessEvent {
            process: key.name.clone(),
            group: key.group.clone(),
            from,
            to: ProcessState::Exited,
            tries: 0,
            expected: Some(is_expected),
            pid: Some(pid),
        };
        self.listeners.tell(&event);
        if is_watched && may_bang && !self.is_ending() {
            self.bang(key);
        }
    }

    pub(super) fn tell(&self, event: Event) {
        if let Some(events) = &self.events {
            events.event(event);
        }
    }

    fn bang(&self, key: &Key) {
        if let Some(watchdog) = &self.watchdog {
            watchdog.notice(&key.group, &key.name);
        }
    }
}
