//! The daemon's own log, in the form of supervisord's.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use camino::Utf8Path;
use host::clock::Clock;
use jiff::tz::TimeZone;

use super::super::settings::LogLimit;
use super::log_file::LogFile;

/// The log; clones write to the same one.
#[derive(Clone)]
pub(super) struct MainLog {
    file: Rc<RefCell<LogFile>>,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
}

impl MainLog {
    pub(super) fn open(path: &Utf8Path, limit: LogLimit, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let file = Rc::new(RefCell::new(LogFile::open(path, limit)?));
        Ok(Self { file, clock, zone: TimeZone::system() })
    }

    pub(super) fn info(&self, text: &str) {
        self.line("INFO", text);
    }

    pub(super) fn warning(&self, text: &str) {
        self.line("WARN", text);
    }

    pub(super) fn critical(&self, text: &str) {
        self.line("CRIT", text);
    }

    /// Empties it.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.file.borrow_mut().clear()
    }

    /// Opens the file of its name, which may be another one than before.
    pub(super) fn reopen(&self) -> io::Result<()> {
        self.file.borrow_mut().reopen()
    }

    fn line(&self, level: &str, text: &str) {
        let now = self.clock.now().to_zoned(self.zone.clone());
        let line = format!("{},{:03} {level} {text}\n", now.strftime("%Y-%m-%d %H:%M:%S"), now.millisecond());
        // A full disk must not stop the supervisor, and there is nobody else to tell.
        let _ = self.file.borrow_mut().write(line.as_bytes());
    }
}
