//! From state to state: starting, ending, starting again, stopping.

use std::collections::BTreeSet;
use std::time::Instant;

use host::children::{Ending, group_exists, signal_process, signal_process_group, signals};
use host::inhabitants::Inhabitant;

use super::super::client::ProcessState;
use super::super::settings::Restart;
use super::process::{Process, Stopping};
use super::{Daemon, Key, memory, spawn};
use crate::progress::Event;

impl Daemon {
    pub(super) fn process(&self, key: &Key) -> Option<&Process> {
        self.groups.get(&key.group)?.processes.get(&key.name)
    }

    pub(super) fn process_mut(&mut self, key: &Key) -> Option<&mut Process> {
        self.groups.get_mut(&key.group)?.processes.get_mut(&key.name)
    }

    /// Starts a process that is not running.
    pub(super) fn start(&mut self, key: &Key) {
        let (around, log, now) = (self.around.clone(), self.log.clone(), self.clock.now());
        let Some(process) = self.process_mut(key) else { return };
        if process.pid.is_some() || process.is_builtin() {
            return;
        }
        process.restart_at = None;
        process.stopping = None;
        process.spawn_error = None;
        process.exit_status = 0;
        process.alive_since = Instant::now();
        process.started = Some(now);
        match spawn::start(&process.settings, &key.group, &around) {
            Ok(launched) => {
                process.pid = Some(launched.pid);
                process.ticks = Inhabitant::find(launched.pid).map_or(0, |found| found.started);
                log.info(&format!("spawned: '{}' with pid {}", key.name, launched.pid));
                let (partition, process) = (key.group.clone(), key.name.clone());
                self.tell(Event::ProcessStarted { partition, process, pid: launched.pid });
                self.set_state(key, ProcessState::Starting);
                self.attach(key, launched);
                self.tick_process(key);
            }
            Err(error) => {
                log.info(&format!("spawnerr: {error}"));
                process.spawn_error = Some(error);
                self.set_state(key, ProcessState::Starting);
                self.back_off(key);
            }
        }
    }

    /// A start failed: it is tried again a little later, as often as configured.
    fn back_off(&mut self, key: &Key) {
        let log = self.log.clone();
        let Some(process) = self.process_mut(key) else { return };
        process.retries += 1;
        let may_retry = process.retries <= process.settings.start_retries;
        process.restart_at = Some(Instant::now() + std::time::Duration::from_secs(process.retries.into()));
        self.set_state(key, ProcessState::Backoff);
        if !may_retry {
            self.give_up(key);
            log.info(&format!(
                "gave up: {} entered FATAL state, too many start retries too quickly",
                key.name
            ));
        }
    }

    fn give_up(&mut self, key: &Key) {
        if let Some(process) = self.process_mut(key) {
            process.restart_at = None;
            process.retries = 0;
        }
        self.set_state(key, ProcessState::Fatal);
    }

    /// Asks a process to end. What it moved out of its group is asked too, and what ended before leaves nothing over.
    pub(super) fn stop(&mut self, key: &Key, escaped: Vec<Inhabitant>) {
        let log = self.log.clone();
        let Some(process) = self.process_mut(key) else { return };
        let was_up = process.pid.is_some();
        process.restart_at = None;
        process.retries = 0;
        process.deaths.forget();
        if process.state == ProcessState::Stopping {
            process.stopping.iter_mut().for_each(|stopping| stopping.start_again = false);
            return;
        }
        if !was_up && escaped.is_empty() {
            // Waiting for its next start, given up, or ended long ago.
            if process.state.is_running() || process.state == ProcessState::Exited {
                self.set_state(key, ProcessState::Stopped);
            }
            return;
        }
        let signal = process.settings.stop_signal;
        let whole_group = process.settings.stop_as_group;
        for straggler in &escaped {
            let _ = signal_process(straggler.pid, signal);
        }
        if let Some(pid) = process.pid {
            let sent =
                if whole_group { signal_process_group(pid, signal) } else { signal_process(pid, signal) };
            if let Err(error) = sent {
                log.critical(&format!("failed to signal {}: {error}", key.name));
            }
        }
        process.stopping = Some(Stopping {
            deadline: Instant::now() + process.settings.stop_wait,
            killed: false,
            group: process.pid,
            escaped,
            start_again: false,
        });
        log.info(&format!("waiting for {} to stop", key.name));
        self.set_state(key, ProcessState::Stopping);
    }

    /// A child was collected.
    pub(super) fn ended(&mut self, pid: u32, ending: Ending) {
        let is_it = |process: &Process| process.pid == Some(pid) && !process.is_builtin();
        let Some(key) = self.keys_where(is_it).into_iter().next() else {
            // An orphan of somebody below us.
            return;
        };
        let (log, now) = (self.log.clone(), self.clock.now());
        let Some(process) = self.process_mut(&key) else { return };
        process.pid = None;
        process.stdin = None;
        process.stopped = Some(now);
        process.exit_status = match ending {
            Ending::Code(code) => code,
            // Compatibility: supervisord tells no more of it.
            Ending::Signal(_) => -1,
        };
        let how = ending.describe();
        if process.state == ProcessState::Stopping {
            log.info(&format!("stopped: {} ({how})", key.name));
            self.tick_process(&key);
            return;
        }
        let life = process.alive_since.elapsed();
        if process.state == ProcessState::Starting && life < process.settings.start_seconds {
            log.warning(&format!("exited: {} ({how}; not expected)", key.name));
            process.spawn_error = Some("Exited too quickly (process log may have details)".to_owned());
            self.back_off(&key);
            return;
        }
        if process.state == ProcessState::Starting {
            self.set_state(&key, ProcessState::Running);
        }
        self.died(&key, pid, ending);
    }

