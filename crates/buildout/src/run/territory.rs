//! What a build may remove: paths in its own directories. A record may name others, as that of a directory that was
//! copied does, and these belong to somebody else.

use camino::{Utf8Path, Utf8PathBuf};

use crate::BuildError;
use crate::engine::Engine;

/// The directories of a build.
pub(super) struct Territory {
    places: Vec<Utf8PathBuf>,
}

impl Territory {
    /// That of a build.
    pub(super) fn of(engine: &mut Engine) -> Result<Self, BuildError> {
        let mut places = vec![engine.directory().to_owned()];
        for option in ["bin-directory", "parts-directory", "eggs-directory", "develop-eggs-directory"] {
            places.push(engine.buildout_directory(option)?);
        }
        let real: Vec<Utf8PathBuf> =
            places.iter().filter_map(|place| place.canonicalize_utf8().ok()).collect();
        places.extend(real);
        Ok(Self { places })
    }

    /// Whether a path, which has no `..` in it, is in one of them.
    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        let is_within = |path: &Utf8Path| {
            self.places.iter().any(|place| path != place.as_path() && path.starts_with(place))
        };
        let real = || {
            let parent = path.parent()?.canonicalize_utf8().ok()?;
            Some(parent.join(path.file_name()?))
        };
        is_within(path) || real().is_some_and(|path| is_within(&path))
    }
}
