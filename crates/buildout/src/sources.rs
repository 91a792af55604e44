//! The profiles of a build: their names, texts and bases, each read once.

use std::sync::Arc;

/// One profile of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceId(u32);

/// A profile that was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Absolute path or URL.
    pub(crate) name: String,
    /// The directory that it is in, as a path or URL without a slash at its end.
    pub(crate) base: String,
    /// Its whole text.
    pub(crate) text: Arc<str>,
}

/// All profiles that were read, in order.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    pub(crate) fn add(&mut self, source: Source) -> SourceId {
        self.0.push(source);
        SourceId(
            u32::try_from(self.0.len() - 1).expect("a build has fewer than four thousand million profiles"),
        )
    }

    pub(crate) fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Source> {
        self.0.iter().find(|source| source.name == name)
    }
}
