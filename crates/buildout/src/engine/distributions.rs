//! Distributions for parts: installed by the egg service, told in the log, and errors with the line of the pin.

use super::Engine;
use crate::eggs::{EggError, Eggs, Pin, WorkingSet};
use crate::table::Origin;
use crate::{EggSettings, Event, Level};

impl Engine {
    /// Installs what `requirements` need; each distribution that is fetched is told at once.
    pub(crate) fn install_eggs(
        &self,
        settings: &EggSettings,
        requirements: &[impl AsRef<str>],
    ) -> Result<WorkingSet, EggError> {
        let sink = self.shows(Level::Info).then(|| self.sink());
        let notice = |text: &str| {
            if let Some(sink) = &sink {
                sink.event(Event::Log { level: Level::Info, logger: None, message: text.to_owned() });
            }
        };
        Eggs::new(settings, &notice).with_memory(&self.eggs).install(requirements).map_err(|mut error| {
            if let Some(pin) = error.pin_mut() {
                pin.origin = self.pin_origin(pin);
            }
            error
        })
    }

    /// The line of a profile that sets a pin.
    fn pin_origin(&self, pin: &Pin) -> Option<String> {
        let section = self.table.plain("buildout", "versions")?;
        match self.table.history(&section, &pin.written)?.last()?.origin {
            Origin::Profile { source, line } => Some(format!("{}:{line}", self.sources.get(source).name)),
            _ => None,
        }
    }
}
