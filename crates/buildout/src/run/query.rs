//! `buildout query`: the text of one option, nothing expanded.

use serde_json::json;

use super::look::{Words, show, show_document};
use crate::engine::Engine;
use crate::nearest::nearest;
use crate::{BuildError, Event, Fault, Outcome, load};

pub(super) fn query(engine: &mut Engine, words: &[String]) -> Result<Outcome, BuildError> {
    let Words { names: arguments, is_json, .. } = Words::of_classic(engine.dialect(), words)?;
    let refused = |message: String, near: Vec<String>| {
        let hint = (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")));
        BuildError::from(Fault::Refused { message, hint, code: "E-usage" })
    };
    let [option] = arguments.as_slice() else {
        return Err(refused("The query command requires a single argument.".to_owned(), Vec::new()));
    };
    let (section, name) = option.split_once(':').unwrap_or(("buildout", option));
    if name.contains(':') {
        return Err(refused(format!("Invalid option: {option}"), Vec::new()));
    }
    if engine.has_verbosity()? && !is_json {
        engine.sink().event(Event::Text { text: format!("${{{section}:{name}}}\n") });
    }
    if !engine.table.contains(section) {
        let near = nearest(section, engine.table.sections.keys().map(String::as_str));
        return Err(refused(format!("Section not found: {section}"), near));
    }
    let value = match load::raw_value(engine, section, name) {
        Some(value) => value,
        None if section == "buildout" && name == "executable" => engine.require(section, name)?,
        None => {
            let names = engine.table.sections[section].options.keys().map(String::as_str);
            return Err(refused(format!("Key not found: {name}"), nearest(name, names)));
        }
    };
    if is_json {
        let document = json!({"section": section, "option": name, "value": value});
        return Ok(show_document(engine, &document));
    }
    Ok(show(engine, format!("{value}\n")))
}
