//! `buildout why PART`: what makes a part be built again: which option, from which line of which profile, with the
//! value of the last build and that of the next one; and of a dependency, what changed in it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::locate;
use super::look::{Look, Words, show, show_document};
use crate::engine::Engine;
use crate::installed::SIGNATURE;
use crate::nearest::nearest;
use crate::plan::{Why, dependencies, differences};
use crate::{Action, BuildError, Fault, Outcome, Settings};

/// What changed in one section.
#[derive(Default)]
struct Changes {
    options: Vec<Change>,
    dependencies: Vec<(String, Found)>,
    has_new_recipe: bool,
}

/// What is known of a dependency.
enum Found {
    /// What changed in it.
    Changes(Changes),
    /// It is no part, so its options were not recorded; or it was told already.
    Nothing(&'static str),
}

struct Change {
    option: String,
    old: Option<String>,
    new: Option<String>,
    /// The lines that say it, `file:line` and text, the decisive first.
    lines: Vec<(String, String)>,
    /// The references in it whose value is new, with the lines of what they refer to.
    through: Vec<(String, Vec<(String, String)>)>,
}

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
        (_, Some(Why::Changed(_))) => ("changed", Some(changes(engine, &look, part, &mut BTreeSet::new()))),
        (None, None) => return Err(unknown(&look, part)),
    };
    let path = match removal {
        Some(Why::PathGone(path)) => Some(path.as_str()),
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
        (_, Some(path)) => format!("[{part}] would be built again: {path} is missing.\n"),
        _ => format!("[{part}] would be built again.\n"),
    };
    if let Some(changes) = &changes {
        changes.write(&mut text, 1);
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

fn changes(engine: &mut Engine, look: &Look, part: &str, told: &mut BTreeSet<String>) -> Changes {
    told.insert(part.to_owned());
    let (Some(old), Some(new)) = (look.recorded.parts.get(part), look.parts.get(part)) else {
        return Changes::default();
    };
    let names = differences(old, new);
    let options = names
        .iter()
        .filter(|name| *name != SIGNATURE)
        .map(|name| change(engine, part, name, old.get(name), new.get(name)))
        .collect();
    let sections: Vec<String> = dependencies(old, new).into_iter().map(str::to_owned).collect();
    let has_new_recipe = names.iter().any(|name| name == SIGNATURE) && sections.is_empty();
    let dependencies = sections
        .into_iter()
        .map(|section| {
            let found = dependency(engine, look, &section, told);
            (section, found)
        })
        .collect();
    Changes { options, dependencies, has_new_recipe }
}

fn dependency(engine: &mut Engine, look: &Look, section: &str, told: &mut BTreeSet<String>) -> Found {
    if told.contains(section) {
        return Found::Nothing("see above");
    }
    match (look.recorded.parts.contains_key(section), look.parts.contains_key(section)) {
        (true, true) => return Found::Changes(changes(engine, look, section, told)),
        (false, true) => return Found::Nothing("it is new"),
        (true, false) => return Found::Nothing("it is no part any more"),
        (false, false) => {}
    }
    // What it said itself was not recorded; but that of the parts behind it was.
    told.insert(section.to_owned());
    let reads: Vec<String> = engine.reads(section).into_iter().flatten().cloned().collect();
    let mut behind = Changes::default();
    for read in reads {
        let is_changed = match (look.recorded.parts.get(&read), look.parts.get(&read)) {
            (Some(old), Some(new)) => !differences(old, new).is_empty(),
            (_, is_part) => is_part.is_none(),
        };
        if is_changed && let Found::Changes(changes) = dependency(engine, look, &read, told) {
            behind.dependencies.push((read, Found::Changes(changes)));
        }
    }
    if behind.dependencies.is_empty() {
        Found::Nothing("it is no part, and what it said last time is not recorded")
    } else {
        Found::Changes(behind)
    }
}

fn change(
    engine: &mut Engine,
    section: &str,
    option: &str,
    old: Option<&String>,
    new: Option<&String>,
) -> Change {
    let raw = engine.table.resolve(section).ok().and_then(|options| options.get(option).cloned());
    let mut through = Vec::new();
    for reference in raw.as_deref().map(references).unwrap_or_default() {
        let Some((other, name)) = reference.split_once(':') else { continue };
        let other = if other.is_empty() { section } else { other };
        let value = engine.read(other, name).ok().flatten().unwrap_or_default();
        // What the old text has, too, is not what made the difference.
        let is_news = !value.is_empty() && old.is_none_or(|old| !old.contains(&value));
        if is_news {
            through.push((format!("${{{reference}}}"), lines(engine, other, name)));
        }
    }
    let lines = lines(engine, section, option);
    Change { option: option.to_owned(), old: old.cloned(), new: new.cloned(), lines, through }
}

/// The texts between `${` and `}`.
fn references(text: &str) -> Vec<&str> {
    let pieces = text.split("$$").flat_map(|piece| piece.split("${").skip(1));
    pieces.filter_map(|piece| piece.split_once('}')).map(|(reference, _)| reference).collect()
}

/// The lines of profiles that assign an option.
fn lines(engine: &Engine, section: &str, option: &str) -> Vec<(String, String)> {
    let places = locate::places(&engine.table, section, option, 0);
    let place = |(source, line): (crate::sources::SourceId, u32)| {
        let source = engine.sources.get(source);
        let text = source.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
        (format!("{}:{line}", source.name), text.to_owned())
    };
    places.into_iter().map(place).collect()
}

impl Changes {
    fn write(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        for Change { option, old, new, lines, through } in &self.options {
            let _ = writeln!(text, "{indent}option `{option}`");
            for (word, value) in [("was", old), ("is ", new)] {
                let value = value.as_deref().unwrap_or("(not there)");
                let _ = writeln!(
                    text,
                    "{indent}  {word}: {}",
                    value.replace('\n', &format!("\n{indent}       "))
                );
            }
            match lines.as_slice() {
                [] if new.is_some() => {
                    let _ = writeln!(text, "{indent}  set by the recipe");
                }
                lines => write_lines(text, &indent, lines),
            }
            for (reference, lines) in through {
                let _ = writeln!(text, "{indent}  by {reference}");
                write_lines(text, &format!("{indent}  "), lines);
            }
        }
        if self.has_new_recipe {
            let _ = writeln!(text, "{indent}its recipe is another one, or of another version");
        }
        for (section, found) in &self.dependencies {
            match found {
                Found::Nothing(what) => {
                    let _ = writeln!(text, "{indent}it depends on [{section}], which changed ({what})");
                }
                Found::Changes(changes) => {
                    let _ = writeln!(text, "{indent}it depends on [{section}], which changed:");
                    changes.write(text, depth + 1);
                }
            }
        }
    }

    fn document(&self) -> Value {
        let places = |lines: &[(String, String)]| -> Vec<Value> {
            lines.iter().map(|(place, text)| json!({"place": place, "text": text})).collect()
        };
        let options = self.options.iter().map(|change| {
            let through = change.through.iter();
            let through = through.map(|(text, lines)| json!({"reference": text, "lines": places(lines)}));
            json!({
                "option": change.option, "old": change.old, "new": change.new, "lines": places(&change.lines),
                "through": through.collect::<Vec<_>>(),
            })
        });
        let dependencies = self.dependencies.iter().map(|(section, found)| match found {
            Found::Changes(changes) => json!({"section": section, "changes": changes.document()}),
            Found::Nothing(what) => json!({"section": section, "note": what}),
        });
        json!({
            "options": options.collect::<Vec<_>>(),
            "recipe": self.has_new_recipe,
            "dependencies": dependencies.collect::<Vec<_>>(),
        })
    }
}

fn write_lines(text: &mut String, indent: &str, lines: &[(String, String)]) {
    for (place, line) in lines {
        let _ = writeln!(text, "{indent}  {place}: {}", line.trim());
    }
}
