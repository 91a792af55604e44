//! `buildout annotate`: every option of every section with the profiles that it comes from.

use std::fmt::Write as _;

use crate::engine::Engine;
use crate::syntax::Operator;
use crate::table::{History, Origin, Step};
use crate::{BuildError, Event, Outcome};

pub(super) fn annotate(engine: &mut Engine, sections: &[String]) -> Result<Outcome, BuildError> {
    let python = engine.require("buildout", "executable").unwrap_or_default();
    let step = Step { operator: Operator::Set, value: python, origin: Origin::Default };
    if engine.table.history("buildout", "executable").is_none() {
        engine.table.assign("buildout", "executable", step);
    }
    let verbose = engine.has_verbosity()?;
    let mut text = String::from("\nAnnotated sections\n==================\n");
    let mut names: Vec<&String> = engine.table.sections.keys().collect();
    names.sort_unstable();
    for name in names.into_iter().filter(|name| sections.is_empty() || sections.contains(name)) {
        let _ = write!(text, "\n[{name}]\n");
        let mut options: Vec<(&String, &History)> = engine.table.sections[name].options.iter().collect();
        options.sort_unstable_by_key(|(option, _)| *option);
        for (option, history) in options {
            write_option(&mut text, engine, option, history, verbose);
        }
    }
    engine.sink().event(Event::Text { text });
    Ok(Outcome::default())
}

fn write_option(text: &mut String, engine: &Engine, option: &str, history: &History, verbose: bool) {
    let value = history.value(None);
    let mut lines = value.lines();
    match (lines.next(), value.lines().count()) {
        (None, _) => {
            let _ = writeln!(text, "{option}=");
        }
        (Some(_), 1) => {
            let _ = writeln!(text, "{option}= {value}");
        }
        (Some(first), _) => {
            let _ = writeln!(text, "{option}= {first}");
            lines.for_each(|line| {
                let _ = writeln!(text, "{line}");
            });
        }
    }
    if verbose {
        write_history(text, engine, history);
        return;
    }
    let start = history.0.iter().rposition(|step| step.operator == Operator::Set).unwrap_or_default();
    for (position, step) in history.0[start..].iter().enumerate() {
        let sign = match step.operator {
            // An increment without anything to add to is an assignment.
            Operator::Set => "  ",
            _ if position == 0 => "  ",
            Operator::Add => "+=",
            Operator::Remove => "-=",
        };
        let _ = writeln!(text, "{sign}  {}", origin(engine, step.origin));
    }
}

fn write_history(text: &mut String, engine: &Engine, history: &History) {
    text.push('\n');
    for (position, step) in history.0.iter().enumerate().rev() {
        let word = if matches!(step.origin, Origin::Profile { .. }) { "IN" } else { "AS" };
        let _ = writeln!(text, "   {word} {}", origin(engine, step.origin));
        let operation = match step.operator {
            Operator::Add if position > 0 => "ADD",
            Operator::Remove if position > 0 => "REMOVE",
            _ if position == 0 => "SET",
            // Made absolute by the engine.
            _ if history.0[position - 1].origin == step.origin => "DIRECTORY",
            _ => "OVERRIDE",
        };
        let lines: Vec<&str> = step.value.lines().collect();
        if lines.len() <= 1 {
            let _ = writeln!(text, "   {operation} VALUE = {}", step.value);
        } else {
            let _ = writeln!(text, "   {operation} VALUE =");
            for line in lines {
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
        Origin::CommandLine => return "COMMAND_LINE_VALUE".to_owned(),
        Origin::Profile { source, .. } => source,
    };
    let name = engine.sources.get(source).name.as_str();
    match name.strip_prefix(engine.directory().as_str()).and_then(|rest| rest.strip_prefix('/')) {
        Some(relative) => crate::profiles::normalise(camino::Utf8Path::new(relative)).into_string(),
        None => name.to_owned(),
    }
}
