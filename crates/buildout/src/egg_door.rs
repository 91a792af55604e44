//! The one door to the egg service: for the engine, and for parts that are worked on beside others.

use std::collections::HashMap;
use std::sync::Arc;

use crate::eggs::{EggError, EggMemory, Eggs};
use crate::{EggSettings, Event, Level, Sink};

/// The lines of profiles that set pins, `stack/slapos.cfg:88`, by the names that they pin, as written.
pub(crate) type PinLines = HashMap<String, String>;

/// What the egg service gets beside the settings of a part.
pub(crate) struct EggDoor<'a> {
    /// What the build knows of distributions already.
    pub(crate) memory: &'a EggMemory,
    /// Hears what is done.
    pub(crate) sink: Arc<dyn Sink>,
    /// What is less important than this is not told.
    pub(crate) threshold: i64,
    /// Knows the line of a pin, which is asked for only when something is wrong with it.
    pub(crate) pin_line: &'a dyn Fn(&str) -> Option<String>,
}

impl EggDoor<'_> {
    /// Lets the egg service work. What it tells goes into the log at once, and errors name the line of their pin.
    pub(crate) fn enter<T>(
        &self,
        settings: &EggSettings,
        work: impl FnOnce(&Eggs<'_>) -> Result<T, EggError>,
    ) -> Result<T, EggError> {
        let (sink, threshold) = (&self.sink, self.threshold);
        let shows = |level: Level| level.number() >= threshold;
        let notice = |level: Level, text: &str| {
            if shows(level) {
                sink.event(Event::Log { level, logger: None, message: text.to_owned() });
            }
        };
        let eggs = Eggs::new(settings, &notice).with_memory(self.memory);
        work(&eggs.telling_every_step(shows(Level::Debug))).map_err(|mut error| {
            if let Some(pin) = error.pin_mut() {
                pin.origin = (self.pin_line)(&pin.written);
            }
            error
        })
    }
}
