//! Calls about processes: starting, stopping, signals, standard input.

use host::children::{signal_number, signal_process};

use super::parameters::{text, truth_or};
use super::{Handled, later, outcome};
use crate::supervisor::client::ProcessState;
use crate::supervisor::daemon::answers::Goal;
use crate::supervisor::daemon::{Daemon, Key, spawn};
use crate::supervisor::xml_rpc::{Fault, Value, code};

impl Daemon {
    pub(super) fn call_start(&mut self, method: &str, parameters: &[Value]) -> Result<Handled, Fault> {
        let wait_at = usize::from(!method.ends_with("AllProcesses"));
        let wait = truth_or(parameters, wait_at, true)?;
        let (keys, is_one) = self.concerned(method, parameters, 1)?;
        let (mut waits, mut results) = (Vec::new(), Vec::new());
        for key in keys {
            if !is_one && self.process(&key).is_some_and(|process| process.state.is_running()) {
                continue;
            }
            match self.start_asked(&key, is_one) {
                Ok(()) if wait && self.reached(&key, Goal::Up).is_none() => waits.push((key, Goal::Up)),
                Ok(()) => results.push(outcome(&key, None)),
                Err(fault) if is_one => return Err(fault),
                Err(fault) => results.push(outcome(&key, Some(fault))),
            }
        }
        Ok(later(waits, results, is_one))
    }

    fn start_asked(&mut self, key: &Key, is_one: bool) -> Result<(), Fault> {
        let Some(process) = self.process_mut(key) else {
            return Err(Fault::new(code::BAD_NAME, &key.full()));
        };
        if process.is_builtin() {
            return if is_one { Err(Fault::new(code::ALREADY_STARTED, &key.full())) } else { Ok(()) };
        }
        // Also what cannot be started ought to run: its file may be there at the next start of the machine.
        process.wanted = true;
        // Compatibility: what could not be executed is not tried, and its state does not change.
        if let Err(unfit) = spawn::command_of(&process.settings) {
            self.log.warning(&format!("not starting {}: {}", key.name, unfit.text()));
            return Err(match unfit {
                spawn::Unfit::Absent(text) => Fault::new(code::NO_FILE, &text),
                spawn::Unfit::NotExecutable(text) => Fault::new(code::NOT_EXECUTABLE, &text),
            });
        }
        if process.state.is_running() {
            return Err(Fault::new(code::ALREADY_STARTED, &key.full()));
        }
        if let Some(stopping) = &mut process.stopping {
            stopping.start_again = true;
            return Ok(());
        }
        self.start(key);
        match self.process(key) {
            Some(process) if process.spawn_error.is_some() => Err(Fault::new(code::SPAWN_ERROR, &key.full())),
            _ => Ok(()),
        }
    }

    pub(super) fn call_stop(&mut self, method: &str, parameters: &[Value]) -> Result<Handled, Fault> {
        let wait_at = usize::from(!method.ends_with("AllProcesses"));
        let wait = truth_or(parameters, wait_at, true)?;
        let (keys, is_one) = self.concerned(method, parameters, 1)?;
        let stopped = self.stop_asked(&keys);
        if let (true, [key], []) = (is_one, keys.as_slice(), stopped.as_slice()) {
            return Err(Fault::new(code::NOT_RUNNING, &key.full()));
        }
        if wait {
            let waits = stopped.into_iter().map(|key| (key, Goal::Down)).collect();
            return Ok(later(waits, Vec::new(), is_one));
        }
        Ok(later(Vec::new(), stopped.iter().map(|key| outcome(key, None)).collect(), is_one))
    }

    /// Stops processes; returns those of which there was something to stop.
    pub(in crate::supervisor::daemon) fn stop_asked(&mut self, keys: &[Key]) -> Vec<Key> {
        let escaped = if keys.is_empty() { Vec::new() } else { self.escaped() };
        let mut stopped = Vec::new();
        for key in keys {
            let of_it: Vec<_> =
                escaped.iter().filter(|(of, _)| of == key).map(|(_, process)| *process).collect();
            let Some(process) = self.process_mut(key) else { continue };
            if process.is_builtin() {
                continue;
            }
            process.wanted = false;
            let waits_for_restart = process.restart_at.is_some();
            if process.state.is_running()
                || process.stopping.is_some()
                || waits_for_restart
                || !of_it.is_empty()
            {
                stopped.push(key.clone());
                self.stop(key, of_it);
            }
        }
        stopped
    }

    pub(super) fn call_signal(&mut self, method: &str, parameters: &[Value]) -> Result<Value, Fault> {
        let at = usize::from(!method.ends_with("AllProcesses"));
        let name = text(parameters, at, at + 1)?;
        let signal = signal_number(name).ok_or_else(|| Fault::new(code::BAD_SIGNAL, name))?;
        let (keys, is_one) = self.concerned(method, &parameters[..at], 0)?;
        let mut results = Vec::new();
        for key in keys {
            let running = self.process(&key).filter(|process| {
                matches!(
                    process.state,
                    ProcessState::Running | ProcessState::Starting | ProcessState::Stopping
                )
            });
            match running.and_then(|process| process.pid) {
                Some(pid) => {
                    let sent = signal_process(pid, signal);
                    let fault = sent.err().map(|error| Fault::new(code::FAILED, &error.to_string()));
                    match fault {
                        Some(fault) if is_one => return Err(fault),
                        fault => results.push(outcome(&key, fault)),
                    }
                }
                None if is_one => return Err(Fault::new(code::NOT_RUNNING, &key.full())),
                None => {}
            }
        }
        Ok(if is_one { true.into() } else { Value::Array(results) })
    }

    pub(super) fn send_stdin(&mut self, name: &str, characters: &str) -> Result<Value, Fault> {
        let key = self.one(name)?;
        let process = self.process(&key).ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        let Some(stdin) = process.stdin.as_ref().filter(|_| process.stopping.is_none()) else {
            return Err(Fault::new(code::NOT_RUNNING, name));
        };
        let written = stdin.try_clone().and_then(|copy| {
            use std::io::Write;
            fs_err::File::from_parts(copy.into(), "standard input").write_all(characters.as_bytes())
        });
        written.map(|()| true.into()).map_err(|_| Fault::new(code::NO_FILE, name))
    }
}
