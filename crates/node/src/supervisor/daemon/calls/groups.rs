//! Calls about groups: reading the files again, adding, removing, bringing up to date.

use super::Handled;
use crate::supervisor::daemon::answers::{Goal, Shape};
use crate::supervisor::daemon::process::Process;
use crate::supervisor::daemon::{Daemon, Key};
use crate::supervisor::settings::Settings;
use crate::supervisor::xml_rpc::{Fault, Value, code};

impl Daemon {
    pub(super) fn reload(&mut self) -> Result<Value, Fault> {
        self.read_settings()?;
        let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (name, settings) in &self.settings.groups {
            match self.groups.get(name) {
                None => added.push(name.as_str()),
                Some(group) if group.settings != *settings => changed.push(name.as_str()),
                Some(_) => {}
            }
        }
        removed.extend(
            self.groups.keys().map(String::as_str).filter(|name| !self.settings.groups.contains_key(*name)),
        );
        let lists = [added, changed, removed].map(Value::texts).to_vec();
        // Compatibility: a list in a list, because the reference cannot return three values.
        Ok(Value::Array(vec![Value::Array(lists)]))
    }

    /// Reads the files again; where the daemon itself listens and logs stays as it was.
    pub(in crate::supervisor::daemon) fn read_settings(&mut self) -> Result<(), Fault> {
        let fresh = Settings::load(&self.file).map_err(|error| {
            let mut reasons = vec![error.to_string()];
            let mut cause = std::error::Error::source(&error);
            while let Some(why) = cause {
                reasons.push(why.to_string());
                cause = why.source();
            }
            Fault::new(code::CANT_REREAD, &reasons.join(": "))
        })?;
        self.settings.groups = fresh.groups;
        Ok(())
    }

    pub(super) fn add_group(&mut self, name: &str) -> Result<Value, Fault> {
        let settings =
            self.settings.groups.get(name).cloned().ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        if self.groups.contains_key(name) {
            return Err(Fault::new(code::ALREADY_ADDED, name));
        }
        self.load_group(name, settings);
        Ok(true.into())
    }

    pub(super) fn remove_group(&mut self, name: &str) -> Result<Value, Fault> {
        let group = self.groups.get(name).ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        if group.processes.values().any(|process| !process.is_builtin() && !process.state.is_stopped()) {
            return Err(Fault::new(code::STILL_RUNNING, name));
        }
        self.unload_group(name);
        Ok(true.into())
    }

    pub(super) fn update_group(&mut self, name: &str) -> Result<Handled, Fault> {
        self.read_settings()?;
        let fresh =
            self.settings.groups.get(name).cloned().ok_or_else(|| Fault::new(code::BAD_NAME, name))?;
        let Some(group) = self.groups.get(name) else {
            self.load_group(name, fresh);
            return Ok(Handled::Now(Ok(true.into())));
        };
        let is_kept = |process: &Process| {
            fresh
                .programs
                .get(&process.settings.name)
                .is_some_and(|program| process.settings.runs_the_same_as(program))
        };
        let gone = group.processes.iter().filter(|(_, process)| !is_kept(process));
        let gone: Vec<Key> =
            gone.map(|(process, _)| Key { group: name.to_owned(), name: process.clone() }).collect();
        let stopped = self.stop_asked(&gone);
        let waits = stopped.into_iter().map(|key| (key, Goal::Down)).collect();
        Ok(Handled::Later { shape: Shape::Update(name.to_owned(), fresh), waits, results: Vec::new() })
    }
}
