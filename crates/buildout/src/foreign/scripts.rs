//! Scripts that recipes ask for: what `zc.buildout.easy_install.scripts` does, with the distributions of the engine.

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::serve::{Refusal, words};
use crate::Level;
use crate::RecipeError;
use crate::eggs::scripts::{ScriptSettings, entry_point_script, interpreter_script, write_script};
use crate::engine::Engine;

/// The group of entry points that scripts are made of.
const GROUP: &str = "console_scripts";

/// Writes the scripts of a question; gives their paths.
pub(super) fn write(engine: &mut Engine, question: &Value) -> Result<Value, Refusal> {
    let text = |name: &str| question.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let settings = ScriptSettings {
        python: engine.python()?,
        path: words(question, "path").into_iter().map(Utf8PathBuf::from).collect(),
        initialization: text("initialization"),
        arguments: text("arguments"),
        relative_to: Some(text("relative_to")).filter(|path| !path.is_empty()).map(Utf8PathBuf::from),
    };
    let directory = engine.directory().join(text("directory"));
    let mut written = Vec::new();
    let mut put = |engine: &Engine, name: &str, kind: &str, text: &dyn Fn(&Utf8PathBuf) -> String| {
        let target = directory.join(name);
        let is_new = write_script(&target, &text(&target)).map_err(RecipeError::from)?;
        if is_new {
            engine.log(Level::Info, None, format!("Generated {kind} '{target}'."));
        }
        written.push(target);
        Ok::<(), Refusal>(())
    };
    for (name, module, attribute) in entries(engine, question)? {
        let name = match question.get("scripts").and_then(Value::as_object) {
            None => Some(name.as_str()),
            Some(wanted) => wanted.get(&name).and_then(Value::as_str),
        };
        if let Some(name) = name {
            let script = |target: &Utf8PathBuf| entry_point_script(&settings, target, &module, &attribute);
            put(engine, name, "script", &script)?;
        }
    }
    if let Some(interpreter) = question.get("interpreter").and_then(Value::as_str) {
        put(engine, interpreter, "interpreter", &|target| interpreter_script(&settings, target))?;
    }
    Ok(json!(written))
}

/// Names, modules and attributes: those given, then those of the distributions given.
fn entries(engine: &mut Engine, question: &Value) -> Result<Vec<(String, String, String)>, Refusal> {
    let given = question.get("entries").cloned().unwrap_or_default();
    let mut entries: Vec<(String, String, String)> = serde_json::from_value(given)
        .map_err(|_| Refusal::Text("an entry point is a name, a module and an attribute".to_owned()))?;
    let requirements = words(question, "requirements");
    if requirements.is_empty() {
        return Ok(entries);
    }
    let settings = engine.egg_settings()?;
    let set = engine.install_eggs(&settings, &requirements).map_err(RecipeError::from)?;
    for requirement in requirements {
        let points = set.entry_points(&requirement, GROUP).map_err(RecipeError::from)?;
        entries.extend(points.into_iter().map(|point| (point.name, point.module, point.attribute)));
    }
    Ok(entries)
}