    /// A process that was up ended without being asked.
    fn died(&mut self, key: &Key, pid: u32, ending: Ending) {
        let log = self.log.clone();
        let is_ending = self.is_ending();
        let Some(process) = self.process_mut(key) else { return };
        let is_expected = matches!(ending, Ending::Code(code) if process.settings.exit_codes.contains(&code));
        let is_watched = process.settings.is_watched();
        let how = ending.describe();
        if is_expected {
            log.info(&format!("exited: {} ({how}; expected)", key.name));
        } else {
            log.warning(&format!("exited: {} ({how}; not expected)", key.name));
            process.spawn_error = Some(format!("Bad exit code {}", process.exit_status));
        }
        let restarts = !is_ending
            && match process.settings.restart() {
                Restart::Never => false,
                Restart::Unexpected => !is_expected,
                Restart::Always => true,
            };
        let delay = process.deaths.note(process.alive_since.elapsed());
        let may_bang = process.deaths.may_bang();
        process.restart_at = restarts.then(|| Instant::now() + delay);
        if restarts {
            // What is left of it would be in the way of its next life: it may still hold the port.
            let _ = signal_process_group(pid, signals::KILL);
        }
        let status = match ending {
            Ending::Code(code) => code,
            Ending::Signal(number) => -number,
        };
        if is_watched || !is_expected {
            self.tell(Event::ProcessExited {
                partition: key.group.clone(),
                process: key.name.clone(),
                status,
            });
        }
        self.exited(key, pid, is_expected, may_bang);
        if restarts && delay.is_zero() {
            self.tick_process(key);
        }
    }

    /// Does what time has made due.
    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        for key in self.keys_where(|process| process.is_due(now)) {
            self.tick_process(&key);
        }
    }

    /// The processes of which something is true, in no particular order.
    fn keys_where(&self, is_so: impl Fn(&Process) -> bool) -> Vec<Key> {
        let all = self
            .groups
            .iter()
            .flat_map(|(group, loaded)| loaded.processes.values().map(move |process| (group, process)));
        let so = all.filter(|(_, process)| is_so(process));
        so.map(|(group, process)| Key { group: group.clone(), name: process.settings.name.clone() }).collect()
    }

    fn tick_process(&mut self, key: &Key) {
        let log = self.log.clone();
        let now = Instant::now();
        let Some(process) = self.process_mut(key) else { return };
        match process.state {
            ProcessState::Starting if now >= process.alive_since + process.settings.start_seconds => {
                process.retries = 0;
                process.spawn_error = None;
                let seconds = process.settings.start_seconds.as_secs();
                log.info(&format!(
                    "success: {} entered RUNNING state, process has stayed up for > than {seconds} seconds (startsecs)",
                    key.name
                ));
                self.set_state(key, ProcessState::Running);
            }
            ProcessState::Backoff | ProcessState::Exited
                if process.restart_at.is_some_and(|at| now >= at) =>
            {
                self.start(key);
            }
            ProcessState::Stopping => self.tick_stopping(key, now),
            _ => {}
        }
    }

    fn tick_stopping(&mut self, key: &Key, now: Instant) {
        let log = self.log.clone();
        let Some(process) = self.process_mut(key) else { return };
        let (pid, kill_as_group) = (process.pid, process.settings.kill_as_group);
        let as_group = kill_as_group || process.settings.stop_as_group;
        let Some(stopping) = &mut process.stopping else { return };
        if now >= stopping.deadline && !stopping.killed {
            stopping.killed = true;
            log.warning(&format!("killing '{}' with SIGKILL", key.name));
            if let Some(pid) = pid.filter(|_| !kill_as_group) {
                let _ = signal_process(pid, signals::KILL);
            }
            if let Some(group) = stopping.group.filter(|_| kill_as_group) {
                let _ = signal_process_group(group, signals::KILL);
            }
            for straggler in &stopping.escaped {
                let _ = signal_process(straggler.pid, signals::KILL);
            }
        }
        stopping.group = stopping.group.filter(|group| pid.is_some() || (as_group && group_exists(*group)));
        stopping.escaped.retain(|straggler| {
            Inhabitant::find(straggler.pid)
                .is_some_and(|found| found.started == straggler.started && !found.is_zombie)
        });
        if pid.is_some() || stopping.group.is_some() || !stopping.escaped.is_empty() {
            return;
        }
        let start_again = stopping.start_again;
        process.stopping = None;
        self.set_state(key, ProcessState::Stopped);
        if start_again {
            self.start(key);
        }
    }

    /// The processes that programs started and moved out of their process group, by program.
    pub(super) fn escaped(&self) -> Vec<(Key, Inhabitant)> {
        let processes = self.groups.values().flat_map(|group| group.processes.values());
        let led: BTreeSet<u32> = processes.filter_map(|process| process.pid).collect();
        let descendants = memory::descendants(&self.around.address).into_iter();
        let escaped = descendants.filter(|(.., process)| !led.contains(&process.group));
        escaped.map(|(group, name, process)| (Key { group, name }, process)).collect()
    }
}
