//! The record of installed parts while a build changes it: written whole, at the end of the build however it ends,
//! and now and then before, so that a killed build loses little.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use host::clock::Clock;
use indexmap::IndexMap;
use jiff::Timestamp;

use super::territory::Territory;
use crate::installed::{Installed, PATHS, text};
use crate::{BuildError, Fault};

type Options = IndexMap<String, String>;

/// Seconds of work that are not to be lost when the build is killed.
const WORTH_SAVING: f64 = 1.0;

pub(super) struct Record {
    /// What was recorded and is not reached yet; a part that was taken out leaves an empty place, so that taking out
    /// many costs little.
    before: IndexMap<String, Option<Options>>,
    /// The parts that this build has installed or updated, as they ended.
    after: HashMap<String, Options>,
    /// All parts that this build may install or update, in order.
    order: Vec<String>,
    develop_eggs: String,
    /// Where recorded paths may be removed; none for everywhere.
    territory: Option<Territory>,
    /// None when the profile wants no record.
    path: Option<Utf8PathBuf>,
    /// What the file holds; none when there is no file.
    written: Option<String>,
    written_at: Timestamp,
    /// How many seconds of work were done since then.
    unsaved: f64,
}

/// A record that nothing can be written into is worth saying before there is anything to record.
///
/// # Errors
/// There is no directory for it.
pub(super) fn check_directory(path: Option<&Utf8Path>) -> Result<(), BuildError> {
    let Some((path, directory)) = path.and_then(|path| Some((path, path.parent()?))) else { return Ok(()) };
    if directory.is_dir() {
        return Ok(());
    }
    let message = format!("cannot record in {path} what is installed: {directory} is no directory");
    let hint =
        Some("create it, or set `installed` in [buildout] to a path in a directory that exists".to_owned());
    Err(Fault::Refused { message, hint, code: "E-file" }.into())
}

impl Record {
    pub(super) fn load(path: Option<Utf8PathBuf>, clock: &dyn Clock) -> Result<Self, BuildError> {
        let (installed, written) = match &path {
            Some(path) => Installed::load(path)?,
            None => (Installed::default(), None),
        };
        let Installed { develop_eggs, parts } = installed;
        let before = parts.into_iter().map(|(part, options)| (part, Some(options))).collect();
        Ok(Self {
            before,
            after: HashMap::new(),
            order: Vec::new(),
            develop_eggs,
            territory: None,
            path,
            written,
            written_at: clock.now(),
            unsaved: 0.0,
        })
    }

    /// Says where recorded paths may be removed.
    pub(super) fn confine(&mut self, territory: Territory) {
        self.territory = Some(territory);
    }

    pub(super) fn territory(&self) -> Option<&Territory> {
        self.territory.as_ref()
    }

    /// What is installed at this moment.
    pub(super) fn installed(&self) -> Installed {
        let parts = self.parts().map(|(part, options)| (part.to_owned(), options.clone()));
        Installed { develop_eggs: self.develop_eggs.clone(), parts: parts.collect() }
    }

    /// The parts that are installed at this moment.
    fn parts(&self) -> impl Iterator<Item = (&str, &Options)> {
        let before =
            self.before.iter().filter_map(|(part, options)| Some((part.as_str(), options.as_ref()?)));
        let after = self.order.iter().filter_map(|part| Some((part.as_str(), self.after.get(part)?)));
        before.chain(after)
    }

    /// The links to distributions under development.
    pub(super) fn develop_eggs(&self) -> impl Iterator<Item = &str> {
        self.develop_eggs.lines().filter(|path| !path.is_empty())
    }

    /// Notes which links to distributions under development there are.
    pub(super) fn set_develop_eggs(&mut self, paths: &[Utf8PathBuf]) {
        let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
        self.develop_eggs = paths.join("\n");
    }

    /// Says in which order parts are recorded, whichever ends first.
    pub(super) fn order<'p>(&mut self, parts: impl Iterator<Item = &'p str>) {
        self.order = parts.map(str::to_owned).collect();
    }

    /// Takes over a part that was installed, and recorded, elsewhere.
    pub(super) fn inherit(&mut self, part: &str, options: Options) {
        self.before.insert(part.to_owned(), Some(options));
    }

    /// Notes a part as installed.
    pub(super) fn put(&mut self, part: &str, mut options: Options, paths: &[String]) {
        options.insert(PATHS.to_owned(), paths.join("\n"));
        self.remove(part);
        self.after.insert(part.to_owned(), options);
    }

    /// Forgets a part; gives what was recorded of it before this build.
    pub(super) fn remove(&mut self, part: &str) -> Option<Options> {
        self.before.get_mut(part)?.take()
    }

    /// What was recorded of a part before this build.
    pub(super) fn recorded(&self, part: &str) -> Option<&Options> {
        self.before.get(part)?.as_ref()
    }

    /// Counts work that took so long, and writes the record if too much of it would be lost otherwise.
    pub(super) fn save_when_worth(&mut self, seconds: f64, clock: &dyn Clock) -> Result<(), BuildError> {
        let now = clock.now();
        self.unsaved += seconds;
        let waited = now.duration_since(self.written_at).as_secs_f64();
        if self.unsaved < WORTH_SAVING && waited < WORTH_SAVING {
            return Ok(());
        }
        self.written_at = now;
        self.unsaved = 0.0;
        self.save()
    }

    /// Writes the record if it changed; removes it when nothing is installed.
    pub(super) fn save(&mut self) -> Result<(), BuildError> {
        let Some(path) = &self.path else { return Ok(()) };
        let error = |source| BuildError::file(format!("cannot write {path}"), source);
        let parts: Vec<(&str, &Options)> = self.parts().collect();
        if parts.is_empty() && self.develop_eggs.is_empty() {
            self.written = None;
            return host::files::remove_if_present(path).map_err(error);
        }
        let text = text(&self.develop_eggs, &parts);
        if self.written.as_ref() != Some(&text) {
            host::files::replace_keeping_mode(path, &text).map_err(error)?;
            self.written = Some(text);
        }
        Ok(())
    }
}
