//! What the daemon must still know when it was killed: what ought to run, and the processes it had started.
//!
//! Whatever of those a killed daemon left behind is ended before its successor starts anything, so that no port is
//! taken and no process runs unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use host::children::{signal_process, signals};
use host::files;
use host::inhabitants::{Inhabitant, boot_id};
use serde::{Deserialize, Serialize};

use super::process::Process;
use super::{Daemon, Group};
use crate::supervisor::client::ProcessState;
use crate::supervisor::settings::Restart;

/// The variable that every process below a supervisor is given, with the supervisor's address as its value.
pub(super) const MARKER: &str = "SUPERVISOR_SERVER_URL";

/// How long what is left of an earlier daemon may take to disappear once it is killed.
const CLEARING_LIMIT: Duration = Duration::from_secs(10);

/// What ought to run. Its file is on the disk before a client is told that it will be so.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Intentions {
    /// The start of the machine during which it was written.
    boot: String,
    /// The group, and in it the process.
    processes: BTreeMap<String, BTreeMap<String, Intention>>,
}

/// What is meant to become of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Intention {
    /// Whether it ought to run.
    pub(super) wanted: bool,
    /// Whether it had done its work and ended.
    pub(super) finished: bool,
}

/// The processes that run. Their file needs no disk: when the machine loses its power, they are gone.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    boot: String,
    /// The number of each, and when it started.
    processes: Vec<(u32, u64)>,
}

impl Intentions {
    /// Reads what an earlier daemon wrote. A file that is damaged says nothing.
    pub(super) fn load(file: &Utf8Path) -> Self {
        load(file)
    }

    /// What is to be remembered of the present.
    pub(super) fn of(processes: BTreeMap<String, BTreeMap<String, Intention>>) -> Self {
        Self { boot: boot_id(), processes }
    }

    pub(super) fn store(&self, file: &Utf8Path) -> io::Result<()> {
        files::replace(file, json(self), 0o600)
    }

    /// Whether a process is to be started with the daemon. What had done its work is done again only when nothing can
    /// be left of it: the machine was started anew since, or `was_cleared`.
    pub(super) fn starts(&self, group: &str, process: &str, was_cleared: bool) -> bool {
        let remembered = self.processes.get(group).and_then(|group| group.get(process));
        let is_undone = self.boot != boot_id() || was_cleared;
        remembered.is_some_and(|process| process.wanted && (!process.finished || is_undone))
    }
}

impl Running {
    /// Reads what an earlier daemon wrote. A file that is damaged says nothing.
    pub(super) fn load(file: &Utf8Path) -> Self {
        load(file)
    }

    /// What runs at present.
    pub(super) fn of(processes: Vec<(u32, u64)>) -> Self {
        Self { boot: boot_id(), processes }
    }

    pub(super) fn store(&self, file: &Utf8Path) -> io::Result<()> {
        files::replace_unsynced(file, json(self), 0o600)
    }

