//! A profile with everything that it extends, merged: for tools that look at what a build would work with. No recipe
//! is asked for anything but what `[buildout]` itself refers to.

use indexmap::IndexMap;

use crate::engine::{Activity, Engine};
use crate::load;
use crate::sources::Sources;
use crate::table::Table;
use crate::{BuildError, Settings};

/// A merged profile.
pub struct Merged {
    table: Table,
    sources: Sources,
}

/// Reads the profile that the command line of `settings` names, with everything that it extends.
///
/// # Errors
/// Everything that a profile can do wrong before its parts are looked at.
pub fn merge(settings: Settings) -> Result<Merged, BuildError> {
    crate::run::on_deep_stack(move || {
        let mut engine = Engine::new(&settings);
        let read = engine.doing(Activity::Plain("Initializing."), |engine| {
            load::load(engine, &settings)?;
            load::initialise_buildout(engine, &settings)
        });
        match read {
            Ok(()) => Ok(Merged {
                table: std::mem::take(&mut engine.table),
                sources: std::mem::take(&mut engine.sources),
            }),
            Err(error) => Err(crate::run::with_excerpts(&engine, error)),
        }
    })
}

impl Merged {
    /// The profiles that were read, by path or URL.
    #[must_use]
    pub fn profiles(&self) -> Vec<&str> {
        self.sources.iter().map(|source| source.name.as_str()).collect()
    }

    /// Names of all sections, in the order of their first appearance.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.table.sections.keys().map(String::as_str)
    }

    /// The options of a section with those of its macros; nothing is expanded. `None` when there is no such section.
    ///
    /// # Errors
    /// A macro that does not exist, or that uses itself.
    pub fn section(&self, name: &str) -> Result<Option<IndexMap<String, String>>, BuildError> {
        if self.table.contains(name) { self.table.resolve(name).map(Some) } else { Ok(None) }
    }
}
