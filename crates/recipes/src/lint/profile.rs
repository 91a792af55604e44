//! A profile as the rules see it: bases merged, references followed within the file.

use std::collections::BTreeSet;

use buildout::{OutlineSection, SyntaxError, outline};
use indexmap::IndexMap;

/// How deep references are followed; a profile that needs more refers to itself.
const MOST_STEPS: usize = 20;

/// An option after its section's bases are merged in.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: String,
    pub(super) line: u32,
}

/// A section after its bases are merged in.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) options: IndexMap<String, Setting>,
}

impl Section {
    /// The text of an option before substitution.
    pub(super) fn option(&self, name: &str) -> Option<&Setting> {
        self.options.get(name)
    }

    /// The recipe's name, without the entry point that is the default.
    pub(super) fn recipe(&self) -> &str {
        self.option("recipe").map_or("", |recipe| recipe.value.as_str())
    }
}

/// One file.
#[derive(Debug)]
pub(super) struct Profile {
    sections: IndexMap<String, Section>,
    /// The sections that others take options over from.
    bases: BTreeSet<String>,
    /// Whether a template engine decides which of its lines count.
    is_decided_by_template: bool,
}

impl Profile {
    pub(super) fn read(file: &str, text: &str) -> Result<Self, SyntaxError> {
        let (text, is_decided_by_template) = without_statements(text);
        let written = outline(file, &text)?;
        let sections = written
            .iter()
            .map(|section| {
                let mut options = IndexMap::new();
                merge(&written, section, &mut options, 0);
                (section.name.clone(), Section { name: section.name.clone(), line: section.line, options })
            })
            .collect();
        let bases = written
            .iter()
            .flat_map(|section| &section.options)
            .filter(|option| option.name == "<")
            .flat_map(|option| option.value.split_whitespace().map(str::to_owned))
            .collect();
        Ok(Self { sections, bases, is_decided_by_template })
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.values()
    }

    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(name)
    }

    /// Whether other files have a say in what this one means.
    pub(super) fn extends_others(&self) -> bool {
        self.section("buildout").is_some_and(|buildout| buildout.option("extends").is_some())
    }

    /// The text of an option with the references that this file can answer; the others stay as they are.
    pub(super) fn expanded(&self, section: &Section, value: &str) -> String {
        let mut text = value.to_owned();
        for _ in 0..MOST_STEPS {
            let Some(next) = self.expanded_once(section, &text) else { break };
            text = next;
        }
        text
    }

    fn expanded_once(&self, current: &Section, text: &str) -> Option<String> {
        for (start, _) in text.match_indices("${") {
            let end = start + text[start..].find('}')?;
            let Some((section, option)) = text[start + 2..end].split_once(':') else { continue };
            let owner = if section.is_empty() { Some(current) } else { self.section(section) };
            let Some(setting) = owner.and_then(|owner| owner.option(option)) else { continue };
            // What stands in another section's value refers to that section.
            let owner = if section.is_empty() { "" } else { section };
            let value = setting.value.replace("${:", &format!("${{{owner}:"));
            return Some(format!("{}{value}{}", &text[..start], &text[end + 1..]));
        }
        None
    }

    /// The sections that are built, and those that serve as bases; `None` where this file alone does not say.
    pub(super) fn reached_from_parts(&self) -> Option<BTreeSet<&str>> {
        if self.extends_others() || self.is_decided_by_template {
            return None;
        }
        let parts = self.section("buildout")?.option("parts")?;
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.names_in(&parts.value);
        while let Some(name) = open.pop() {
            let Some((name, section)) = self.sections.get_key_value(name) else { continue };
            if seen.insert(name.as_str()) {
                open.extend(section.options.values().flat_map(|setting| self.names_in(&setting.value)));
            }
        }
        seen.extend(self.bases.iter().map(String::as_str));
        Some(seen)
    }

    /// The sections that a text names: as a word, or before a colon.
    fn names_in(&self, text: &str) -> Vec<&str> {
        let is_end = |letter: char| letter.is_whitespace() || "${}:,=".contains(letter);
        text.split(is_end)
            .filter_map(|word| self.sections.get_key_value(word))
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// Merges the bases of a section, then its own options.
fn merge(
    written: &[OutlineSection],
    section: &OutlineSection,
    options: &mut IndexMap<String, Setting>,
    depth: usize,
) {
    let bases = section.options.iter().filter(|option| option.name == "<");
    for base in bases.flat_map(|option| option.value.split_whitespace()) {
        if let Some(base) = written.iter().find(|section| section.name == base)
            && depth < MOST_STEPS
        {
            merge(written, base, options, depth + 1);
        }
    }
    for option in section.options.iter().filter(|option| option.name != "<") {
        let before = options.get(&option.name).filter(|_| option.is_added);
        let value = match before {
            Some(before) => format!("{}\n{}", before.value, option.value),
            None => option.value.clone(),
        };
        options.insert(option.name.clone(), Setting { value, line: option.line });
    }
}

/// The text with empty lines where a template engine has statements or comments of a whole line, and whether any of them
/// decides what counts.
fn without_statements(text: &str) -> (String, bool) {
    let mut decides = false;
    let mut lines = String::new();
    for line in text.lines() {
        let start = line.trim_start();
        if start.starts_with("{%") || start.starts_with("{#") {
            let statement = start.trim_start_matches(['{', '%', '#', '-', ' ']);
            decides |= !["raw", "endraw", "set "].iter().any(|word| statement.starts_with(word));
        } else {
            lines.push_str(line);
        }
        lines.push('\n');
    }
    (lines, decides)
}
