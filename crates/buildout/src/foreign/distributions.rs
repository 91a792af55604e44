//! Distributions that recipes in Python ask for: what the functions of `zc.buildout.easy_install` do.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::serve::{Refusal, words};
use crate::eggs::EggBuild;
use crate::engine::Engine;
use crate::{BuildError, EggSettings, RecipeError};

/// Installs what requirements need; gives the places.
pub(super) fn install(engine: &mut Engine, question: &Value) -> Result<Value, Refusal> {
    let settings = settings(engine, question)?;
    let set = engine.install_eggs(&settings, &words(question, "requirements")).map_err(RecipeError::from)?;
    Ok(json!(set.path()))
}

/// Builds a distribution from its sources; gives its place in a list.
pub(super) fn build(engine: &mut Engine, question: &Value) -> Result<Value, Refusal> {
    let settings = settings(engine, question)?;
    let requirement = question.get("requirement").and_then(Value::as_str).unwrap_or_default();
    let directory = place(engine, question, "directory").unwrap_or_default();
    let tools = engine.egg_settings()?;
    let egg = engine.with_eggs(&settings, |eggs| {
        eggs.with_tools(&tools).build(requirement, &egg_build(question), &directory)
    });
    Ok(json!([egg.map_err(RecipeError::from)?]))
}

/// Leaves a link to the directory of a setup script; gives the link.
pub(super) fn develop(engine: &mut Engine, question: &Value) -> Result<Value, Refusal> {
    let mut settings = engine.egg_settings()?;
    if let Some(directory) = place(engine, question, "directory") {
        settings.develop_eggs_directory = directory;
    }
    let script = place(engine, question, "setup").unwrap_or_default();
    let link = engine.with_eggs(&settings, |eggs| eggs.develop(&script, &egg_build(question)));
    Ok(json!(link.map_err(RecipeError::from)?))
}

/// What the profile says about distributions, and the recipe otherwise. A recipe that names no directory to install into
/// wants what is there already; one that names places to look at has no other in mind.
fn settings(engine: &mut Engine, question: &Value) -> Result<EggSettings, BuildError> {
    let mut settings = engine.egg_settings()?;
    let destination = place(engine, question, "directory");
    settings.offline |= destination.is_none();
    let path = words(question, "path").into_iter().map(|place| engine.directory().join(place));
    let path: Vec<Utf8PathBuf> = destination.clone().into_iter().chain(path).collect();
    if let Some(first) = path.first() {
        if destination.is_some() || !path.contains(&settings.eggs_directory) {
            settings.eggs_directory = first.clone();
        }
        if !path.contains(&settings.develop_eggs_directory) {
            settings.develop_eggs_directory = settings.eggs_directory.clone();
        }
        settings.further_directories = path;
    }
    let links = words(question, "links");
    if !links.is_empty() {
        settings.find_links = links;
    }
    if let Some(index) = question.get("index").and_then(Value::as_str) {
        settings.index = Some(index.to_owned());
    }
    if let Some(versions) = question.get("versions").and_then(Value::as_object) {
        let pins = versions.iter().filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
        settings.pins = pins.collect();
    }
    let says = |name: &str, value: bool| question.get(name).and_then(Value::as_bool) == Some(value);
    settings.newest &= !says("newest", false);
    settings.allow_picked_versions |= says("check_picked", false);
    settings.allow_unknown_extras |= says("allow_unknown_extras", true);
    Ok(settings)
}

fn place(engine: &Engine, question: &Value, name: &str) -> Option<Utf8PathBuf> {
    Some(engine.directory().join(question.get(name)?.as_str()?))
}

fn egg_build(question: &Value) -> EggBuild {
    let options = question.get("build_ext").and_then(Value::as_object).into_iter().flatten();
    let extension_options: BTreeMap<String, String> =
        options.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    EggBuild { extension_options, ..EggBuild::default() }
}
