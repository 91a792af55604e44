//! Parts that releases share: each in a directory of its own outside of the release, named by what it is made of, and
//! never changed once it is built.
//!
//! A part is shared when it says `shared = true` and `[buildout] shared-part-list` names roots. Its directory is
//! `<root>/<part>/<md5>`, the MD5 being that of its options and its signature as JSON. The same JSON is written there as
//! `.buildout-shared.json` when all is built: without it nothing in the directory counts. Whoever builds holds a lock
//! beside the directory; another build of the same waits for it and then uses what is there.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::files;
use host::locks::FileLock;
use md5::{Digest, Md5};
use shacache::hexadecimal;

use crate::engine::Engine;
use crate::installed::SIGNATURE;
use crate::profiles::{BASE_OPTION, BASE_REFERENCE};
use crate::{BuildError, Dialect, Level, Part, RecipeError, Section};

/// The file that says that a shared part is built, and of what.
const MARKER: &str = ".buildout-shared.json";
/// The option of `[buildout]` that names the roots.
const ROOTS: &str = "shared-part-list";

/// Where a part lives that may be shared, and how it is built there.
#[derive(Debug, Clone)]
pub struct SharedPart {
    location: Utf8PathBuf,
    /// What the part is made of; none when it is private to this build.
    made_of: Option<String>,
    makes_location: bool,
    keeps_failures: bool,
}

impl Section<'_> {
    /// Decides where this part lives: in a root for shared parts if it says `shared = true` and there is one, otherwise
    /// in the parts directory. To be called when the recipe has read all that it depends on, and before it sets any
    /// option: both are what tells one shared part from another.
    ///
    /// # Errors
    /// `shared` is neither `true` nor `false`; or what the part depends on cannot be had.
    pub fn shared_part(&mut self) -> Result<SharedPart, RecipeError> {
        let private = |section: &mut Self| {
            let parts = section.require_other("buildout", "parts-directory")?;
            let location = section.resolve(&parts).join(section.name());
            Ok(SharedPart { location, made_of: None, makes_location: true, keeps_failures: false })
        };
        if !is_shared(self.get("shared")?)? {
            return private(self);
        }
        // A section that gives the environment of the build is one of its ingredients.
        if let Some(environment) =
            self.get("environment")?.filter(|text| !text.is_empty() && !text.contains('='))
        {
            self.depend_on(environment.trim())?;
        }
        let signature = self.signature()?;
        let roots = self.other("buildout", ROOTS)?.unwrap_or_default();
        let roots: Vec<&Utf8Path> = roots.lines().filter_map(root).collect();
        if roots.is_empty() {
            return private(self);
        }
        let signature = (self.build_itself().dialect() == Dialect::Slapos).then_some(signature);
        let made_of = made_of(self.options()?, signature);
        let digest = hexadecimal(&Md5::digest(&made_of));
        let place = |root: &Utf8Path| root.join(self.name()).join(&digest);
        let found = roots.iter().map(|root| place(root)).find(|location| is_built(location));
        let (location, message) = match found {
            Some(location) => {
                let message = format!("shared at {location} (already built)");
                (location, message)
            }
            None => {
                let writable = roots.iter().find(|root| files::is_accessible(root.as_std_path(), 2));
                let Some(root) = writable else {
                    let message =
                        format!("not shared: no directory of `{ROOTS}` is there and can be written");
                    self.log(Level::Info, message);
                    return private(self);
                };
                let location = place(root);
                let message = format!("will be shared at {location} (needs to build)");
                (location, message)
            }
        };
        // Without recipes in Python, of which the part may be made, the place may be another than that of the build.
        if !self.only_looks() {
            self.log(Level::Info, message);
        }
        Ok(SharedPart { location, made_of: Some(made_of), makes_location: true, keeps_failures: false })
    }
}

impl SharedPart {
    /// The same part at a place of its own, which its recipe makes.
    #[must_use]
    pub fn at(self, location: Utf8PathBuf) -> Self {
        Self { location, made_of: None, makes_location: false, ..self }
    }

    /// The same part, of which what a failed build made stays where it is, to be looked at. The next build begins with
    /// nothing all the same.
    #[must_use]
    pub fn keeping_failures(self) -> Self {
        Self { keeps_failures: true, ..self }
    }

    /// The directory, or what else the recipe makes, that the part is.
    #[must_use]
    pub fn location(&self) -> &Utf8Path {
        &self.location
    }

