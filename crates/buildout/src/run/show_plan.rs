//! `buildout plan`: what would be removed, installed and looked after, and why.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::look::{Look, Words, show, show_document};
use crate::engine::Engine;
use crate::installed::SIGNATURE;
use crate::plan::{Why, dependencies, differences};
use crate::{Action, BuildError, Outcome, Settings};

/// One line of the plan.
struct Row<'p> {
    action: &'static str,
    part: &'p str,
    why: String,
}

pub(super) fn show_plan(
    engine: &mut Engine,
    settings: &mut Settings,
    words: &[String],
) -> Result<Outcome, BuildError> {
    let words = Words::parse(words, false)?;
    let look = Look::new(engine, settings, &words.names)?;
    let plan = look.plan(engine);
    let removed: HashMap<&str, &Why> =
        plan.removals.iter().map(|removal| (removal.part.as_str(), &removal.why)).collect();
    let mut rows: Vec<Row<'_>> = plan
        .removals
        .iter()
        .filter(|removal| removal.why == Why::NotWanted)
        .map(|removal| Row {
            action: "remove",
            part: &removal.part,
            why: "the profile does not want it any more".to_owned(),
        })
        .collect();
    rows.extend(plan.steps.iter().map(|(part, action)| {
        let (action, why) = match (action, removed.get(part.as_str())) {
            (Action::Update, _) => ("update", "nothing changed".to_owned()),
            (_, None) => ("install", "new".to_owned()),
            (_, Some(why)) => ("reinstall", reason(&look, part, why)),
        };
        Row { action, part, why }
    }));
    let kept = look.recorded.parts.keys().filter(|part| {
        !removed.contains_key(part.as_str()) && !plan.steps.iter().any(|(step, _)| step == *part)
    });
    rows.extend(kept.map(|part| Row { action: "keep", part, why: "it was not asked for".to_owned() }));
    if words.is_json {
        let rows: Vec<Value> =
            rows.iter().map(|row| json!({"action": row.action, "part": row.part, "why": row.why})).collect();
        return Ok(show_document(engine, &Value::Array(rows)));
    }
    Ok(show(engine, table(&rows)))
}

/// Why a part is built again, in few words.
pub(super) fn reason(look: &Look, part: &str, why: &Why) -> String {
    match why {
        Why::NotWanted => "the profile does not want it any more".to_owned(),
        Why::PathGone(path) => format!("{path} is missing"),
        Why::PathGoes { path, with } => format!("{path} goes with [{with}]"),
        Why::Changed(_) => {
            let (Some(old), Some(new)) = (look.recorded.parts.get(part), look.parts.get(part)) else {
                return "changed".to_owned();
            };
            let names = differences(old, new);
            let mut own: Vec<&str> =
                names.iter().map(String::as_str).filter(|name| *name != SIGNATURE).collect();
            if own.is_empty() {
                own = dependencies(old, new);
                return match own.as_slice() {
                    [] => "its recipe changed".to_owned(),
                    sections => format!("dependency changed: {}", few(sections)),
                };
            }
            let noun = if own.len() == 1 { "option" } else { "options" };
            format!("{noun} changed: {}", few(&own))
        }
    }
}

/// Names for a line.
fn few(names: &[&str]) -> String {
    const MOST: usize = 4;
    if names.len() <= MOST {
        return names.join(", ");
    }
    format!("{} and {} more", names[..MOST].join(", "), names.len() - MOST)
}

fn table(rows: &[Row<'_>]) -> String {
    if rows.is_empty() {
        return "Nothing to do.\n".to_owned();
    }
    let width = rows.iter().map(|row| row.part.len()).max().unwrap_or_default();
    rows.iter().map(|row| format!("{:<9}  {:<width$}  {}\n", row.action, row.part, row.why)).collect()
}
