//! How the instances of a cloud are, from what the master says, what is on disk and what the supervisor runs.

use std::collections::BTreeMap;

use camino::Utf8Path;
use host::beneath::Directory;
use host::files;
use node::progress::{Event, Follower};
use node::promise::result::PromiseResult;
use node::supervisor::{ProcessInfo, ProcessState};
use slap::status::{Observation, PromiseReport, ReleaseProgress, Reported, Status, status};
use slap::{Computer, Partition};

use crate::cloud::{Cloud, processes};

/// One instance.
#[derive(Debug)]
pub(crate) struct InstanceView {
    /// Its partition, as the master describes it.
    pub(crate) partition: Partition,
    /// The one word, and why.
    pub(crate) status: Status,
    /// The last result of each promise.
    pub(crate) promises: Vec<PromiseResult>,
    /// Its processes; empty when the supervisor does not run.
    pub(crate) processes: Vec<ProcessInfo>,
    /// Whether the node has done everything that the master asked for by now.
    pub(crate) is_current: bool,
}

impl InstanceView {
    /// Title of the instance.
    pub(crate) fn title(&self) -> &str {
        self.partition.title.as_deref().unwrap_or(self.partition.id.as_str())
    }

    /// The promises that fail.
    pub(crate) fn failing(&self) -> impl Iterator<Item = &PromiseResult> {
        self.promises.iter().filter(|promise| promise.failed)
    }

    /// Services that ought to run and do not.
    pub(crate) fn fallen(&self) -> impl Iterator<Item = &ProcessInfo> {
        self.processes.iter().filter(|process| {
            is_service(process) && !matches!(process.state, ProcessState::Running | ProcessState::Starting)
        })
    }
}

/// Whether a process is a service, which has to run for ever.
pub(crate) fn is_service(process: &ProcessInfo) -> bool {
    process.name.ends_with("-on-watch")
}

/// Looks at every instance of the cloud, in the order of the partitions.
pub(crate) fn look(cloud: &Cloud, computer: &Computer) -> Vec<InstanceView> {
    let all = processes::supervisor(cloud).processes();
    let has_supervisor = all.is_ok();
    let mut by_group: BTreeMap<String, Vec<ProcessInfo>> = BTreeMap::new();
    for process in all.unwrap_or_default() {
        by_group.entry(process.group.clone()).or_default().push(process);
    }
    computer
        .partitions
        .iter()
        .filter(|partition| partition.is_busy())
        .map(|partition| {
            let processes = by_group.remove(partition.id.as_str()).unwrap_or_default();
            view(cloud, computer, partition, processes, has_supervisor)
        })
        .collect()
}

fn view(
    cloud: &Cloud,
    computer: &Computer,
    partition: &Partition,
    processes: Vec<ProcessInfo>,
    has_supervisor: bool,
) -> InstanceView {
    let directory = cloud.instance_root().join(partition.id.as_str());
    let promises = results(&directory);
    let done = files::read_text_if_present(&directory.join(".timestamp")).ok().flatten();
    let is_current = done.is_some() && done == partition.timestamp && has_supervisor;
    let reports: Vec<PromiseReport> = promises
        .iter()
        .map(|promise| PromiseReport {
            name: promise.title.clone(),
            failure: promise.failed.then(|| promise.message.clone()),
            // The words of the status know promises whose failure is a blemish; nothing on disk tells which they are.
            is_anomaly: true,
        })
        .collect();
    let mut instance = InstanceView {
        partition: partition.clone(),
        status: Status { word: slap::status::StatusWord::Working, reason: String::new() },
        promises,
        processes,
        is_current,
    };
    let error = files::read_text_if_present(&directory.join(format!(".slapgrid-{}-error.log", partition.id)));
    instance.status = status(&Observation {
        requested: partition.requested_state,
        is_placed: true,
        silent_seconds: None,
        release: release_progress(cloud, computer, partition),
        reported: reported(&instance, error.ok().flatten()),
        promises: &reports,
        children: (0, 0),
    });
    instance
}

fn release_progress(cloud: &Cloud, computer: &Computer, partition: &Partition) -> ReleaseProgress {
    let Some(url) = &partition.release else { return ReleaseProgress::Wanted };
    if cloud.software_root().join(url.md5()).join(".completed").exists() {
        return ReleaseProgress::Installed;
    }
    if !computer.releases.iter().any(|release| release.url == *url) {
        return ReleaseProgress::Wanted;
    }
    last_word(cloud, url.as_str())
}

/// What the agent last told about building a release.
fn last_word(cloud: &Cloud, url: &str) -> ReleaseProgress {
    let mut progress = ReleaseProgress::Wanted;
    for entry in Follower::from_start(cloud.events()).read().unwrap_or_default() {
        match entry.event {
            Event::ReleaseStarted { url: of } if of == url => {
                progress = ReleaseProgress::Building("it has just begun".to_owned());
            }
            Event::PartStarted { subject, part, .. } if subject == url => {
                progress = ReleaseProgress::Building(format!("part {part}"));
            }
            Event::ReleaseFailed { url: of, message, .. } if of == url => {
                progress = ReleaseProgress::Failed(message.lines().next().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    progress
}

fn reported(instance: &InstanceView, error: Option<String>) -> Reported {
    if let Some(error) = error {
        return Reported::Error(error.lines().next().unwrap_or_default().to_owned());
    }
    if let Some(process) = instance.fallen().next() {
        return Reported::Error(fallen(process));
    }
    match (instance.is_current, instance.partition.requested_state) {
        (true, state) => Reported::State(state),
        (false, _) => Reported::Nothing,
    }
}

/// What to say of a service that does not run.
pub(crate) fn fallen(process: &ProcessInfo) -> String {
    let name = process.name.trim_end_matches("-on-watch");
    let how = match process.state {
        // What supervisors say of a process that ended while it was still expected to start.
        _ if process.spawn_error.starts_with("Bad exit code") => {
            process.spawn_error.replace("Bad exit code", "it ended with exit code")
        }
        _ if !process.spawn_error.is_empty() => process.spawn_error.clone(),
        ProcessState::Exited | ProcessState::Backoff => {
            format!("it ended with exit code {}", process.exit_status)
        }
        state => state.name().to_ascii_lowercase(),
    };
    format!("service {name} does not run: {how}")
}

/// The last result of each promise of a partition, by name.
fn results(directory: &Utf8Path) -> Vec<PromiseResult> {
    let Ok(entries) = directory.join(".slapgrid/promise/result").read_dir_utf8() else { return Vec::new() };
    let Ok(partition) = Directory::open(directory) else { return Vec::new() };
    let mut results: Vec<PromiseResult> = entries
        .filter_map(|entry| {
            PromiseResult::load(&partition, entry.ok()?.file_name().strip_suffix(".status.json")?)
        })
        .collect();
    // The result of a promise that is gone stays on disk; it says nothing of the present.
    results.retain(|promise| promise.path.exists());
    results.sort_by(|left, right| left.name.cmp(&right.name));
    results
}
