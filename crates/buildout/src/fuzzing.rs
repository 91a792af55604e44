//! Entries for fuzzing, and for comparing this engine with the Python one. No interface for anybody else.

use std::sync::Arc;

use crate::condition::{Condition, example_facts};
use crate::engine::{Activity, Engine};
use crate::installed::Installed;
use crate::{BuildError, Settings, load, syntax};

/// Reads a profile; sections with conditions all count.
pub fn profile(text: &str) {
    let _ = syntax::parse("fuzz", &Arc::from(text), &mut |_, _, _| Ok(true));
}

/// Reads and decides a condition.
pub fn condition(text: &str) {
    if let Ok(condition) = Condition::parse(text) {
        let _ = condition.holds(&example_facts());
    }
}

/// Reads a record and writes it, three times.
///
/// # Panics
/// What was written cannot be read, or changes when it is read and written again. The record does not keep a tab beside
/// a line break, so only what was read from a written record counts.
pub fn record(text: &str) {
    let Ok(record) = Installed::parse("fuzz", text) else { return };
    let rewritten = |text: &str| Installed::parse("fuzz", text).expect("what was written can be read").text();
    let once = rewritten(&record.text());
    assert_eq!(rewritten(&once), once, "a record changes by being read");
}

/// What a profile means: each section with its expanded options, all sorted, up to the first that is wrong.
#[derive(Debug, Default)]
pub struct Meaning {
    /// Sections with their options.
    pub sections: Vec<(String, Vec<(String, String)>)>,
    /// Why the next section has no options, or why there is none.
    pub error: Option<BuildError>,
}

/// Reads the profile of `settings` and expands everything. Recipes of its sections are initialised.
#[must_use]
pub fn meaning(settings: Settings) -> Meaning {
    let mut meaning = Meaning::default();
    let sections = &mut meaning.sections;
    let done = crate::run::on_deep_stack(move || expand(&settings, sections));
    meaning.error = done.err();
    meaning
}

fn expand(
    settings: &Settings,
    sections: &mut Vec<(String, Vec<(String, String)>)>,
) -> Result<(), BuildError> {
    let mut engine = Engine::new(settings);
    engine.doing(Activity::Plain("Initializing."), |engine| {
        load::load(engine, settings)?;
        load::initialise_buildout(engine, settings)
    })?;
    let mut names: Vec<String> = engine.table.sections.keys().cloned().collect();
    names.sort_unstable();
    for name in names {
        engine.access(&name, None)?;
        let mut options = Vec::new();
        for option in engine.option_names(&name) {
            let value = engine.require(&name, &option)?;
            options.push((option, value));
        }
        options.sort_unstable();
        sections.push((name, options));
    }
    Ok(())
}
