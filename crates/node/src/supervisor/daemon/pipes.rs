//! The pipes of a process: where they lead, and the copying of what it prints.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use host::children::Launched;
use tokio::net::unix::pipe;

use super::log_file::LogFile;
use super::process::SharedLog;
use super::{Daemon, Key};
use crate::supervisor::settings::{LogSettings, Role};

impl Daemon {
    /// Connects the pipes of a process that was just started.
    pub(super) fn attach(&mut self, key: &Key, launched: Launched) {
        let log = self.log.clone();
        let Some(process) = self.process_mut(key) else { return };
        let open = |settings| {
            open_log(settings).unwrap_or_else(|error| {
                log.critical(&error);
                None
            })
        };
        let settings = process.settings.clone();
        // A log that is open is kept: an earlier life's last words may still be on their way into it.
        for (at, output) in [(0, &settings.stdout), (1, &settings.stderr)] {
            if process.logs[at].is_none() && process.log_path(at).is_some() {
                process.logs[at] = open(output);
            }
        }
        if let Some(stderr) = launched.stderr {
            tokio::task::spawn_local(copy(stderr, process.logs[1].clone()));
        }
        if let Role::Listener(events) = &settings.role {
            self.listeners.attach(key.group.clone(), events.clone(), launched.stdin, launched.stdout);
        } else {
            tokio::task::spawn_local(copy(launched.stdout, process.logs[0].clone()));
            process.stdin = Some(launched.stdin);
        }
    }
}

/// Opens a log, when there is one to open; the error is for the daemon's own log.
fn open_log(settings: &LogSettings) -> Result<Option<SharedLog>, String> {
    let Some(path) = &settings.file else { return Ok(None) };
    let log =
        LogFile::open(path, settings.limit).map_err(|error| format!("could not open log {path}: {error}"))?;
    Ok(Some(Rc::new(RefCell::new(log))))
}

/// Copies what a process prints into its log, until the last who could print has ended.
async fn copy(output: OwnedFd, log: Option<SharedLog>) -> io::Result<()> {
    let receiver = pipe::Receiver::from_owned_fd(output)?;
    loop {
        receiver.readable().await?;
        // The buffer lives only while there is something to read, so that an idle process costs nothing.
        let mut buffer = [0_u8; 16 * 1024];
        match receiver.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                if let Some(log) = &log {
                    // What cannot be kept is lost; the process must not wait for room on the disk.
                    let _ = log.borrow_mut().write(&buffer[..count]);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
