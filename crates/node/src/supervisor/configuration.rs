//! The files that tell a supervisor what to run, in the exact form that slapgrid writes and supervisord reads.
//!
//! Nothing here marks a program for a restart: a program whose process name ends in `-on-watch` is a service, and our
//! supervisor restarts it when it ends; supervisord, reading the same file, leaves it ended. See `super::lifecycle`.

mod group;
#[cfg(test)]
mod tests;
mod watchdog;

use std::io;

use camino::Utf8Path;
use host::files;

pub use self::group::{PartitionGroup, PartitionProgram};
pub use self::watchdog::{ArgumentError, WatchdogArguments};
use super::layout::Layout;

/// What is appended to the process name of a service.
pub const SERVICE_MARK: &str = "-on-watch";

/// Creates the directories of the supervisor and writes its main file when it differs; returns whether it did.
///
/// Without `watchdog` the present watchdog command is kept, and a new file gets an empty one.
///
/// # Errors
/// The instance root does not exist, or something in it cannot be written.
pub fn write_main(layout: &Layout, watchdog: Option<&WatchdogArguments>) -> io::Result<bool> {
    let root = layout.instance_root();
    if !root.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("instance root `{root}` does not exist"),
        ));
    }
    files::ensure_directory(&root.join("var"), 0o755)?;
    for private in ["etc", "etc/supervisord.conf.d", "var/log", "var/run"] {
        files::ensure_directory(&root.join(private), 0o700)?;
    }
    let present = files::read_text_if_present(&layout.configuration_file())?;
    let command = match watchdog {
        Some(watchdog) => watchdog.command_line(),
        None => present.as_deref().and_then(watchdog_command).unwrap_or_default().to_owned(),
    };
    files::replace_if_changed(&layout.configuration_file(), main_text(layout, &command), 0o600)
}

/// Writes a group's file when it differs; returns whether it did.
///
/// # Errors
/// The partition's owner is unknown, or the file cannot be written.
pub fn write_group(layout: &Layout, group: &PartitionGroup) -> io::Result<bool> {
    files::replace_if_changed(&layout.group_file(&group.name), group.text()?, 0o600)
}

/// The names of the groups of a partition that have a file: the partition's own, and those called `<id>-<suffix>`.
///
/// # Errors
/// The directory of the files exists and cannot be read.
pub fn groups_of(layout: &Layout, partition: &str) -> io::Result<Vec<String>> {
    let of_suffix = format!("{partition}-");
    let names = names_in(&layout.configuration_directory())?;
    let stems = names.iter().filter_map(|name| name.strip_suffix(".conf"));
    Ok(stems.filter(|stem| *stem == partition || stem.starts_with(&of_suffix)).map(str::to_owned).collect())
}

/// Removes a group's file; a missing one is no error.
///
/// # Errors
/// The file cannot be removed.
pub fn remove_group(layout: &Layout, group: &str) -> io::Result<()> {
    files::remove_if_present(&layout.group_file(group))
}

fn watchdog_command(main_text: &str) -> Option<&str> {
    let (_, section) = main_text.split_once("[eventlistener:watchdog]\n")?;
    section.lines().find_map(|line| line.strip_prefix("command="))
}

fn main_text(layout: &Layout, watchdog_command: &str) -> String {
    let (directory, socket) = (layout.configuration_directory(), layout.socket());
    let (log, pid_file) = (layout.log(), layout.pid_file());
    format!(
        "[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[include]
files = {directory}/*.conf

[supervisorctl]
serverurl = unix://{socket}

[supervisord]
loglevel = info
logfile = {log}
logfile_maxbytes = 50MB
nodaemon = false
pidfile = {pid_file}
logfile-backups = 10
# Do not set minfds. select() does not support file descriptors
# greater than 1023.
# minfds = 

[unix_http_server]
file={socket}
chmod=0700

[eventlistener:watchdog]
command={watchdog_command}
events=PROCESS_STATE_EXITED, PROCESS_STATE_FATAL
"
    )
}

/// The sorted names in a directory; none when it is absent.
fn names_in(directory: &Utf8Path) -> io::Result<Vec<String>> {
    let entries = match fs_err::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        match entry?.file_name().into_string() {
            Ok(name) => names.push(name),
            Err(name) => {
                tracing::warn!("`{directory}` holds the name {name:?}, which is not UTF-8: left out");
            }
        }
    }
    names.sort();
    Ok(names)
}
