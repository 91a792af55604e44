//! The grammar of a profile: lines, headers, options, continuations. Nothing is interpreted here but the conditions of
//! sections, which the caller decides.

mod header;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::BuildError;

/// How an option line changes the value that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Remove,
}

/// One change of an option by a profile. A profile changes an option at most once by each operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) operator: Operator,
    pub(crate) value: String,
    /// The line of the option's name, from 1.
    pub(crate) line: u32,
}

/// What a profile says about one section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ParsedSection {
    /// The lines of its headers, from 1.
    pub(crate) headers: Vec<u32>,
    /// For each option its assignments in the order in which they take effect.
    pub(crate) options: IndexMap<String, Vec<Assignment>>,
}

/// A profile whose text is not the profile language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.headline())]
pub struct SyntaxError {
    /// Path or URL of the profile.
    pub file: String,
    /// Its whole text.
    pub text: Arc<str>,
    /// Every line that is wrong, from 1.
    pub lines: Vec<u32>,
    /// What is wrong with them.
    pub kind: SyntaxErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    /// Something stands before the first section.
    NoSection,
    /// It is neither an option, nor a section, nor the continuation of a value.
    Unknown,
}

impl SyntaxError {
    /// The text of a line, from 1, without its end.
    #[must_use]
    pub fn line(&self, number: u32) -> &str {
        self.text.lines().nth(number as usize - 1).unwrap_or_default()
    }

    fn headline(&self) -> &'static str {
        match (self.kind, self.lines.len()) {
            (SyntaxErrorKind::NoSection, _) => "the profile does not start with a section",
            (SyntaxErrorKind::Unknown, 1) => "this line is neither an option, a section nor a continuation",
            (SyntaxErrorKind::Unknown, _) => "these lines are neither options, sections nor continuations",
        }
    }
}

/// Decides whether a section with a condition counts: gets its name, the expression, and the line of its header.
pub(crate) type Decide<'a> = &'a mut dyn FnMut(&str, &str, u32) -> Result<bool, BuildError>;

/// Reads a profile; `file` is its path or URL, for messages.
///
/// # Errors
/// [`SyntaxError`] with every wrong line; whatever `decide` fails with.
pub(crate) fn parse(
    file: &str,
    text: &Arc<str>,
    decide: Decide<'_>,
) -> Result<IndexMap<String, ParsedSection>, BuildError> {
    let mut parser = Parser::default();
    let unified;
    let mut lines: &str = text;
    if text.contains('\r') {
        unified = text.replace("\r\n", "\n").replace('\r', "\n");
        lines = &unified;
    }
    let lines = lines.strip_prefix('\u{feff}').unwrap_or(lines);
    for (number, line) in (1..).zip(lines.split_inclusive('\n')) {
        parser.line(number, line.strip_suffix('\n').unwrap_or(line), decide)?;
        if parser.before_any_section {
            let (text, kind) = (Arc::clone(text), SyntaxErrorKind::NoSection);
            return Err(SyntaxError { file: file.to_owned(), text, lines: vec![number], kind }.into());
        }
    }
    if !parser.wrong.is_empty() {
        let (text, kind) = (Arc::clone(text), SyntaxErrorKind::Unknown);
        return Err(SyntaxError { file: file.to_owned(), text, lines: parser.wrong, kind }.into());
    }
    Ok(parser.finish())
}

#[derive(Default)]
struct Parser {
    sections: IndexMap<String, OpenSection>,
    /// The section that lines belong to.
    current: Option<usize>,
    /// The option of it that indented lines continue.
    open: Option<OpenOption>,
    rejected: bool,
    before_any_section: bool,
    wrong: Vec<u32>,
}

#[derive(Default)]
struct OpenSection {
    headers: Vec<u32>,
    options: IndexMap<String, Changes>,
}

/// The raw text assigned by `=`, `+=` and `-=`, and the line where each began.
#[derive(Default)]
struct Changes([Option<(String, u32)>; 3]);

struct OpenOption {
    index: usize,
    operator: Operator,
    block: bool,
}

impl Parser {
    fn line(&mut self, number: u32, line: &str, decide: Decide<'_>) -> Result<(), BuildError> {
        let first = line.chars().next();
        if matches!(first, Some('#' | ';')) {
            return Ok(());
        }
        let is_indented = first.is_none_or(is_blank);
        if is_indented && self.rejected {
            return Ok(());
        }
        if is_indented && self.open.is_some() {
            self.continuation(line);
            return Ok(());
        }
        if let Some(header) = header::parse(line) {
            return self.header(number, &header, decide);
        }
        if line.chars().all(is_blank) {
            return Ok(());
        }
        let shorthand = line.strip_prefix("=>").map(|names| format!("<part-dependencies> = {names}"));
        let option = split_option(shorthand.as_deref().unwrap_or(line));
        match (option, self.current) {
            (Some(_), _) if self.rejected => {}
            (_, None) if !self.rejected => self.before_any_section = true,
            (Some((name, operator, value)), Some(_)) => self.option(number, name, operator, value),
            _ => self.wrong.push(number),
        }
        Ok(())
    }

