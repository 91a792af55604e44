//! What `why` prints: text for people, a document for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::changes::{Change, Changes, Found, Line, NewCode};

impl Changes {
    pub(super) fn write(&self, text: &mut String, depth: usize) {
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
        if let Some(NewCode { was, is, lines }) = &self.recipe {
            let _ = writeln!(text, "{indent}its recipe is of another version");
            for (word, what) in [("was", was), ("is ", is)] {
                let what = if what.is_empty() { "(nothing)".to_owned() } else { what.join(" ") };
                let _ = writeln!(text, "{indent}  {word}: {what}");
            }
            write_lines(text, &indent, lines);
        }
        if !self.withheld.is_empty() {
            let names = self.withheld.join("`, `");
            let _ = writeln!(
                text,
                "{indent}options whose values are not kept, as they look like secrets: `{names}`"
            );
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

    pub(super) fn document(&self) -> Value {
        let places = |lines: &[Line]| -> Vec<Value> {
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
            "recipe": self.recipe.as_ref().map(|NewCode { was, is, lines }| {
                json!({"old": was, "new": is, "lines": places(lines)})
            }),
            "withheld": self.withheld,
            "dependencies": dependencies.collect::<Vec<_>>(),
        })
    }
}

fn write_lines(text: &mut String, indent: &str, lines: &[Line]) {
    for (place, line) in lines {
        let _ = writeln!(text, "{indent}  {place}: {}", line.trim());
    }
}
