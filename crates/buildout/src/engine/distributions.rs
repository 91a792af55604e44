//! Distributions for parts: installed by the egg service, told in the log, and errors with the line of the pin.

use host::clock::Clock;
use host::files;
use host::python::Facts;

use super::Engine;
use crate::egg_door::{EggDoor, PinLines};
use crate::eggs::{EggError, EggMemory, Eggs, WorkingSet};
use crate::table::{History, Origin};
use crate::{BuildError, Dialect, EggSettings, Event, Level};

impl Engine {
    /// Installs what `requirements` need; each distribution that is fetched is told at once.
    pub(crate) fn install_eggs(
        &self,
        settings: &EggSettings,
        requirements: &[impl AsRef<str>],
    ) -> Result<WorkingSet, EggError> {
        self.with_eggs(settings, |eggs| eggs.install(requirements))
    }

    /// Lets the egg service work.
    pub(crate) fn with_eggs<T>(
        &self,
        settings: &EggSettings,
        work: impl FnOnce(&Eggs<'_>) -> Result<T, EggError>,
    ) -> Result<T, EggError> {
        self.egg_door(&self.eggs, &|name| self.pin_line(name)).enter(settings, work)
    }

    fn egg_door<'a>(
        &self,
        memory: &'a EggMemory,
        pin_line: &'a dyn Fn(&str) -> Option<String>,
    ) -> EggDoor<'a> {
        EggDoor { memory, sink: self.sink(), threshold: self.log_threshold, pin_line }
    }

    /// Checks the options of `[buildout]` that say yes or no about distributions, and puts the version of the form of
    /// eggs, and the binary interface of the interpreter, into the eggs directory if the profile wants that.
    pub(crate) fn settle_eggs_directory(&mut self) -> Result<(), BuildError> {
        for option in
            ["prefer-final", "use-dependency-links", "allow-picked-versions", "show-picked-versions"]
        {
            self.flag(option, true)?;
        }
        let form = self.buildout_option("eggs-directory-version")?;
        let interface = if self.flag("abi-tag-eggs", false)? {
            // The one that runs the build: asking for one that a part makes would initialise that part before any other.
            let interpreter = self.default_interpreter()?;
            Some(abi_tag(interpreter.facts()))
        } else {
            None
        };
        if form.is_some() || interface.is_some() {
            let mut directory = self.buildout_directory("eggs-directory")?;
            directory.extend(form.into_iter().chain(interface));
            self.set("buildout", "eggs-directory", directory.into_string());
        }
        Ok(())
    }

    /// Tells who looks for a fault which distributions of zc.buildout's own the build has: those with which it builds
    /// others, and which recipes of Python import. None is fetched, and the engine is not one of them.
    pub(crate) fn tell_own_distributions(&mut self) -> Result<(), BuildError> {
        if self.dialect() == Dialect::Upstream && self.shows(Level::Debug) && self.newest {
            let settings = EggSettings { offline: true, allow_picked_versions: true, ..self.egg_settings()? };
            let own = ["zc.buildout", "setuptools", "pip", "wheel"];
            let apart = EggMemory::default();
            // What is not there is missed by who needs it.
            let _ = self.egg_door(&apart, &|_| None).enter(&settings, |eggs| eggs.install(&own));
        }
        Ok(())
    }

    /// Whether the profile wants to know what was picked.
    pub(super) fn wants_picked(&mut self) -> Result<bool, BuildError> {
        Ok(self.flag("show-picked-versions", false)?
            || self.buildout_option("update-versions-file")?.is_some())
    }

    /// Shows the versions that were picked, and appends them to the file that the profile names for it.
    pub(crate) fn report_picked(&mut self, clock: &dyn Clock) -> Result<(), BuildError> {
        if !self.wants_picked()? {
            return Ok(());
        }
        let mut lines = self.eggs.picked();
        if lines.is_empty() {
            return Ok(());
        }
        let sink = self.sink();
        if self.flag("show-picked-versions", false)? {
            let text = format!(
                "Versions had to be automatically picked.\n\
                 The following part definition lists the versions picked:\n{}\n",
                lines.join("\n")
            );
            sink.event(Event::Text { text });
        }
        let Some(file) = self.buildout_option("update-versions-file")? else { return Ok(()) };
        let path = self.directory.join(&file);
        let failed = |source| BuildError::file(format!("cannot write {path}"), source);
        let mut text = files::read_text_if_present(&path).map_err(failed)?.unwrap_or_default();
        if path.exists() {
            let now = clock.now().to_zoned(jiff::tz::TimeZone::system());
            let heading = format!("# Added by buildout at {}", now.strftime("%Y-%m-%d %H:%M:%S%.6f"));
            lines.splice(..1, [String::new(), heading]);
        }
        text.push_str(&lines.join("\n"));
        text.push('\n');
        files::replace(&path, text, 0o644).map_err(failed)?;
        sink.event(Event::Text { text: format!("Picked versions have been written to {file}\n") });
        Ok(())
    }

    /// The line of a profile that sets a pin.
    fn pin_line(&self, name: &str) -> Option<String> {
        let section = self.table.plain("buildout", "versions")?;
        self.line(self.table.history(&section, name)?)
    }

    /// The lines of all pins.
    pub(super) fn pin_lines(&self) -> PinLines {
        let section = self.table.plain("buildout", "versions").unwrap_or_default();
        let pins = self.table.sections.get(&section).into_iter().flat_map(|section| &section.options);
        pins.filter_map(|(name, history)| Some((name.clone(), self.line(history)?))).collect()
    }

    fn line(&self, history: &History) -> Option<String> {
        match history.last()?.origin {
            Origin::Profile { source, line } => Some(format!("{}:{line}", self.sources.get(source).name)),
            _ => None,
        }
    }
}

/// The tag of the interpreter's binary interface, such as `cp311`.
fn abi_tag(facts: &Facts) -> String {
    // `.cpython-311-x86_64-linux-gnu.so`, `.cpython-38d-…`
    let suffix = facts.extension_suffix.as_deref().unwrap_or_default();
    let version = suffix.strip_prefix(".cpython-").and_then(|rest| rest.split(['-', '.']).next());
    match version {
        Some(version) => format!("cp{version}"),
        None => format!(
            "{}{}{}",
            facts.markers.get("implementation_name").map_or("py", String::as_str),
            facts.major,
            facts.minor
        ),
    }
}
