//! Where the code of a recipe is: in a distribution that the pins choose, or in a file.

use std::sync::Arc;

use camino::Utf8PathBuf;
use host::files;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{Shared, locked};
use crate::eggs::{EggError, Eggs, ProjectName, WorkingSet};
use crate::engine::Engine;
use crate::nearest::nearest;
use crate::{BuildError, EggSettings, RecipeError};

/// The group of entry points that recipes are in.
pub(super) const RECIPES: &str = "zc.buildout";
/// The group of what undoes parts.
const UNINSTALL: &str = "zc.buildout.uninstall";
/// The setuptools that recipes get when nothing is said about it: later ones lack what zc.buildout imports of it.
const SETUPTOOLS: (&str, &str) = ("setuptools", "<80");
/// As many recipes of a distribution are listed in a hint; of more only those with a similar name.
const FEW: usize = 6;
/// The distribution that recipes in files derive from, when it is installed.
const COOKBOOK: &str = "slapos.cookbook";

/// Where the code of a recipe is.
pub(super) struct Found {
    pub(super) python: Utf8PathBuf,
    pub(super) path: Vec<Utf8PathBuf>,
    pub(super) entry: Value,
    pub(super) uninstall: Option<Value>,
    pub(super) signature: String,
}

/// Installs the distribution of a recipe.
pub(super) type Install<'a> = &'a dyn Fn(&str) -> Result<WorkingSet, EggError>;

impl Shared {
    /// Finds a recipe by its specification; `None` when no such distribution exists.
    pub(super) fn find(
        &self,
        specification: &str,
        settings: &EggSettings,
        install: Install<'_>,
    ) -> Result<Option<Arc<Found>>, RecipeError> {
        // What one Python has, another may lack.
        let key = format!("{} {specification}", settings.python);
        let known = locked(&self.found).get(&key).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let found = if is_file(specification) {
            Some(find_file(specification, settings)?)
        } else {
            find_distribution(specification, install)?
        };
        let found = found.map(Arc::new);
        if let Some(found) = &found {
            locked(&self.found).insert(key, Arc::clone(found));
        }
        Ok(found)
    }
}

/// What the profile says about distributions, and what it need not say for recipes.
pub(super) fn settings(engine: &mut Engine) -> Result<EggSettings, BuildError> {
    let mut settings = engine.egg_settings()?;
    let pinned = settings.pins.keys().any(|name| ProjectName::new(name).as_str() == SETUPTOOLS.0);
    if settings.allow_picked_versions && !pinned {
        let (project, versions) = SETUPTOOLS;
        settings.pins.insert(project.to_owned(), versions.to_owned());
    }
    Ok(settings)
}

/// The distribution and the entry point that a specification names.
pub(super) fn split(specification: &str) -> (&str, &str) {
    specification.split_once(':').unwrap_or((specification, "default"))
}

/// Whether a specification names a file with a class `Recipe`.
fn is_file(specification: &str) -> bool {
    specification.ends_with(".py") && specification.contains('/') || specification.starts_with('/')
}

fn find_file(specification: &str, settings: &EggSettings) -> Result<Found, RecipeError> {
    let file = settings.directory.join(specification);
    let missing = || {
        RecipeError::new(format!("the recipe file {file} does not exist"))
            .code("E-recipe-missing")
            .option("recipe")
    };
    let content = files::read_if_present(&file)
        .map_err(|error| RecipeError::new(format!("the recipe file {file} cannot be read")).because(error))?
        .ok_or_else(missing)?;
    // Such recipes may derive from those of the cookbook; nothing is fetched for that.
    let offline = EggSettings { offline: true, allow_picked_versions: true, ..settings.clone() };
    let path = Eggs::new(&offline, &|_, _| {}).install(&[COOKBOOK]).map(|set| set.path()).unwrap_or_default();
    let digest: String = Md5::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Found {
        python: settings.python.clone(),
        path,
        entry: json!({"file": file, "attribute": "Recipe"}),
        uninstall: None,
        signature: format!("{}-{digest}", file.file_name().unwrap_or_default()),
    })
}

fn find_distribution(specification: &str, install: Install<'_>) -> Result<Option<Found>, RecipeError> {
    let (requirement, name) = split(specification);
    let set = match install(requirement) {
        Ok(set) => set,
        // Nobody knows such a project: the name is wrong, not its version.
        Err(EggError::Missing(missing))
            if missing.chain.is_empty() && missing.pin.is_none() && missing.nearest.is_empty() =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let entry =
        entry_point(&set, requirement, RECIPES, name)?.ok_or_else(|| no_entry(&set, requirement, name))?;
    Ok(Some(Found {
        python: set.python().to_owned(),
        path: set.path(),
        entry,
        uninstall: entry_point(&set, requirement, UNINSTALL, name)?,
        signature: set.signature()?.join(" "),
    }))
}

/// An error of finding a recipe, as one of the part that names it.
pub(super) fn not_loaded(specification: &str, part: &str, error: RecipeError) -> RecipeError {
    let (code, hints) = (error.error_code(), error.hints().to_vec());
    let message = format!("recipe `{specification}` of [{part}] is not built in and could not be loaded");
    let words = error.classic_words();
    let words = words.0.map(|message| (message.to_owned(), words.1.map(str::to_owned)));
    let mut failure = RecipeError::new(message).because(error).code(code).option("recipe");
    if let Some((message, doing)) = words {
        failure = failure.in_classic_words(message, doing);
    }
    hints.into_iter().fold(failure, RecipeError::hint)
}

/// A distribution that has no recipe of that name, as an error that tells which it has.
fn no_entry(set: &WorkingSet, requirement: &str, name: &str) -> RecipeError {
    let points = set.entry_points(requirement, RECIPES).unwrap_or_default();
    let known: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
    let near = if known.len() <= FEW { known.join(", ") } else { nearest(name, known).join(", ") };
    let error = RecipeError::new(format!("`{requirement}` has no recipe `{name}`")).code("E-recipe-missing");
    if near.is_empty() { error } else { error.hint(format!("it has {near}")) }
}

fn entry_point(
    set: &WorkingSet,
    requirement: &str,
    group: &str,
    name: &str,
) -> Result<Option<Value>, EggError> {
    let points = set.entry_points(requirement, group)?;
    let point = points.into_iter().find(|point| point.name == name);
    Ok(point.map(|point| json!({"module": point.module, "attribute": point.attribute})))
}