    /// Whether other builds use it, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.made_of.is_some()
    }

    /// Whether it is built already and must not be changed.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.is_shared() && is_built(&self.location)
    }

    /// Builds the part by `build`, into an empty directory unless it is at a place of its own. A shared part that is
    /// built already is left alone. Gives what the part owns: nothing when it is shared.
    ///
    /// # Errors
    /// Those of `build`, which must make a directory of a shared part; what it made is removed then, unless it is to be kept.
    pub fn install(
        &self,
        part: &mut Part<'_>,
        build: impl FnOnce(&mut Part<'_>) -> Result<(), RecipeError>,
    ) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.bring_about(part, "shared part is already installed", None, build)
    }

    /// Looks after the part: a shared one that has vanished is built again, a private one is not touched.
    ///
    /// # Errors
    /// As [`SharedPart::install`].
    pub fn update(
        &self,
        part: &mut Part<'_>,
        build: impl FnOnce(&mut Part<'_>) -> Result<(), RecipeError>,
    ) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if !self.is_shared() || self.is_built() {
            return Ok(Vec::new());
        }
        self.bring_about(
            part,
            "shared part was rebuilt by another build",
            Some("shared part must be rebuilt"),
            build,
        )
    }

    fn bring_about(
        &self,
        part: &mut Part<'_>,
        when_there: &str,
        when_not: Option<&str>,
        build: impl FnOnce(&mut Part<'_>) -> Result<(), RecipeError>,
    ) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let Some(made_of) = &self.made_of else {
            if !self.keeps_failures {
                part.created(self.location.clone());
            }
            self.prepare()?;
            build(part)?;
            return Ok(vec![self.location.clone()]);
        };
        if self.is_built() {
            part.log(Level::Info, when_there);
            return Ok(Vec::new());
        }
        let lock = self.lock(&|text| part.log(Level::Info, text))?;
        let done = if self.is_built() {
            part.log(Level::Info, when_there);
            Ok(())
        } else {
            if let Some(message) = when_not {
                part.log(Level::Info, message);
            }
            self.prepare().and_then(|()| build(part)).and_then(|()| self.finish(made_of))
        };
        if done.is_err()
            && !self.keeps_failures
            && let Err(error) = files::remove_tree(&self.location)
        {
            part.log(Level::Warning, format!("Couldn't clean up '{}': {error}", self.location));
        }
        if let Err(error) = lock.remove() {
            part.log(Level::Warning, format!("Couldn't remove a lock: {error}"));
        }
        done.map(|()| Vec::new())
    }

    fn lock(&self, log: &dyn Fn(String)) -> Result<FileLock, RecipeError> {
        lock(&self.location, log).map_err(|error| refused(&self.location, error))
    }

    /// Removes what was there and makes the directory, or the one around what the recipe makes.
    fn prepare(&self) -> Result<(), RecipeError> {
        let wanted = if self.makes_location { Some(self.location.as_path()) } else { self.location.parent() };
        files::remove_tree(&self.location)
            .and_then(|()| wanted.map_or(Ok(()), |wanted| files::ensure_directory(wanted, 0o777)))
            .map_err(|error| refused(&self.location, error))
    }

    /// Says that a shared part is built.
    fn finish(&self, made_of: &str) -> Result<(), RecipeError> {
        let location = &self.location;
        match fs::symlink_metadata(location) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(RecipeError::new(format!("'{location}' is not a directory"))),
            Err(_) => return Err(RecipeError::new(format!("'{location}' was not created"))),
        }
        // Whoever finds the marker after a power loss relies on everything else.
        files::sync_file_system(location)
            .and_then(|()| files::replace(&location.join(MARKER), made_of, 0o644))
            .and_then(|()| files::make_read_only(location))
            .map_err(|error| refused(location, error))
    }
}

/// Keeps other builds away from a shared part while a recipe that knows nothing of this module builds it. `None` when
/// the part is not shared, or built.
pub(crate) fn guard(engine: &mut Engine, part: &str) -> Result<Option<FileLock>, BuildError> {
    if engine.read(part, "shared")?.as_deref() != Some("true") {
        return Ok(None);
    }
    let Some(location) = engine.read(part, "location")?.map(Utf8PathBuf::from) else { return Ok(None) };
    let roots = engine.read("buildout", ROOTS)?.unwrap_or_default();
    let is_in_root = |root: &Utf8Path| location.parent() == Some(&root.join(part));
    if !roots.lines().filter_map(root).any(is_in_root) || is_built(&location) {
        return Ok(None);
    }
    let log = |text: String| engine.log(Level::Info, Some(part), text);
    let lock = lock(&location, &log);
    lock.map(Some).map_err(|error| BuildError::file(format!("cannot lock {location}"), error))
}

fn lock(location: &Utf8Path, log: &dyn Fn(String)) -> std::io::Result<FileLock> {
    let (Some(directory), Some(name)) = (location.parent(), location.file_name()) else {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    };
    files::ensure_directory(directory, 0o777)?;
    FileLock::wait_for(&directory.join(format!(".{name}.lock")), &mut |pid| {
        let who = pid.map_or_else(|| "another build".to_owned(), |pid| format!("process {pid}"));
        log(format!("waiting for {who}, which builds the shared part {location}"));
    })
}

fn refused(location: &Utf8Path, error: std::io::Error) -> RecipeError {
    let is_closed =
        matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem);
    let refused = RecipeError::new(format!("cannot build in {location}")).because(error);
    if is_closed {
        let above = location.parent().unwrap_or(location);
        return refused
            .hint(format!("run as a user who may write in {above}, or let this one do so"))
            .code("E-file-permission");
    }
    refused.code("E-file")
}

fn is_shared(value: Option<String>) -> Result<bool, RecipeError> {
    match value.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(value) => Err(RecipeError::new(format!("`{value}` is no value for `shared`"))
            .option("shared")
            .hint("write true or false")
            .code("E-profile-value")),
    }
}

fn is_built(location: &Utf8Path) -> bool {
    location.join(MARKER).exists()
}

fn root(line: &str) -> Option<&Utf8Path> {
    let root = line.trim().trim_end_matches('/');
    (!root.is_empty()).then(|| Utf8Path::new(root))
}

/// The options of a part and its signature, in the form in which Python builds write them: JSON, two blanks for each
/// level, names sorted. Where the profile comes from makes no difference.
fn made_of(options: impl IntoIterator<Item = (String, String)>, signature: Option<String>) -> String {
    let mut options: BTreeMap<String, String> = options.into_iter().collect();
    options.extend(signature.map(|signature| (SIGNATURE.to_owned(), signature)));
    if let Some(base) = options.remove(BASE_OPTION).filter(|base| !base.is_empty()) {
        for value in options.values_mut() {
            *value = value.replace(&base, BASE_REFERENCE);
        }
    }
    serde_json::to_string_pretty(&options).expect("texts can be written as JSON")
}

#[cfg(test)]
mod tests;
