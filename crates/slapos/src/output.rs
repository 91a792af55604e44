//! What a command prints: the answer on standard output, everything else on standard error.

use std::io::Write as _;

use serde_json::Value;

use crate::env::Environment;
use crate::terminal::shown;

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// For people: aligned columns.
    #[default]
    Table,
    /// For programs: one JSON document.
    Json,
    /// For scripts: columns separated by tabs, no header.
    Plain,
}

impl Format {
    /// Reads the value of `--output`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "table" => Some(Self::Table),
            "json" => Some(Self::Json),
            "plain" => Some(Self::Plain),
            _ => None,
        }
    }
}

/// Where and how a command prints.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The form asked for.
    pub(crate) format: Format,
    /// Whether hints of next steps are left out (`-q`).
    pub(crate) quiet: bool,
    /// Whether standard error understands colours.
    pub(crate) color: bool,
    /// Whether standard output is a terminal.
    pub(crate) answers_to_terminal: bool,
    /// Whether standard error is one.
    pub(crate) speaks_to_terminal: bool,
    /// Whether standard error can be redrawn: a capable terminal, and not told otherwise.
    pub(crate) live: bool,
}

impl Output {
    /// Decides from the options and the environment.
    pub(crate) fn new(environment: &Environment, format: Format, quiet: bool) -> Self {
        let dumb = environment.terminal.as_deref() == Some("dumb");
        let terminal = environment.has_terminal && !dumb;
        Self {
            format,
            quiet,
            answers_to_terminal: environment.answers_to_terminal,
            speaks_to_terminal: environment.has_terminal,
            color: environment.force_color || terminal && !environment.no_color,
            live: terminal
                && !quiet
                && format != Format::Json
                && environment.progress.as_deref() != Some("never"),
        }
    }

    /// Whether the answer is wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints the answer.
    pub(crate) fn answer(&self, text: &str) {
        // A reader that went away (`| head`) has what it wanted.
        let text = if self.answers_to_terminal { shown(text) } else { text.into() };
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = stdout.write_all(b"\n");
        }
        let _ = stdout.flush();
    }

    /// Prints the answer as an indented JSON document.
    pub(crate) fn json(&self, value: &Value) {
        self.answer(&format!("{value:#}"));
    }

    /// Prints rows below their headings.
    pub(crate) fn table(&self, headings: &[&str], rows: &[Vec<String>]) {
        match self.format {
            Format::Plain => self.answer(&rows.iter().map(|row| row.join("\t") + "\n").collect::<String>()),
            _ => self.answer(&aligned(headings, rows)),
        }
    }

    /// Says something to the person, on standard error.
    pub(crate) fn say(&self, line: &str) {
        let line = if self.speaks_to_terminal { shown(line) } else { line.into() };
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "{}", line.trim_end_matches('\n'));
    }

    /// Says what was done, unless told to be quiet.
    pub(crate) fn done(&self, line: &str) {
        if !self.quiet {
            self.say(line);
        }
    }
}

/// Columns as wide as their widest cell; the last one is not padded.
pub(crate) fn aligned(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain(std::iter::once(headings[column].chars().count()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let heading_row: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&heading_row).chain(rows) {
        let line: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_the_last_is_not_padded() {
        let rows =
            vec![vec!["flask".to_owned(), "Running".to_owned()], vec!["x".to_owned(), "Failing".to_owned()]];

        insta::assert_snapshot!(aligned(&["NAME", "STATUS"], &rows), @"
        NAME   STATUS
        flask  Running
        x      Failing
        ");
    }
}
