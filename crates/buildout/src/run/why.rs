//! `buildout why PART`: what makes a part be built again: which option, from which line of which profile, with the
//! value of the last build and that of the next one; and of a dependency, what changed in it.

mod changes;
mod tell;

use camino::Utf8Path;
use serde_json::json;

use self::changes::{Comparison, Found};
use super::look::{Look, Words, show, show_document};
use super::past::Past;
use crate::engine::Engine;
use crate::nearest::nearest;
use crate::plan::Why;
use crate::{Action, BuildError, Fault, Outcome, Settings};

pub(super) fn why(
    engine: &mut Engine,
    settings: &mut Settings,
    words: &[String],
) -> Result<Outcome, BuildError> {
    let words = Words::parse(words, false)?;
    let [part] = words.names.as_slice() else {
        return Err(Fault::Usage("why wants the name of one part".to_owned()).into());
    };
    let look = Look::new(engine, settings, &[])?;
    let plan = look.plan(engine);
    let step = plan.steps.iter().find(|(step, _)| step == part).map(|(_, action)| *action);
    let removal = plan.removals.iter().find(|removal| removal.part == *part).map(|removal| &removal.why);
    let (verdict, changes) = match (step, removal) {
        (Some(Action::Update), _) => ("unchanged", None),
        (Some(_), None) => ("new", None),
        (_, Some(Why::NotWanted)) => ("not wanted", None),
        (_, Some(Why::PathGone(_))) => ("path missing", None),
        (_, Some(Why::PathGoes { .. })) => ("path shared", None),
        (_, Some(Why::Changed(_))) => {
            let past = Past::load(Utf8Path::new(&engine.require("buildout", "installed")?));
            ("changed", Some(Comparison::new(&look, past).of_part(engine, part)))
        }
        (None, None) if engine.table.contains(part) => return of_section(engine, &look, part, words.is_json),
        (None, None) => return Err(unknown(&look, part)),
    };
    let path = match removal {
        Some(Why::PathGone(path) | Why::PathGoes { path, .. }) => Some(path.as_str()),
        _ => None,
    };
    if words.is_json {
        let mut document = json!({"part": part, "verdict": verdict, "path": path});
        if let Some(changes) = &changes {
            document["changes"] = changes.document();
        }
        return Ok(show_document(engine, &document));
    }
    let mut text = match (verdict, path) {
        ("unchanged", _) => format!("[{part}] is as it was: it would only be looked after.\n"),
        ("new", _) => format!("[{part}] is new: the last build did not have it.\n"),
        ("not wanted", _) => {
            format!("[{part}] would be removed: no part of the profile wants it any more.\n")
        }
        ("path shared", Some(path)) => {
            format!("[{part}] would be built again: {path} goes with another part, which made it, too.\n")
        }
        (_, Some(path)) => format!("[{part}] would be built again: {path} is missing.\n"),
        _ => format!("[{part}] would be built again.\n"),
    };
    if let Some(changes) = &changes {
        changes.write(&mut text, 1);
    }
    Ok(show(engine, text))
}

/// The answer for a section that is no part.
fn of_section(engine: &mut Engine, look: &Look, section: &str, is_json: bool) -> Result<Outcome, BuildError> {
    let past = Past::load(Utf8Path::new(&engine.require("buildout", "installed")?));
    let mut comparison = Comparison::new(look, past);
    let users = comparison.users(section);
    let found = comparison.of_section(engine, section);
    let verdict = match (&found, users.as_slice()) {
        (Some(_), _) => "changed",
        (None, []) => "unused",
        (None, _) => "unchanged",
    };
    if is_json {
        let mut document = json!({"section": section, "verdict": verdict, "parts": users});
        match &found {
            Some(Found::Changes(changes)) => document["changes"] = changes.document(),
            Some(Found::Nothing(note)) => document["note"] = json!(note),
            None => {}
        }
        return Ok(show_document(engine, &document));
    }
    let names: Vec<String> = users.iter().map(|part| format!("[{part}]")).collect();
    let names = names.join(", ");
    let mut text = match verdict {
        "changed" => format!("[{section}] is no part; it changed, and these were built from it: {names}.\n"),
        "unused" => format!("[{section}] is no part, and nothing that is installed was built from it.\n"),
        _ => format!("[{section}] is no part; it says what it said when {names} were built.\n"),
    };
    match &found {
        Some(Found::Changes(changes)) => changes.write(&mut text, 1),
        Some(Found::Nothing(note)) => text.extend(["  ", note, "\n"]),
        None => {}
    }
    Ok(show(engine, text))
}

fn unknown(look: &Look, part: &str) -> BuildError {
    let names = look.parts.keys().chain(look.recorded.parts.keys()).map(String::as_str);
    let near = nearest(part, names);
    let message = format!("[{part}] is no part of the build, and was none of the last one");
    let hint = match near.as_slice() {
        [] => "`buildout plan` lists the parts".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    Fault::Refused { message, hint: Some(hint), code: "E-usage" }.into()
}
