//! `buildout annotate`: every option of every section with the profiles that it comes from.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::look::{Words, settle_conditions, show, show_document};
use crate::engine::Engine;
use crate::syntax::Operator;
use crate::table::{History, Origin, Step};
use crate::{BuildError, Dialect, Outcome, Settings};

pub(super) fn annotate(
    engine: &mut Engine,
    settings: &mut Settings,
    words: &[String],
) -> Result<Outcome, BuildError> {
    let Words { names: sections, is_json, .. } = Words::of_classic(engine.dialect(), words)?;
    let conditions = match engine.dialect() {
        Dialect::Slapos => settle_conditions(engine, settings)?,
        Dialect::Upstream => None,
    };
    let python = engine.require("buildout", "executable").unwrap_or_default();
    let step = Step { operator: Operator::Set, value: python, origin: Origin::Default };
    if engine.table.history("buildout", "executable").is_none() {
        engine.table.assign("buildout", "executable", step);
    }
    if is_json {
        let document = document(engine, &sections);
        return Ok(show_document(engine, &document));
    }
    let verbose = engine.has_verbosity()?;
    let mut text = String::from("\nAnnotated sections\n==================\n");
    if let Some(conditions) = conditions {
        let _ = writeln!(text, "{conditions}");
    }
    let mut names: Vec<&String> = engine.table.sections.keys().collect();
    names.sort_unstable();
    for name in names.into_iter().filter(|name| sections.is_empty() || sections.contains(name)) {
        let _ = write!(text, "\n[{name}]\n");
        let section = &engine.table.sections[name];
        let is_macro_user = section.options.contains_key("<");
        let mut options: Vec<(&String, &History)> = section.options.iter().collect();
        options.sort_unstable_by_key(|(option, _)| *option);
        for (option, history) in options {
            write_option(&mut text, engine, option, history, is_macro_user, verbose);
        }
    }
    Ok(show(engine, text))
}

/// All sections with their options and every step to their values, for programs.
fn document(engine: &Engine, sections: &[String]) -> Value {
    let mut names: Vec<&String> = engine.table.sections.keys().collect();
    names.sort_unstable();
    names.retain(|name| sections.is_empty() || sections.contains(name));
    let step = |step: &Step| {
        let operation = match step.operator {
            Operator::Set => "set",
            Operator::Add => "add",
            Operator::Remove => "remove",
        };
        let (origin, file, line) = match step.origin {
            Origin::Default => ("default", None, None),
            Origin::Computed => ("computed", None, None),
            Origin::Implicit => ("implicit", None, None),
            Origin::CommandLine => ("command-line", None, None),
            Origin::Profile { source, line } => {
                ("profile", Some(engine.sources.get(source).name.as_str()), Some(line))
            }
        };
        json!({"operation": operation, "value": step.value, "origin": origin, "file": file, "line": line})
    };
    let section = |name: &&String| {
        let mut options: Vec<(&String, &History)> = engine.table.sections[*name].options.iter().collect();
        options.sort_unstable_by_key(|(option, _)| *option);
        let options = options.into_iter().map(|(option, history)| {
            let steps: Vec<Value> = history.0.iter().map(step).collect();
            json!({"option": option, "value": history.value(None), "steps": steps})
        });
        json!({"section": name, "options": options.collect::<Vec<_>>()})
    };
    names.iter().map(section).collect()
}

/// One change of a value as it is shown: what the reference calls it, the value, and where it comes from.
struct Shown<'h> {
    operation: &'static str,
    value: &'h str,
    origin: String,
}

fn write_option(
    text: &mut String,
    engine: &Engine,
    option: &str,
    history: &History,
    is_macro_user: bool,
    verbose: bool,
) {
    if is_macro_user && history.is_increment() {
        // What it is added to or removed from is known only when the section is used.
        for step in &history.0 {
            let sign = if step.operator == Operator::Add { '+' } else { '-' };
            write_value(text, &format!("{option} {sign}"), &step.value);
            let shown = Shown { operation: "SET", value: &step.value, origin: origin(engine, step.origin) };
            write_changes(text, &[shown], verbose);
        }
        return;
    }
    write_value(text, option, &history.value(None));
    write_changes(text, &changes(engine, history), verbose);
}

