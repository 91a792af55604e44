//! A profile as it is written: its sections and options with their lines, nothing extended, merged or substituted. For
//! tools that look at profiles without building them.

use std::sync::Arc;

use crate::syntax::{self, Operator, SyntaxError};
use crate::{BuildError, Fault};

/// A section of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineSection {
    /// Its name, without a condition.
    pub name: String,
    /// The line of its first header, from 1.
    pub line: u32,
    /// Its options, in their order; one that is both set and added to comes twice.
    pub options: Vec<OutlineOption>,
}

/// An option of a section. The bases of a section are its option `<`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineOption {
    /// Its name.
    pub name: String,
    /// Its text, before any substitution.
    pub value: String,
    /// The line where it begins, from 1.
    pub line: u32,
    /// Whether it was written with `+=`.
    pub is_added: bool,
}

/// Reads the outline of a profile; sections with conditions all count. `file` is for messages.
///
/// # Errors
/// Lines that are no profile language.
pub fn outline(file: &str, text: &str) -> Result<Vec<OutlineSection>, SyntaxError> {
    let text: Arc<str> = Arc::from(text);
    let sections = match syntax::parse(file, &text, &mut |_, _, _| Ok(true)) {
        Ok(sections) => sections,
        Err(error) => return Err(only_syntax(error, file, &text)),
    };
    let outlined = sections.into_iter().map(|(name, section)| {
        let options = section.options.into_iter().flat_map(|(name, assignments)| {
            assignments.into_iter().filter(|assignment| assignment.operator != Operator::Remove).map(
                move |assignment| OutlineOption {
                    name: name.clone(),
                    value: assignment.value,
                    line: assignment.line,
                    is_added: assignment.operator == Operator::Add,
                },
            )
        });
        OutlineSection {
            name,
            line: section.headers.first().copied().unwrap_or(1),
            options: options.collect(),
        }
    });
    Ok(outlined.collect())
}

/// A path without `.` and `..`, links not looked at: the same text for every way to write the same profile.
#[must_use]
pub fn normalised(path: &camino::Utf8Path) -> camino::Utf8PathBuf {
    crate::profiles::normalise(path)
}

/// The options of `[buildout]` that mean something to the engine, its extensions or its callers.
#[must_use]
pub fn buildout_options() -> Vec<&'static str> {
    let more = [
        "directory",
        "download-cache",
        "develop",
        "executable",
        "extends",
        "optional-extends",
        "extensions",
        "index",
        "parts",
        "shared-parts",
        "versions",
        "unzip",
        "socket-timeout",
        "eggs-directory-version",
        "native-recipes",
        "default",
        "buildout-versions-file",
    ];
    crate::engine::known_options().chain(more).collect()
}

/// The syntax error in an error of the parser, which has no other as long as conditions are not decided.
fn only_syntax(error: BuildError, file: &str, text: &Arc<str>) -> SyntaxError {
    match error.fault() {
        Fault::Syntax(syntax) => syntax.clone(),
        _ => SyntaxError {
            file: file.to_owned(),
            text: Arc::clone(text),
            lines: vec![1],
            kind: syntax::SyntaxErrorKind::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_options_keep_their_lines() {
        let sections = outline("p.cfg", "[a]\nx = 1\n\n[b:python3]\n<= a\nx += 2\n  3\n").unwrap();

        let lines: Vec<(&str, u32)> = sections.iter().map(|s| (s.name.as_str(), s.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 4)]);
        let x = &sections[1].options[1];
        assert_eq!((x.name.as_str(), x.value.as_str(), x.line, x.is_added), ("x", "2\n3", 6, true));
        assert_eq!(sections[1].options[0].name, "<");
    }

    #[test]
    fn a_line_that_is_no_profile_language_is_an_error() {
        let error = outline("p.cfg", "[a]\nnonsense\n").unwrap_err();

        assert_eq!(error.lines, [2]);
    }
}