    /// Kills whatever an earlier daemon at `address` left running; returns the group and the program of each process.
    pub(super) fn clear_away(&self, address: &str) -> io::Result<Vec<(String, String)>> {
        let deadline = Instant::now() + CLEARING_LIMIT;
        let mut killed = BTreeMap::new();
        loop {
            let left = self.left_over(address)?;
            if left.is_empty() || Instant::now() > deadline {
                return Ok(killed.into_values().collect());
            }
            for process in left {
                let named = |variable| process.variable(variable).unwrap_or_default();
                killed
                    .entry((process.pid, process.started))
                    .or_insert_with(|| (named("SUPERVISOR_GROUP_NAME"), named("SUPERVISOR_PROCESS_NAME")));
                // One that we may not signal is not ours.
                let _ = signal_process(process.pid, signals::KILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn left_over(&self, address: &str) -> io::Result<Vec<Inhabitant>> {
        let all = Inhabitant::all()?;
        let spared = ourselves_and_ancestors(&all);
        let groups = self.groups_left(&all);
        let is_left = |process: &&Inhabitant| {
            !process.is_zombie
                && !spared.contains(&process.pid)
                && (groups.contains(&process.group) || process.variable(MARKER).as_deref() == Some(address))
        };
        Ok(all.iter().filter(is_left).copied().collect())
    }

    /// The process groups that the earlier daemon's processes led and that cannot be anybody else's.
    fn groups_left(&self, all: &[Inhabitant]) -> BTreeSet<u32> {
        if self.boot != boot_id() {
            return BTreeSet::new();
        }
        let is_unchanged = |&(pid, ticks): &(u32, u64)| match all.iter().find(|process| process.pid == pid) {
            Some(leader) => leader.started == ticks,
            // The kernel gives a number to nobody while it is still that of a group.
            None => true,
        };
        self.processes.iter().filter(|process| is_unchanged(process)).map(|(pid, _)| *pid).collect()
    }
}

/// Every process that the daemon at `address` has started, directly or not: its group, its program, and itself.
pub(super) fn descendants(address: &str) -> Vec<(String, String, Inhabitant)> {
    let all = Inhabitant::all().unwrap_or_default().into_iter().filter(|process| !process.is_zombie);
    let of_daemon = all.filter(|process| process.variable(MARKER).as_deref() == Some(address));
    of_daemon
        .filter_map(|process| {
            Some((
                process.variable("SUPERVISOR_GROUP_NAME")?,
                process.variable("SUPERVISOR_PROCESS_NAME")?,
                process,
            ))
        })
        .collect()
}

fn load<T: Default + for<'a> Deserialize<'a>>(file: &Utf8Path) -> T {
    let text = files::read_text_if_present(file).ok().flatten().unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data always serialises")
}

fn ourselves_and_ancestors(all: &[Inhabitant]) -> BTreeSet<u32> {
    let mut spared = BTreeSet::new();
    let mut next = std::process::id();
    while next > 0 && spared.insert(next) {
        next = all.iter().find(|process| process.pid == next).map_or(0, |process| process.parent);
    }
    spared
}

impl Daemon {
    /// Writes down what must be known when the daemon is killed.
    pub(super) fn remember(&mut self) {
        let processes = || self.groups.values().flat_map(|group| group.processes.values());
        let own = processes().filter(|process| !process.is_builtin());
        let running = Running::of(own.filter_map(|process| Some((process.pid?, process.ticks))).collect());
        let intention = |process: &Process| Intention {
            wanted: process.wanted,
            finished: process.state == ProcessState::Exited && process.settings.restart() == Restart::Never,
        };
        let of_group = |group: &Group| {
            let own = group.processes.iter().filter(|(_, process)| !process.is_builtin());
            own.map(|(name, process)| (name.clone(), intention(process))).collect()
        };
        let intentions = self.groups.iter().map(|(name, group)| (name.clone(), of_group(group))).collect();
        let intentions = Intentions::of(intentions);
        let mut failure = None;
        if intentions != self.remembered.0 {
            failure = intentions.store(&self.memory_file("intentions")).err();
        }
        if running != self.remembered.1 {
            failure = running.store(&self.memory_file("running")).err().or(failure);
        }
        match failure {
            None => self.remembered = (intentions, running),
            Some(error) => self.log.critical(&format!("could not note what runs: {error}")),
        }
    }

    /// A file beside that of the daemon's process number.
    pub(super) fn memory_file(&self, what: &str) -> Utf8PathBuf {
        self.settings.pid_file.with_extension(format!("{what}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intentions(boot: &str, wanted: bool, finished: bool) -> Intentions {
        let process = BTreeMap::from([("p".to_owned(), Intention { wanted, finished })]);
        Intentions { boot: boot.to_owned(), processes: BTreeMap::from([("g".to_owned(), process)]) }
    }

    #[test]
    fn what_has_done_its_work_is_done_again_only_when_nothing_is_left_of_it() {
        assert!(intentions(&boot_id(), true, false).starts("g", "p", false));
        assert!(!intentions(&boot_id(), true, true).starts("g", "p", false));
        assert!(intentions(&boot_id(), true, true).starts("g", "p", true));
        assert!(intentions("another", true, true).starts("g", "p", false));
        assert!(!intentions("another", false, false).starts("g", "p", false));
        assert!(!intentions("another", true, false).starts("g", "unknown", false));
    }

    #[test]
    fn a_number_that_is_another_processes_today_is_spared() {
        let own = Inhabitant::find(std::process::id()).unwrap();
        let all = Inhabitant::all().unwrap();
        let running =
            |boot: &str, ticks| Running { boot: boot.to_owned(), processes: vec![(own.pid, ticks)] };

        assert!(running(&boot_id(), own.started + 1).groups_left(&all).is_empty());
        assert!(running("another boot", own.started).groups_left(&all).is_empty());
        assert_eq!(running(&boot_id(), own.started).groups_left(&all), BTreeSet::from([own.pid]));
    }

    #[test]
    fn we_and_our_ancestors_are_never_left_over() {
        let all = Inhabitant::all().unwrap();
        let spared = ourselves_and_ancestors(&all);

        assert!(spared.contains(&std::process::id()) && spared.len() > 1);
    }

    #[test]
    fn a_damaged_file_says_nothing() {
        let guard = tempfile::tempdir().unwrap();
        let file = camino::Utf8PathBuf::try_from(guard.path().join("memory")).unwrap();
        files::replace(&file, "{\"boot\": 3", 0o600).unwrap();

        assert_eq!(Intentions::load(&file), Intentions::default());
    }
}