fn write_value(text: &mut String, name: &str, value: &str) {
    let mut lines = lines(value);
    let first = lines.next().unwrap_or_default();
    let _ = match lines.next() {
        None if value.is_empty() => writeln!(text, "{name}="),
        // Compatibility: a single line is shown with the break behind it, of several the last break is not.
        None => writeln!(text, "{name}= {value}"),
        Some(second) => writeln!(text, "{name}= {first}\n{second}"),
    };
    lines.for_each(|line| {
        let _ = writeln!(text, "{line}");
    });
}

/// The lines of a value. Compatibility: as Python breaks texts, which is not only at line feeds.
fn lines(value: &str) -> impl Iterator<Item = &str> {
    let is_break = |letter: char| {
        matches!(
            letter,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut rest = value;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = rest.split_at(rest.find(is_break).unwrap_or(rest.len()));
        let after = after.strip_prefix("\r\n").or_else(|| after.strip_prefix(is_break));
        rest = after.unwrap_or_default();
        Some(line)
    })
}

fn changes<'h>(engine: &Engine, history: &'h History) -> Vec<Shown<'h>> {
    let mut shown = Vec::new();
    for (position, step) in history.0.iter().enumerate() {
        let operation = match step.operator {
            Operator::Add if position > 0 => "ADD",
            Operator::Remove if position > 0 => "REMOVE",
            _ if position == 0 => "SET",
            // Made absolute by the engine; a profile that is applied again changes nothing there.
            _ if is_made_of(step, &history.0[position - 1]) => "DIRECTORY",
            _ => "OVERRIDE",
        };
        shown.push(Shown { operation, value: &step.value, origin: origin(engine, step.origin) });
        if position == 0 && step.operator == Operator::Remove {
            let origin = "IMPLICIT_VALUE".to_owned();
            shown.push(Shown { operation: "REMOVE", value: &step.value, origin });
        }
    }
    shown
}

fn is_made_of(step: &Step, before: &Step) -> bool {
    step.origin == before.origin && step.value != before.value
}

fn write_changes(text: &mut String, changes: &[Shown<'_>], verbose: bool) {
    if verbose {
        write_history(text, changes);
        return;
    }
    // Whatever came before the last assignment has no effect.
    let start = changes.iter().rposition(|change| !matches!(change.operation, "ADD" | "REMOVE"));
    for change in &changes[start.unwrap_or_default()..] {
        let sign = match change.operation {
            "ADD" => "+=",
            "REMOVE" => "-=",
            _ => "  ",
        };
        let _ = writeln!(text, "{sign}  {}", change.origin);
    }
}

fn write_history(text: &mut String, changes: &[Shown<'_>]) {
    text.push('\n');
    for Shown { operation, value, origin } in changes.iter().rev() {
        let is_computed =
            matches!(origin.as_str(), "DEFAULT_VALUE" | "COMPUTED_VALUE" | "COMMAND_LINE_VALUE");
        let _ = writeln!(text, "   {} {origin}", if is_computed { "AS" } else { "IN" });
        if lines(value).count() <= 1 {
            let _ = writeln!(text, "   {operation} VALUE = {value}");
        } else {
            let _ = writeln!(text, "   {operation} VALUE =");
            for line in lines(value) {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
    text.push('\n');
}

/// A profile below the buildout directory by its relative path, any other by its whole name.
fn origin(engine: &Engine, origin: Origin) -> String {
    let source = match origin {
        Origin::Default => return "DEFAULT_VALUE".to_owned(),
        Origin::Computed => return "COMPUTED_VALUE".to_owned(),
        Origin::Implicit => return "IMPLICIT_VALUE".to_owned(),
        Origin::CommandLine => return "COMMAND_LINE_VALUE".to_owned(),
        Origin::Profile { source, .. } => source,
    };
    let name = engine.sources.get(source).name.as_str();
    match name.strip_prefix(engine.directory().as_str()).and_then(|rest| rest.strip_prefix('/')) {
        Some(relative) => crate::profiles::normalise(camino::Utf8Path::new(relative)).into_string(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_end_where_python_ends_them() {
        let found = |value| lines(value).collect::<Vec<_>>();

        assert_eq!(found("a\nb\r\nc\rd\u{85}e\u{2028}f\u{b}\n"), ["a", "b", "c", "d", "e", "f", ""]);
        assert_eq!(found("\n\na"), ["", "", "a"]);
        assert_eq!(found("a\u{1f}b"), ["a\u{1f}b"]);
        assert!(found("").is_empty());
    }
}
