//! What instances consumed: their report scripts are run, what they leave is collected, and the master is told.

use std::fmt::Write as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use host::process::Program;
use slap::wire::usage::{Movement, check_journal, read_consumption, write_journal};
use slap::{Partition, PartitionId};

use super::problem;
use crate::Node;
use crate::build::account_of;
use crate::instance::InstanceError;
use crate::outcome::{Problem, with_causes};

/// Time given to one script.
const SCRIPT_LIMIT: Duration = Duration::from_secs(300);

/// Runs the report scripts of all partitions.
pub(super) fn run_scripts(node: &Node, partitions: &[&Partition]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for partition in partitions {
        let directory = node.configuration.partition_directory(&partition.id);
        let mut failed = String::new();
        for script in files_of(&directory.join("etc/report")) {
            if let Err(error) = run_script(node, &directory, &script) {
                let name = script.file_name().unwrap_or_default();
                tracing::error!(partition.id = %partition.id, "{}", with_causes(&error));
                let _ = writeln!(failed, "Script '{name}' failed.");
            }
        }
        if !failed.is_empty() {
            problems.push(problem(node, partition, &InstanceError::Usage(failed.trim_end().to_owned())));
        }
    }
    problems
}

fn run_script(node: &Node, directory: &Utf8Path, script: &Utf8Path) -> std::io::Result<()> {
    let place = directory.join("var/xml_report");
    let name = format!("slapreport.{}-{}", std::process::id(), node.clock.now().as_nanosecond());
    let mut program = Program::new(script)
        .arg(place.join(name).as_str())
        .directory(directory.join("etc/report"))
        .envs(node.environment.variables())
        .env("HOME", directory.as_str());
    if let Some(account) = account_of(directory)? {
        program = program.account(account);
    }
    let finished = program.run(Some(SCRIPT_LIMIT), &mut |line| tracing::info!("{line}"))?;
    if finished.success() { Ok(()) } else { Err(std::io::Error::other(finished.verdict())) }
}

/// Sends what was consumed. Gives the partitions whose usage could not be sent.
pub(super) fn send(node: &Node, partitions: &[&Partition], problems: &mut Vec<Problem>) -> Vec<PartitionId> {
    let root = &node.configuration.instance_root;
    let own = root.join("var/xml_report").join(node.configuration.computer_id.as_str());
    for path in files_of(&own) {
        send_own(node, &path);
    }
    let mut found: Vec<(&Partition, Movement, Utf8PathBuf)> = Vec::new();
    for partition in partitions {
        let directory = node.configuration.partition_directory(&partition.id);
        let places =
            [directory.join("var/xml_report"), root.join("var/xml_report").join(partition.id.as_str())];
        for path in places.iter().flat_map(|place| files_of(place)) {
            match files::read_text_if_present(&path).map(|text| read_consumption(&text.unwrap_or_default())) {
                Ok(Ok(movements)) => {
                    found.extend(movements.into_iter().map(|movement| (*partition, movement, path.clone())));
                }
                Ok(Err(error)) => tracing::warn!("{path} is no usage report and is left there: {error}"),
                Err(error) => tracing::warn!("{path} cannot be read: {error}"),
            }
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    match send_found(node, &found) {
        Ok(()) => {
            // Deleted only when the master has it: until then it is found again by the next pass.
            for (_, _, path) in &found {
                if let Err(error) = files::remove_if_present(path) {
                    tracing::warn!("{path} was sent and cannot be removed: {error}");
                }
            }
            Vec::new()
        }
        Err(error) => {
            let mut unsent: Vec<&Partition> = found.iter().map(|(partition, ..)| *partition).collect();
            unsent.dedup_by_key(|partition| &partition.id);
            problems.extend(unsent.iter().map(|partition| problem(node, partition, &error)));
            unsent.into_iter().map(|partition| partition.id.clone()).collect()
        }
    }
}

fn send_found(node: &Node, found: &[(&Partition, Movement, Utf8PathBuf)]) -> Result<(), InstanceError> {
    let computer = &node.configuration.computer_id;
    let date =
        node.clock.now().to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d at %H:%M:%S").to_string();
    let movements: Vec<(&str, &Movement)> =
        found.iter().map(|(partition, movement, _)| (partition.id.as_str(), movement)).collect();
    let journal = write_journal(computer.as_str(), &date, &movements)
        .map_err(|error| InstanceError::Usage(format!("the usage report cannot be written: {error}")))?;
    node.client
        .use_computer(computer, &journal)
        .map_err(|source| InstanceError::Master { what: "send the usage report", source })
}

/// Sends one report about the computer itself, and deletes it when the master has it.
fn send_own(node: &Node, path: &Utf8Path) {
    let text = match files::read_text_if_present(path) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => {
            tracing::warn!("{path} cannot be read: {error}");
            return;
        }
    };
    if let Err(error) = check_journal(&text) {
        tracing::warn!("{path} is no usage report and is left there: {error}");
        return;
    }
    match node.client.use_computer(&node.configuration.computer_id, &text) {
        Ok(()) => {
            if let Err(error) = files::remove_if_present(path) {
                tracing::warn!("{path} was sent and cannot be removed: {error}");
            }
        }
        Err(error) => tracing::warn!("{path} was not sent: {}", with_causes(&error)),
    }
}

/// The regular files of a directory, sorted; none when there is no such directory.
fn files_of(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = directory.read_dir_utf8() else { return Vec::new() };
    let mut files: Vec<Utf8PathBuf> = entries
        .flatten()
        // A link could lead to what is not the partition's to send.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    files.sort();
    files
}
