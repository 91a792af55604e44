//! The groups that are loaded, and making them what the files say.

use indexmap::IndexMap;

use super::super::client::ProcessState;
use super::super::layout::Layout;
use super::super::settings::{GroupSettings, Role};
use super::process::Process;
use super::{Daemon, Group, Key};
use crate::progress::Journal;
use crate::watchdog::Watchdog;

impl Daemon {
    /// All processes, those with the smallest priority first.
    pub(super) fn keys(&self) -> Vec<Key> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(name, group)| (group.settings.priority, *name));
        groups.into_iter().flat_map(|(name, _)| self.keys_of(name)).collect()
    }

    /// All processes by their names.
    pub(super) fn keys_by_name(&self) -> Vec<Key> {
        let mut keys = self.keys();
        keys.sort();
        keys
    }

    pub(super) fn keys_of(&self, group: &str) -> Vec<Key> {
        let Some(loaded) = self.groups.get(group) else { return Vec::new() };
        let mut processes: Vec<_> = loaded.processes.values().collect();
        processes.sort_by_key(|process| process.settings.priority);
        processes
            .iter()
            .map(|process| Key { group: group.to_owned(), name: process.settings.name.clone() })
            .collect()
    }

    pub(super) fn load_group(&mut self, name: &str, settings: GroupSettings) {
        let group = Group {
            settings: GroupSettings { programs: IndexMap::new(), ..settings.clone() },
            processes: IndexMap::new(),
        };
        self.groups.insert(name.to_owned(), group);
        self.replace_group(name, settings);
    }

    pub(super) fn unload_group(&mut self, name: &str) {
        if let Some(group) = self.groups.remove(name) {
            if group.processes.values().any(Process::is_builtin) {
                self.watchdog = None;
                self.events = None;
            }
            self.listeners.forget(name);
        }
    }

    /// Makes a loaded group what `settings` say. What runs and is as before goes on; what is gone has ended.
    pub(super) fn replace_group(&mut self, name: &str, settings: GroupSettings) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let mut present = std::mem::take(&mut group.processes);
        let mut fresh = Vec::new();
        for (process_name, program) in &settings.programs {
            let process = match present.swap_remove(process_name) {
                Some(mut process) if process.settings.runs_the_same_as(program) => {
                    process.settings = program.clone();
                    process
                }
                _ => {
                    fresh.push(Key { group: name.to_owned(), name: process_name.clone() });
                    Process::new(program.clone())
                }
            };
            group.processes.insert(process_name.clone(), process);
        }
        group.settings = settings;
        for key in fresh {
            self.set_up(&key);
        }
    }

    /// Does what a process that was just loaded needs at once.
    pub(super) fn set_up(&mut self, key: &Key) {
        let now = self.clock.now();
        let Some(process) = self.process_mut(key) else { return };
        match process.settings.role.clone() {
            Role::Watchdog(arguments) => {
                if let Some(arguments) = arguments {
                    process.state = ProcessState::Running;
                    process.pid = Some(std::process::id());
                    process.started = Some(now);
                    let layout = arguments.instance_root.clone().map(Layout::new);
                    self.events = layout.map(|layout| Journal::new(layout.events(), self.clock.clone()));
                    self.watchdog = Some(Watchdog::start(arguments));
                }
            }
            Role::Listener(_) | Role::Program if process.settings.autostart => {
                process.wanted = true;
                self.start(key);
            }
            Role::Listener(_) | Role::Program => {}
        }
    }
}
