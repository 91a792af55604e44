//! The record of installed parts while a build changes it: written whole, at the end of the build however it ends,
//! and now and then before, so that a killed build loses little.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::clock::Clock;
use indexmap::IndexMap;
use jiff::Timestamp;

use crate::BuildError;
use crate::installed::{Installed, PATHS, paths};

/// Work that took longer than this is recorded before more is begun.
const WORTH_SAVING: Duration = Duration::from_secs(1);

pub(super) struct Record {
    pub(super) installed: Installed,
    /// None when the profile wants no record.
    path: Option<Utf8PathBuf>,
    /// What the file holds; none when there is no file.
    written: Option<String>,
    written_at: Timestamp,
}

impl Record {
    pub(super) fn load(path: Option<Utf8PathBuf>, clock: &dyn Clock) -> Result<Self, BuildError> {
        let installed = match &path {
            Some(path) => Installed::load(path)?,
            None => Installed::default(),
        };
        let exists = path.as_deref().is_some_and(Utf8Path::exists);
        let written = exists.then(|| installed.text());
        Ok(Self { installed, path, written, written_at: clock.now() })
    }

    /// Notes a part as the last one installed.
    pub(super) fn put(&mut self, part: &str, mut options: IndexMap<String, String>, paths: &[String]) {
        options.insert(PATHS.to_owned(), paths.join("\n"));
        self.installed.parts.shift_remove(part);
        self.installed.parts.insert(part.to_owned(), options);
    }

    pub(super) fn remove(&mut self, part: &str) -> Option<IndexMap<String, String>> {
        self.installed.parts.shift_remove(part)
    }

    pub(super) fn paths_of(&self, part: &str) -> Vec<String> {
        let options = self.installed.parts.get(part);
        options.map(|options| paths(options).map(str::to_owned).collect()).unwrap_or_default()
    }

    /// Writes the record if enough time has gone since it was written.
    pub(super) fn save_now_and_then(&mut self, clock: &dyn Clock) -> Result<(), BuildError> {
        let now = clock.now();
        if now.duration_since(self.written_at).unsigned_abs() < WORTH_SAVING {
            return Ok(());
        }
        self.written_at = now;
        self.save()
    }

    /// Writes the record if it changed; removes it when nothing is installed.
    pub(super) fn save(&mut self) -> Result<(), BuildError> {
        let Some(path) = &self.path else { return Ok(()) };
        let error = |source| BuildError::file(format!("cannot write {path}"), source);
        if self.installed.is_empty() {
            self.written = None;
            return host::files::remove_if_present(path).map_err(error);
        }
        let text = self.installed.text();
        if self.written.as_ref() != Some(&text) {
            host::files::replace(path, &text, 0o644).map_err(error)?;
            self.written = Some(text);
        }
        Ok(())
    }
}
