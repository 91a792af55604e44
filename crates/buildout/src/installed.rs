//! The record of what is installed, `.installed.cfg`: a profile in form, which the Python engine reads and writes too.

use std::sync::Arc;

use camino::Utf8Path;
use indexmap::IndexMap;

use crate::syntax::{self, is_option_name};
use crate::{BuildError, Fault};

pub(crate) const PATHS: &str = "__buildout_installed__";
pub(crate) const SIGNATURE: &str = "__buildout_signature__";
const DEVELOP_EGGS: &str = "installed_develop_eggs";

/// How white space is written that the grammar of profiles would lose.
const SPACES: [(char, &str); 5] = [
    (' ', "%(__buildout_space__)s"),
    ('\n', "%(__buildout_space_n__)s"),
    ('\r', "%(__buildout_space_r__)s"),
    ('\u{c}', "%(__buildout_space_f__)s"),
    ('\u{b}', "%(__buildout_space_v__)s"),
];

/// What is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Links to distributions under development, as lines.
    pub(crate) develop_eggs: String,
    /// The parts in the order of their installation, each with its options, [`PATHS`] and [`SIGNATURE`] included.
    pub(crate) parts: IndexMap<String, IndexMap<String, String>>,
}

impl Installed {
    /// Reads the record and gives its text too; a missing one says that nothing is installed.
    pub(crate) fn load(path: &Utf8Path) -> Result<(Self, Option<String>), BuildError> {
        let damaged = |source| Fault::Record { path: path.to_owned(), source };
        let text = host::files::read_text_if_present(path).map_err(|error| damaged(error.into()))?;
        let installed = match &text {
            Some(text) => Self::parse_file(path.as_str(), text).map_err(damaged)?,
            None => Self::default(),
        };
        Ok((installed, text))
    }

    /// Reads the record as a file that was written whole: of one that breaks off, the paths that parts own cannot be
    /// believed, and they are going to be removed.
    fn parse_file(path: &str, text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        if !text.is_empty() && !text.ends_with('\n') {
            return Err("it ends in the middle of a line".into());
        }
        let installed = Self::parse(path, text)?;
        match installed.parts.iter().find(|(_, options)| !options.contains_key(PATHS)) {
            Some((part, _)) => Err(format!("what it says of the part {part} is not complete").into()),
            None => Ok(installed),
        }
    }

    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, BuildError> {
        let mut sections = syntax::parse(path, &Arc::from(text), &mut |_, _, _| Ok(true))?;
        let mut section = |name: &str| -> Option<IndexMap<String, String>> {
            let section = sections.swap_remove(name)?;
            let value = |mut assignments: Vec<syntax::Assignment>| assignments.pop().map(|last| last.value);
            let options = section.options.into_iter();
            Some(
                options
                    .filter_map(|(name, assignments)| Some((name, unquote(value(assignments)?))))
                    .collect(),
            )
        };
        let mut buildout = section("buildout").unwrap_or_default();
        let parts = buildout.shift_remove("parts").unwrap_or_default();
        let parts = parts
            .split_whitespace()
            // No engine wrote a name that no section can have, and a record with it could not be read again.
            .filter(|part| syntax::is_section_name(part))
            .map(|part| (part.to_owned(), section(part).unwrap_or_default()))
            .collect();
        Ok(Self { develop_eggs: buildout.shift_remove(DEVELOP_EGGS).unwrap_or_default(), parts })
    }

    /// The text of the record.
    pub(crate) fn text(&self) -> String {
        let parts: Vec<_> = self.parts.iter().map(|(part, options)| (part.as_str(), options)).collect();
        text(&self.develop_eggs, &parts)
    }
}

/// The text of a record with these links to distributions under development and these parts.
pub(crate) fn text(develop_eggs: &str, parts: &[(&str, &IndexMap<String, String>)]) -> String {
    let names: Vec<&str> = parts.iter().map(|(part, _)| *part).collect();
    let mut text = String::from("[buildout]\n");
    write_option(&mut text, DEVELOP_EGGS, develop_eggs);
    write_option(&mut text, "parts", &names.join(" "));
    for (part, options) in parts {
        text.push('\n');
        write_section(&mut text, part, options);
    }
    text
}

/// The paths that a recorded part owns, as they were recorded.
pub(crate) fn paths(options: &IndexMap<String, String>) -> impl Iterator<Item = &str> {
    options.get(PATHS).map_or("", String::as_str).split('\n').filter(|path| !path.is_empty())
}

/// Whether two sets of options are the same once recorded: the record does not keep every kind of white space.
pub(crate) fn same_when_recorded(
    recorded: &IndexMap<String, String>,
    options: &IndexMap<String, String>,
) -> bool {
    if recorded == options {
        return true;
    }
    let mut text = String::new();
    write_section(&mut text, "x", options);
    let Ok(read) = Installed::parse("", &format!("[buildout]\nparts = x\n{text}")) else { return false };
    let Some(read) = read.parts.get("x") else { return false };
    read.len() == recorded.len()
        && read
            .iter()
            .all(|(name, value)| recorded.get(name).is_some_and(|recorded| same_value(recorded, value)))
}

/// Typed values are compared by what they mean.
fn same_value(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    if !left.starts_with("!py!") || !right.starts_with("!py!") {
        return false;
    }
    matches!((crate::Value::from_option(left), crate::Value::from_option(right)), (Ok(left), Ok(right)) if left == right)
}

