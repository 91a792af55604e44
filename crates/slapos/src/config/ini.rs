//! The dialect of `slapos.cfg`: Python's INI files, with line numbers kept for messages.
//!
//! Section names are case-sensitive and option names are not; `=` or `:` separates; comments stand on lines of their
//! own; indented lines continue a value; `%(name)s` refers to another option of the section or of `[DEFAULT]`.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

/// A file that was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ini {
    path: Utf8PathBuf,
    defaults: Section,
    sections: IndexMap<String, Section>,
}

type Section = IndexMap<String, Entry>;

#[derive(Debug, Clone)]
struct Entry {
    value: String,
    line: usize,
}

/// A file that is not written in the dialect, or an option that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct IniError {
    /// The file.
    pub(crate) path: Utf8PathBuf,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The line's text.
    pub(crate) text: String,
    /// What is wrong with it.
    pub(crate) problem: String,
}

/// How often a value may refer to a value that refers to a value.
const DEPTH: usize = 10;

impl Ini {
    /// Reads the text of the file `path`.
    ///
    /// # Errors
    /// The first line that is not in the dialect, repeated sections and options included.
    pub(crate) fn parse(path: &Utf8Path, text: &str) -> Result<Self, IniError> {
        Parser::new(path).read(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The file it was read from.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The names of the sections, `[DEFAULT]` not among them, in the file's order.
    pub(crate) fn section_names(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// The value of an option after interpolation; `None` when the section or the option is missing.
    ///
    /// # Errors
    /// A `%` that is followed by something else, a reference to an option that does not exist, references too deep.
    pub(crate) fn get(&self, section: &str, option: &str) -> Result<Option<String>, IniError> {
        let option = option.to_lowercase();
        let Some(options) = self.sections.get(section) else { return Ok(None) };
        let Some(entry) = options.get(&option).or_else(|| self.defaults.get(&option)) else {
            return Ok(None);
        };
        self.interpolate(options, &option, entry, &entry.value, DEPTH).map(Some)
    }

    /// The names of the options of a section, those of `[DEFAULT]` included.
    pub(crate) fn option_names(&self, section: &str) -> Vec<&str> {
        let own = self.sections.get(section).into_iter().flat_map(IndexMap::keys);
        let mut names: Vec<&str> = own.map(String::as_str).collect();
        for name in self.defaults.keys() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The line of an option, for messages; 0 when it is not there.
    pub(crate) fn line_of(&self, section: &str, option: &str) -> usize {
        let options = self.sections.get(section);
        options
            .and_then(|options| options.get(option))
            .or_else(|| self.defaults.get(option))
            .map_or(0, |entry| entry.line)
    }

    fn interpolate(
        &self,
        section: &Section,
        option: &str,
        entry: &Entry,
        value: &str,
        depth: usize,
    ) -> Result<String, IniError> {
        let refused = |problem: String| IniError {
            path: self.path.clone(),
            line: entry.line,
            text: format!("{option} = {}", entry.value),
            problem,
        };
        if depth == 0 {
            return Err(refused(format!("`{option}` refers to other options more than {DEPTH} levels deep")));
        }
        let mut text = String::new();
        let mut rest = value;
        while let Some(position) = rest.find('%') {
            text.push_str(&rest[..position]);
            rest = &rest[position + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                text.push('%');
                rest = after;
            } else if let Some((name, after)) =
                rest.strip_prefix('(').and_then(|inner| inner.split_once(")s"))
            {
                let name = name.to_lowercase();
                let other = section.get(&name).or_else(|| self.defaults.get(&name)).ok_or_else(|| {
                    refused(format!("`%({name})s` refers to an option that does not exist"))
                })?;
                text.push_str(&self.interpolate(section, option, entry, &other.value, depth - 1)?);
                rest = after;
            } else {
                return Err(refused(
                    "`%` must be followed by `%` or `(name)s`; write `%%` for a percent sign".to_owned(),
                ));
            }
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// Where options go while a file is read.
enum Current {
    Nothing,
    Defaults,
    Section(String),
}

struct Parser {
    ini: Ini,
    current: Current,
    option: Option<String>,
    indentation: usize,
}

impl Parser {
    fn new(path: &Utf8Path) -> Self {
        Self {
            ini: Ini { path: path.to_owned(), ..Ini::default() },
            current: Current::Nothing,
            option: None,
            indentation: 0,
        }
    }

    fn read(mut self, text: &str) -> Result<Ini, IniError> {
        for (number, line) in (1..).zip(text.lines()) {
            self.line(line).map_err(|problem| IniError {
                path: self.ini.path.clone(),
                line: number,
                text: line.to_owned(),
                problem,
            })?;
            if let Some(entry) = self.entry()
                && entry.line == 0
            {
                entry.line = number;
            }
        }
        for entry in self
            .ini
            .defaults
            .values_mut()
            .chain(self.ini.sections.values_mut().flat_map(IndexMap::values_mut))
        {
            entry.value.truncate(entry.value.trim_end().len());
        }
        Ok(self.ini)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let value = line.trim();
        if value.starts_with(['#', ';']) {
            return Ok(());
        }
        if value.is_empty() {
            // An empty line belongs to the value that it follows; only an indented line after it goes on.
            if let Some(entry) = self.entry() {
                entry.value.push('\n');
            }
            return Ok(());
        }
        let indentation = line.chars().take_while(|letter| letter.is_whitespace()).count();
        if indentation > self.indentation
            && let Some(entry) = self.entry()
        {
            entry.value.push('\n');
            entry.value.push_str(value);
            return Ok(());
        }
        self.indentation = indentation;
        match header(value) {
            Some(name) => self.section(name),
            None => self.assignment(value),
        }
    }

    fn section(&mut self, name: &str) -> Result<(), String> {
        self.option = None;
        if name == "DEFAULT" {
            self.current = Current::Defaults;
            return Ok(());
        }
        if self.ini.sections.contains_key(name) {
            return Err(format!("section [{name}] is there twice"));
        }
        self.ini.sections.insert(name.to_owned(), Section::new());
        self.current = Current::Section(name.to_owned());
        Ok(())
    }

    fn assignment(&mut self, text: &str) -> Result<(), String> {
        let options = match &self.current {
            Current::Nothing => {
                return Err("the first line that is not a comment must be a [section]".to_owned());
            }
            Current::Defaults => &mut self.ini.defaults,
            Current::Section(name) => &mut self.ini.sections[name.as_str()],
        };
        let Some(position) = text.find(['=', ':']) else {
            return Err("this line is neither a [section] nor an `option = value`".to_owned());
        };
        let name = text[..position].trim().to_lowercase();
        if name.is_empty() {
            return Err("the name of the option is missing".to_owned());
        }
        if options.contains_key(&name) {
            return Err(format!("option `{name}` is there twice in its section"));
        }
        options.insert(name.clone(), Entry { value: text[position + 1..].trim().to_owned(), line: 0 });
        self.option = Some(name);
        Ok(())
    }

    /// The option that a continuation would belong to.
    fn entry(&mut self) -> Option<&mut Entry> {
        let option = self.option.as_deref()?;
        match &self.current {
            Current::Nothing => None,
            Current::Defaults => self.ini.defaults.get_mut(option),
            Current::Section(name) => self.ini.sections.get_mut(name.as_str())?.get_mut(option),
        }
    }
}

fn header(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('[')?;
    let end = inner.rfind(']')?;
    (end > 0).then(|| &inner[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ini, IniError> {
        Ini::parse(Utf8Path::new("slapos.cfg"), text)
    }

    fn value(text: &str, option: &str) -> Option<String> {
        parse(text).unwrap().get("slapos", option).unwrap()
    }

    #[test]
    fn names_are_lowered_and_both_separators_work() {
        let text = "[slapos]\nMaster_URL: http://x:1/\ncomputer_id=a = b\n";

        assert_eq!(value(text, "master_url").as_deref(), Some("http://x:1/"));
        assert_eq!(value(text, "COMPUTER_ID").as_deref(), Some("a = b"));
    }

    #[test]
    fn indented_lines_continue_and_comments_between_them_are_dropped() {
        let text = "[slapos]\nlist =\n  one\n  # not this\n  two ; but this\n\n  three\nnext = 1\n";

        assert_eq!(value(text, "list").as_deref(), Some("\none\ntwo ; but this\n\nthree"));
        assert_eq!(value(text, "next").as_deref(), Some("1"));
    }

    #[test]
    fn percent_signs_interpolate() {
        let text = "[DEFAULT]\nbase = /srv\n[slapos]\nroot = %(BASE)s/inst\nshare = 100%%\nbad = %(no)s\nworse = 5%\n";

        assert_eq!(value(text, "root").as_deref(), Some("/srv/inst"));
        assert_eq!(value(text, "share").as_deref(), Some("100%"));
        assert_eq!(value(text, "base").as_deref(), Some("/srv"));
        let ini = parse(text).unwrap();
        assert!(ini.get("slapos", "bad").is_err());
        assert_eq!(ini.get("slapos", "worse").unwrap_err().line, 7);
    }

    #[test]
    fn a_circle_of_references_is_refused() {
        assert!(parse("[slapos]\na = %(b)s\nb = %(a)s\n").unwrap().get("slapos", "a").is_err());
    }

    #[test]
    fn what_is_not_the_dialect_is_refused_with_its_line() {
        for (text, line) in [
            ("a = 1\n", 1),
            ("[s]\nword\n", 2),
            ("[s]\n[s]\n", 2),
            ("[s]\na = 1\nA = 2\n", 3),
            ("# fine\n[s]\n= 1\n", 3),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn a_missing_section_or_option_is_none() {
        assert_eq!(value("[other]\na = 1\n", "a"), None);
        assert_eq!(value("[slapos]\n", "a"), None);
    }
}
