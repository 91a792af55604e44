//! The notation of supervisord's configuration files.
//!
//! Sections in brackets; `name = value` or `name: value` with the name in small letters; further lines of a value are
//! indented; `;` and `#` begin a comment at the start of a line, or after a blank. A section or option that comes again
//! replaces what came before.

use std::collections::BTreeMap;

use indexmap::IndexMap;

/// Sections with their options, in order.
pub(super) type Sections = IndexMap<String, IndexMap<String, String>>;

/// A line that makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line} is neither a section nor an option: `{text}`")]
pub struct IniError {
    /// Number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// Reads the text of one file into `sections`.
pub(super) fn read(text: &str, sections: &mut Sections) -> Result<(), IniError> {
    let mut section: Option<String> = None;
    let mut option: Option<String> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = without_comment(raw);
        if line.trim().is_empty() {
            continue;
        }
        let wrong = || IniError { line: index + 1, text: raw.to_owned() };
        let is_indented = raw.starts_with([' ', '\t']);
        if let (true, Some(section), Some(option)) = (is_indented, &section, &option) {
            let value =
                sections.get_mut(section).and_then(|options| options.get_mut(option)).ok_or_else(wrong)?;
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(line.trim());
        } else if let Some(rest) = line.trim().strip_prefix('[') {
            let (name, _) = rest.split_once(']').ok_or_else(wrong)?;
            sections.entry(name.to_owned()).or_default();
            section = Some(name.to_owned());
            option = None;
        } else {
            let section = section.as_ref().ok_or_else(wrong)?;
            let at = line.find(['=', ':']).ok_or_else(wrong)?;
            let name = line[..at].trim().to_lowercase();
            sections[section].insert(name.clone(), line[at + 1..].trim().to_owned());
            option = Some(name);
        }
    }
    Ok(())
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let mut blank_before = false;
    for (at, character) in line.char_indices() {
        if blank_before && matches!(character, ';' | '#') {
            return &line[..at];
        }
        blank_before = character.is_whitespace();
    }
    line
}

/// Replaces `%(name)s` and `%(name)d` by what `names` says, and `%%` by `%`; `None` for anything else after a `%`.
pub(super) fn expand(text: &str, names: &BTreeMap<String, String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (name, after) = rest.strip_prefix('(')?.split_once(')')?;
        let width_end = after.find(|character: char| !character.is_ascii_digit())?;
        let value = names.get(name)?;
        match (&after[..width_end], after[width_end..].chars().next()?) {
            (_, 's') | ("", 'd') => out.push_str(value),
            (width, 'd') => {
                let width: usize = width.parse().ok().filter(|width| *width < 100)?;
                out.extend(["0".repeat(width.saturating_sub(value.len())).as_str(), value]);
            }
            _ => return None,
        }
        rest = &after[width_end + 1..];
    }
    out.push_str(rest);
    Some(out)
}

/// Splits a command line into words as a shell does: blanks, both kinds of quotes, and the backslash.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// Reads `KEY="value",KEY2=value`; quotes are optional. `None` when it is something else.
pub(super) fn assignments(text: &str) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let value;
        match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let (inside, outside) = after[1..].split_once(quote)?;
                value = inside;
                rest = outside;
            }
            _ => {
                let end = after.find([',', '\n']).unwrap_or(after.len());
                value = after[..end].trim();
                rest = &after[end..];
            }
        }
        values.insert(name.trim().to_owned(), value.to_owned());
        rest = rest.trim_start_matches(|character: char| character.is_whitespace() || character == ',');
    }
    Some(values)
}

/// Reads a number of bytes: `100KB`, `50MB`, `1GB`, or plain.
pub(super) fn size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    for (suffix, factor) in [("kb", 1_u64 << 10), ("mb", 1 << 20), ("gb", 1 << 30)] {
        if let Some(number) = text.strip_suffix(suffix) {
            return number.trim().parse::<u64>().ok()?.checked_mul(factor);
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_continuations_and_repetitions_are_understood() {
        let mut sections = Sections::new();
        let text = "; top\n[program:a]\nCommand = /bin/cat -u ; not this\nenvironment=A=1,\n  B=2\nurl: http://x;y\n[program:a]\ncommand=/bin/true\n";

        read(text, &mut sections).unwrap();

        let program = &sections["program:a"];
        assert_eq!(program["command"], "/bin/true");
        assert_eq!(program["environment"], "A=1,\nB=2");
        assert_eq!(program["url"], "http://x;y");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let error = read("[a]\nx=1\nnonsense\n", &mut Sections::new()).unwrap_err();

        assert_eq!(error, IniError { line: 3, text: "nonsense".into() });
    }

    #[test]
    fn expansions_know_their_names_only() {
        let names = BTreeMap::from([("process_num".to_owned(), "3".to_owned())]);

        assert_eq!(expand("a-%(process_num)02d-100%%", &names).as_deref(), Some("a-03-100%"));
        assert_eq!(expand("%(nothing)s", &names), None);
        assert_eq!(expand("50%", &names), None);
    }

    #[test]
    fn words_are_a_shells() {
        let split = |text: &str| words(text);

        assert_eq!(
            split(r#"/bin/sh -c 'a b' "c \"d" e\ f"#).unwrap(),
            ["/bin/sh", "-c", "a b", "c \"d", "e f"]
        );
        assert_eq!(split("'open"), None);
        assert_eq!(split("  ").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn assignments_may_be_quoted() {
        let values = assignments("USER=\"a,b\",LOGNAME=c,\nHOME='/x'").unwrap();

        assert_eq!(values["USER"], "a,b");
        assert_eq!((values["LOGNAME"].as_str(), values["HOME"].as_str()), ("c", "/x"));
        assert_eq!(assignments("nonsense"), None);
    }

    #[test]
    fn sizes_have_suffixes() {
        assert_eq!(
            (size("100KB"), size("50MB"), size("7"), size("x")),
            (Some(102_400), Some(52_428_800), Some(7), None)
        );
    }
}
