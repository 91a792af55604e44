//! The block that the Python engine prints: what was being done, and the error in its well-known words. Programs and
//! test suites look for it.

use std::error::Error;
use std::fmt::Write as _;

use crate::syntax::{SyntaxError, SyntaxErrorKind};
use crate::{BuildError, Fault, RecipeError, SubstitutionProblem, Value};

/// What stands above the trace of an error that is no fault of the profile.
const INTERNAL_ERROR: &str =
    "An internal error occurred due to a bug in either zc.buildout or in a\nrecipe being used:";

/// So many wrong lines of a profile are shown, and so much of each.
const MOST_LINES: usize = 50;
const LONGEST_LINE: usize = 500;

/// `While:` with what was being done, the outermost first, and `Error:` with the message; for exceptions of Python code
/// the trace. Ends with a line break.
#[must_use]
pub fn classic(error: &BuildError) -> String {
    let mut text = String::new();
    if !error.activities().is_empty() {
        text.push_str("While:\n");
        for activity in error.activities() {
            let _ = writeln!(text, "  {activity}");
        }
    }
    match error.fault() {
        Fault::Recipe { error, .. } if error.foreign_trace().is_some() => {
            let trace = error.foreign_trace().unwrap_or_default();
            let _ = writeln!(text, "\n{INTERNAL_ERROR}\n{}", trace.trim_end());
        }
        Fault::Exception { name, message, .. } => {
            let _ = writeln!(text, "\n{INTERNAL_ERROR}\n{name}: {message}");
        }
        _ => {
            let _ = writeln!(text, "Error: {}", message(error));
        }
    }
    text
}

/// The message in the words of the Python engine, where it has any.
fn message(error: &BuildError) -> String {
    match error.fault() {
        Fault::NoProfile { path, .. } => format!("Couldn't open {path}"),
        Fault::ProfileExists { path } => format!("{} already exists.", quoted(path.as_str())),
        Fault::Syntax(error) => syntax(error),
        Fault::RecursiveInclude { name, chain, .. } => {
            let chain: Vec<String> = chain.iter().map(|name| quoted(name)).collect();
            format!("Recursive file include [{}] {name}", chain.join(", "))
        }
        Fault::ExtendedBy { name } => format!("No-longer supported \"extended-by\" option found in {name}."),
        Fault::UnknownSection { section, .. } => {
            format!("The referenced section, {}, was not defined.", quoted(section))
        }
        Fault::UnknownOption { section, option, .. } => {
            format!("Referenced option does not exist: {section} {option}")
        }
        Fault::MissingOption { section, option, .. } => format!("Missing option: {section}:{option}"),
        Fault::Substitution { reference, problem } => {
            let name = &reference.text;
            match problem {
                SubstitutionProblem::NoColon => {
                    format!("The substitution, {name},\ndoesn't contain a colon.")
                }
                SubstitutionProblem::TooManyColons => {
                    format!("The substitution, {name},\nhas too many colons.")
                }
                SubstitutionProblem::SectionName => {
                    format!("The section name in substitution, {name},\nhas invalid characters.")
                }
                SubstitutionProblem::OptionName => {
                    format!("The option name in substitution, {name},\nhas invalid characters.")
                }
            }
        }
        Fault::Circular { .. } => "Circular reference in substitutions.\n".to_owned(),
        Fault::UnknownMacro { parent, .. } => format!("No section named {}", quoted(parent)),
        Fault::MacroLoop { section } => format!("Infinite extending loop {}", quoted(section)),
        Fault::InvalidValue { option, value, .. } => {
            format!("Invalid value for {} option: {}", quoted(option), quoted(value))
        }
        Fault::RelativeInRemote { option, value, file } => format!(
            "Setting \"{option}\" to a non absolute location (\"{value}\") within a\n\
             remote configuration file (\"{file}\") is ambiguous."
        ),
        Fault::Download(error) => error.classic(),
        Fault::Extends { source, .. } => match source.downcast_ref::<crate::DownloadError>() {
            Some(error) => error.classic(),
            None => with_causes(error),
        },
        Fault::Usage(text) => text.clone(),
        Fault::Refused { message, .. } | Fault::Exception { message, .. } => message.clone(),
        Fault::Recipe { error: failure, .. } => {
            // That the recipe could not be loaded is what the activities say.
            let inner = failure.source().and_then(|why| why.downcast_ref::<RecipeError>());
            match (failure.classic_words(), inner) {
                ((Some(message), _), _) => message.to_owned(),
                (_, Some(inner)) => inner.to_string(),
                _ => with_causes(error),
            }
        }
        _ => with_causes(error),
    }
}

/// The message and its causes in one line.
fn with_causes(error: &BuildError) -> String {
    let mut text = error.to_string();
    let mut source = match error.fault() {
        Fault::Recipe { error, .. } => error.source(),
        fault => fault.source(),
    };
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

fn syntax(error: &SyntaxError) -> String {
    let lines: Vec<&str> = error.text.lines().collect();
    let line = |number: u32| {
        let line = lines.get(number as usize - 1).copied().unwrap_or_default();
        match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => quoted(&format!("{}…\n", &line[..end])),
            None => quoted(&format!("{line}\n")),
        }
    };
    match error.kind {
        SyntaxErrorKind::NoSection => {
            let number = error.lines.first().copied().unwrap_or(1);
            format!(
                "File contains no section headers.\nfile: {}, line: {number}\n{}",
                error.file,
                line(number)
            )
        }
        SyntaxErrorKind::Unknown => {
            let mut text = format!("File contains parsing errors: {}", error.file);
            for number in error.lines.iter().take(MOST_LINES) {
                let _ = write!(text, "\n\t[line {number:2}]: {}", line(*number));
            }
            if error.lines.len() > MOST_LINES {
                let _ = write!(text, "\n\t({} more)", error.lines.len() - MOST_LINES);
            }
            text
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).representation().expect("text has a representation")
}