    fn header(
        &mut self,
        number: u32,
        header: &header::Header<'_>,
        decide: Decide<'_>,
    ) -> Result<(), BuildError> {
        self.rejected = match &header.condition {
            Some(condition) => !decide(header.name, condition, number)?,
            None => false,
        };
        if self.rejected {
            return Ok(());
        }
        let entry = self.sections.entry(header.name.to_owned());
        self.current = Some(entry.index());
        entry.or_default().headers.push(number);
        self.open = None;
        Ok(())
    }

    fn option(&mut self, number: u32, name: &str, operator: Operator, value: &str) {
        let Some(section) = self.current.and_then(|index| self.sections.get_index_mut(index)) else { return };
        let entry = section.1.options.entry(name.to_owned());
        let index = entry.index();
        let changes = &mut entry.or_default().0;
        match &mut changes[operator as usize] {
            Some((before, _)) if operator != Operator::Set => {
                before.truncate(before.trim_end_matches(is_blank).len());
                if !value.is_empty() {
                    before.push('\n');
                    before.push_str(value);
                }
            }
            slot => {
                *slot = Some((value.to_owned(), number));
                if operator == Operator::Set {
                    changes[Operator::Add as usize] = None;
                    changes[Operator::Remove as usize] = None;
                }
            }
        }
        self.open = Some(OpenOption { index, operator, block: value.is_empty() });
    }

    fn continuation(&mut self, line: &str) {
        let Some(section) = self.current.and_then(|index| self.sections.get_index_mut(index)) else { return };
        let Some(open) = &self.open else { return };
        let Some((_, changes)) = section.1.options.get_index_mut(open.index) else { return };
        let Some((value, _)) = &mut changes.0[open.operator as usize] else { return };
        let line = if open.block { line.trim_end_matches(is_blank) } else { line.trim_matches(is_blank) };
        if open.block || !line.is_empty() {
            value.push('\n');
            value.push_str(line);
        }
    }

    fn finish(self) -> IndexMap<String, ParsedSection> {
        let operators = [Operator::Set, Operator::Add, Operator::Remove];
        let finish_option = |(name, changes): (String, Changes)| {
            let assignments = operators
                .into_iter()
                .zip(changes.0)
                .filter_map(|(operator, change)| {
                    change.map(|(value, line)| Assignment { operator, value: dedent(value), line })
                })
                .collect();
            (name, assignments)
        };
        self.sections
            .into_iter()
            .map(|(name, section)| {
                let options = section.options.into_iter().map(finish_option).collect();
                (name, ParsedSection { headers: section.headers, options })
            })
            .collect()
    }
}

/// White space as the reference knows it: Unicode's, and the four separators of ASCII.
pub(crate) fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter)
}

/// Splits `name = value`, `name += value` or `name -= value`; the value is stripped.
fn split_option(line: &str) -> Option<(&str, Operator, &str)> {
    let (left, value) = line.split_once('=')?;
    let name_end = left.find(is_blank).unwrap_or(left.len());
    let (name, sign) = (&left[..name_end], left[name_end..].trim_matches(is_blank));
    if name.is_empty() || name.contains(['{', '}', '[', ']', ':']) || !matches!(sign, "" | "+" | "-") {
        return None;
    }
    // Blanks may stand before the sign, not behind it.
    if !sign.is_empty() && !left.ends_with(sign) {
        return None;
    }
    let (name, operator) = match (sign, name.chars().last()) {
        ("+", _) => (name, Operator::Add),
        ("-", _) => (name, Operator::Remove),
        (_, Some('+')) => (name.trim_end_matches('+'), Operator::Add),
        (_, Some('-')) => (name.trim_end_matches('-'), Operator::Remove),
        _ => (name, Operator::Set),
    };
    if name.is_empty() {
        return None;
    }
    Some((name, operator, value.trim_matches(is_blank)))
}

/// Whether a name can stand in a header.
pub(crate) fn is_section_name(name: &str) -> bool {
    header::parse(&format!("[{name}]"))
        .is_some_and(|header| header.name == name && header.condition.is_none())
}

/// Whether a name can stand on the left of `=`.
pub(crate) fn is_option_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && name.bytes().all(is_plain) && !name.ends_with('-') {
        return true;
    }
    let indented = name.starts_with(['#', ';', '[']) || name.contains('=');
    !indented && matches!(split_option(&format!("{name} =")), Some((read, Operator::Set, "")) if read == name)
}

/// The text of a value in block mode: without the indentation that its lines share and without blank lines around it.
/// A value that begins on the line of its option is left as it is.
fn dedent(value: String) -> String {
    if !value.starts_with(is_blank) {
        return value;
    }
    let value = value.trim_end_matches(is_blank);
    let margin = value
        .split('\n')
        .filter(|line| !line.chars().all(is_indent))
        .map(|line| &line[..line.len() - line.trim_start_matches(is_indent).len()])
        .reduce(shared_start)
        .unwrap_or_default();
    let lines = value
        .split('\n')
        .map(|line| if line.chars().all(is_indent) { "" } else { &line[margin.len()..] })
        .skip_while(|line| line.chars().all(is_blank));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_indent(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

fn shared_start<'a>(left: &'a str, right: &'a str) -> &'a str {
    let length = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    &left[..length]
}

#[cfg(test)]
mod tests;
