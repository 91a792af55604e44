//! A profile as the rules see it: what it extends merged in as far as it can be read, bases merged, references followed.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use buildout::SyntaxError;
use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::library::{File, Library, Walk};
use super::section::{Merged, Section};

/// How often references are replaced by what they refer to; a text that needs more refers to itself.
const MOST_STEPS: usize = 20;

/// One file, with what it extends.
pub(super) struct Profile {
    sections: IndexMap<String, Section>,
    /// The sections that others take options over from.
    bases: BTreeSet<String>,
    /// Whether a template engine decides which of its lines count.
    pub(super) is_decided_by_template: bool,
    /// Whether it extends what cannot be read here.
    is_open: bool,
    /// Words of `extends` that name no file.
    pub(super) missing: Vec<String>,
    /// Whether it is there for others to extend.
    pub(super) is_in_library: bool,
    /// Whether it extends anything.
    pub(super) extends: bool,
    /// The text of the file itself.
    pub(super) text: String,
    /// The texts of all files, the one that is looked at last.
    texts: Vec<Rc<File>>,
    /// The profiles beside it that extend it.
    siblings: Vec<Rc<File>>,
    /// The other profiles beside it: one of them may render it, with parts of it chosen there.
    others: Vec<Rc<File>>,
    /// The words behind colons in all of them, collected when somebody asks.
    named: OnceCell<HashSet<String>>,
}

impl Profile {
    pub(super) fn read(
        path: &Utf8Path,
        text: &str,
        library: &Library<'_>,
        siblings: &[Utf8PathBuf],
    ) -> Result<Self, SyntaxError> {
        let file = Rc::new(File::parse(path.as_str(), text)?);
        let Walk { files, is_open, missing, .. } = Walk::from(path, &file, library);
        let Merged { sections, bases } = Merged::of(&files, &file);
        let name = path.file_name().unwrap_or_default();
        let beside = siblings.iter().filter(|sibling| *sibling != path);
        let (siblings, others) = beside
            .filter_map(|sibling| library.file(sibling))
            .partition(|sibling| sibling.extends().iter().any(|word| word.rsplit('/').next() == Some(name)));
        Ok(Self {
            sections,
            bases,
            is_decided_by_template: file.is_decided_by_template,
            is_open,
            missing,
            is_in_library: path.components().any(|part| matches!(part.as_str(), "component" | "stack")),
            extends: !file.extends().is_empty(),
            text: file.text.clone(),
            texts: files,
            siblings,
            others,
            named: OnceCell::new(),
        })
    }

    /// Whether any of the files refers to an option of that name.
    pub(super) fn refers_to(&self, option: &str) -> bool {
        let is_of_name = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        let named = self.named.get_or_init(|| {
            let texts = self.texts.iter().chain(&self.siblings).map(|file| file.text.as_str());
            let behind_colons = texts.flat_map(|text| text.split(':').skip(1));
            let names = behind_colons.map(|rest| rest.split(|letter| !is_of_name(letter)).next());
            names.flatten().map(str::to_owned).collect()
        });
        // Of a name with other letters, such as a blank, the first word is enough to be silent.
        named.contains(option.split(|letter| !is_of_name(letter)).next().unwrap_or_default())
    }

    /// The sections of which templates get every option: `section NAME SECTION` in a context.
    pub(super) fn given_whole(&self) -> BTreeSet<&str> {
        let lines = self.texts.iter().flat_map(|file| file.text.lines());
        let given = lines
            .filter(|line| line.contains("section "))
            .filter_map(|line| line.split_whitespace().skip_while(|word| *word != "section").nth(2));
        given.collect()
    }

    /// Whether it refers to sections that neither it nor what it extends has: then another profile renders it, and its
    /// references are partly those of that one.
    pub(super) fn refers_elsewhere(&self) -> bool {
        let references = self.text.split("${").skip(1).filter_map(|rest| rest.split(['}', '\n']).next());
        let mut sections = references.filter_map(|reference| Some(reference.split_once(':')?.0));
        sections.any(|name| !name.is_empty() && name != "buildout" && !self.sections.contains_key(name))
    }

    /// Where a word stands from a line on, within what continues that line: line and column, from 1.
    pub(super) fn place(&self, line: u32, word: &str) -> (u32, u32) {
        let lines = self.text.lines().enumerate().skip(line.saturating_sub(1) as usize);
        for (number, text) in lines {
            let is_first = number + 1 == line as usize;
            if !is_first && !text.is_empty() && !text.starts_with([' ', '\t', '#', ';', '{']) {
                break;
            }
            if let Some(column) = text.find(word) {
                let column = text[..column].chars().count() + 1;
                return (u32::try_from(number + 1).unwrap_or(line), u32::try_from(column).unwrap_or(1));
            }
        }
        (line, 1)
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.values()
    }

    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(name)
    }

    /// Whether other files, which cannot be read here, have a say in what this one means.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
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
        if self.is_open || self.texts.iter().any(|file| file.is_decided_by_template) {
            return None;
        }
        let parts = self.section("buildout")?.option("parts")?;
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.names_in(&parts.value);
        open.extend(self.siblings.iter().flat_map(|file| self.names_in(&file.text)));
        // What [buildout] itself names, such as its Python, is built, too.
        let buildout = self.section("buildout").into_iter().flat_map(|buildout| buildout.options.values());
        open.extend(buildout.flat_map(|setting| self.names_in(&setting.value)));
        for file in &self.others {
            // `${name:option}`, or `name:option` that is rendered into such.
            let is_end = |letter: char| letter.is_whitespace() || "${}=,()'\"".contains(letter);
            let words = file.text.split(is_end);
            open.extend(words.filter_map(|word| Some(word.split_once(':')?.0)));
        }
        while let Some(name) = open.pop() {
            let Some((name, section)) = self.sections.get_key_value(name) else { continue };
            if seen.insert(name.as_str()) {
                // Its template is another file, whose references are those of the profile.
                if section.recipe() == "slapos.recipe.template" && section.option("url").is_some() {
                    return None;
                }
                open.extend(section.options.values().flat_map(|setting| self.names_in(&setting.value)));
            }
        }
        seen.extend(self.bases.iter().map(String::as_str));
        Some(seen)
    }

    /// The sections that a text names: as a word, or before a colon.
    fn names_in(&self, text: &str) -> Vec<&str> {
        let is_end = |letter: char| letter.is_whitespace() || "${}:,=[]()'\"".contains(letter);
        text.split(is_end)
            .filter_map(|word| self.sections.get_key_value(word))
            .map(|(name, _)| name.as_str())
            .collect()
    }
}