fn write_section(text: &mut String, name: &str, options: &IndexMap<String, String>) {
    text.push('[');
    text.push_str(name);
    text.push_str("]\n");
    let mut options: Vec<(&String, &String)> = options.iter().collect();
    options.sort_unstable();
    for (name, value) in options {
        write_option(text, name, value);
    }
}

/// Names that the grammar does not know as options are left out: they would make the whole record unreadable.
fn write_option(text: &mut String, name: &str, value: &str) {
    if is_option_name(name) {
        text.push_str(name);
        text.push_str(" = ");
        text.push_str(&quote(value));
        text.push('\n');
    }
}

fn quote(value: &str) -> String {
    let is_space = |letter: char| matches!(letter, ' ' | '\t' | '\r' | '\u{c}' | '\u{b}');
    let mut quoted = String::with_capacity(value.len());
    let mut rest = value;
    while !rest.is_empty() {
        // White space matters at both ends of the value and around its line breaks.
        let at_start = rest.len() == value.len();
        let run = rest.len() - rest.trim_start_matches(|letter| is_space(letter) || letter == '\n').len();
        if run > 0 && (at_start || rest[..run].contains('\n') || run == rest.len()) {
            let (before, behind) = match rest[..run].split_once('\n') {
                Some((before, behind)) => (before, Some(behind)),
                None => (&rest[..run], None),
            };
            quote_run(&mut quoted, before);
            if let Some(behind) = behind {
                quoted.push_str("\n\t");
                quote_run(&mut quoted, behind);
            }
            rest = &rest[run..];
            continue;
        }
        let end =
            rest[run..].find(|letter| is_space(letter) || letter == '\n').map_or(rest.len(), |end| run + end);
        // A carriage return inside a line would be read as a line break.
        quoted.push_str(&rest[..end].replace('\r', SPACES[2].1));
        rest = &rest[end..];
    }
    if let Some(behind) = quoted.strip_prefix("\n\t") {
        quoted = format!("{}{behind}", SPACES[1].1);
    }
    if let Some(before) = quoted.strip_suffix("\n\t") {
        quoted = format!("{before}{}", SPACES[1].1);
    }
    quoted
}

fn quote_run(quoted: &mut String, run: &str) {
    for letter in run.chars() {
        match SPACES.iter().find(|(space, _)| *space == letter) {
            Some((_, name)) => quoted.push_str(name),
            None => quoted.push(letter),
        }
    }
}

fn unquote(value: String) -> String {
    if !value.contains("%(") {
        return value;
    }
    SPACES.iter().fold(value, |value, (space, name)| value.replace(name, &space.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(options: &[(&str, &str)]) -> Installed {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Installed { develop_eggs: String::new(), parts: [("p".to_owned(), options)].into_iter().collect() }
    }

    #[test]
    fn the_record_is_written_as_the_reference_writes_it() {
        let record = record(&[("w", "foo\n  bar\n\nbaz"), (PATHS, "")]);

        insta::assert_snapshot!(record.text().replace('\t', "<tab>").replace("= \n", "= $\n"), @r"
        [buildout]
        installed_develop_eggs = $
        parts = p

        [p]
        __buildout_installed__ = $
        w = foo
        <tab>%(__buildout_space__)s%(__buildout_space__)sbar
        <tab>%(__buildout_space_n__)sbaz
        ");
    }

    #[test]
    fn later_sections_of_an_interrupted_python_build_win() {
        let text =
            "[buildout]\nparts = a\n\n[a]\nx = 1\n\n[buildout]\nparts = a b\n\n[b]\ny = 2\n".to_owned();

        let parts = Installed::parse("", &text).unwrap().parts;

        assert_eq!(parts.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parts["b"]["y"], "2");
    }

    #[test]
    fn parts_whose_names_no_section_can_have_are_left_out() {
        let read = Installed::parse("", "[buildout]\nparts = [ p a:b a]b\n[p]\nx = 1\n").unwrap();

        assert_eq!(read.parts.keys().collect::<Vec<_>>(), ["p"]);
        assert_eq!(Installed::parse("", &read.text()).unwrap(), read);
    }

    #[test]
    fn names_that_are_no_options_do_not_make_the_record_unreadable() {
        let record = record(&[("good", "1"), ("b:d", "2"), ("plus+", "3"), ("", "4"), ("two words", "5")]);

        let read = Installed::parse("", &record.text()).unwrap();

        assert_eq!(read.parts["p"].keys().collect::<Vec<_>>(), ["good"]);
        assert!(same_when_recorded(&read.parts["p"], &record.parts["p"]));
    }

    #[test]
    fn typed_values_are_compared_by_meaning() {
        let set = |text: &str| record(&[("x", text)]).parts["p"].clone();

        assert!(same_when_recorded(&set("!py!{'b': 1, 'a': 2}"), &set("!py!{'b': 1,  'a': 2}")));
        assert!(!same_when_recorded(&set("!py![1]"), &set("!py![2]")));
    }

    proptest! {
        #[test]
        fn every_value_survives_the_record(value in "[a-z#;=\\[% \n\r\u{b}\u{c}]{0,30}") {
            let record = record(&[("x", &value)]);

            prop_assert_eq!(Installed::parse("", &record.text()).unwrap(), record);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[\\[\\]a-c =+\n\t%()_sPC]{0,100}") {
            let _ = Installed::parse("", &text);
        }

        #[test]
        fn what_was_recorded_is_the_same(value in any::<String>()) {
            let record = record(&[("x", &value)]);
            let read = Installed::parse("", &record.text()).unwrap();

            prop_assert!(same_when_recorded(&read.parts["p"], &record.parts["p"]));
        }
    }
}
