//! A profile as the rules see it: what it extends merged in as far as it can be read, bases merged, references followed.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use buildout::{OutlineSection, SyntaxError, outline};
use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

/// How deep references are followed; a profile that needs more refers to itself.
const MOST_STEPS: usize = 20;

/// An option after its section's bases are merged in.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: String,
    /// The line of the file that is looked at; 0 when another file says it.
    pub(super) line: u32,
}

impl Setting {
    /// Whether the file that is looked at says it.
    pub(super) fn is_own(&self) -> bool {
        self.line > 0
    }
}

/// A section after its bases are merged in.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    /// The line of its header in the file that is looked at; 0 when only other files have it.
    pub(super) line: u32,
    pub(super) options: IndexMap<String, Setting>,
    /// The options that the file itself writes into it.
    pub(super) own: Vec<(String, u32)>,
}

impl Section {
    /// The text of an option before substitution.
    pub(super) fn option(&self, name: &str) -> Option<&Setting> {
        self.options.get(name)
    }

    /// The recipe's name, without the entry point that is the default.
    pub(super) fn recipe(&self) -> &str {
        let recipe = self.option("recipe").map_or("", |recipe| recipe.value.as_str());
        recipe.strip_suffix(":default").unwrap_or(recipe)
    }
}

/// Gives the texts of profiles, each read once.
pub struct Library<'a> {
    read: &'a dyn Fn(&Utf8Path) -> Option<String>,
    known: RefCell<HashMap<Utf8PathBuf, Option<Rc<File>>>>,
}

/// A profile as it is written.
struct File {
    text: String,
    sections: Vec<OutlineSection>,
    is_decided_by_template: bool,
}

impl<'a> Library<'a> {
    /// A library whose files are read by `read`; `None` stands for a file that is not there.
    pub fn new(read: &'a dyn Fn(&Utf8Path) -> Option<String>) -> Self {
        Self { read, known: RefCell::default() }
    }

    fn file(&self, path: &Utf8Path) -> Option<Rc<File>> {
        if let Some(known) = self.known.borrow().get(path) {
            return known.clone();
        }
        let file = (self.read)(path).and_then(|text| File::parse(path.as_str(), &text).ok()).map(Rc::new);
        self.known.borrow_mut().insert(path.to_owned(), file.clone());
        file
    }
}

impl File {
    fn parse(name: &str, text: &str) -> Result<Self, SyntaxError> {
        let (without, is_decided_by_template) = without_statements(text);
        Ok(Self { text: text.to_owned(), sections: outline(name, &without)?, is_decided_by_template })
    }

    fn extends(&self) -> Vec<&str> {
        let buildout = self.sections.iter().filter(|section| section.name == "buildout");
        let options = buildout.flat_map(|section| &section.options);
        let extends = options.filter(|option| option.name == "extends");
        extends.flat_map(|option| option.value.split_whitespace()).collect()
    }
}

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

/// A section as the files write it, one over the other.
#[derive(Default)]
struct Written {
    line: u32,
    bases: Vec<String>,
    options: IndexMap<String, Setting>,
    own: Vec<(String, u32)>,
}

impl Profile {
    pub(super) fn read(
        path: &Utf8Path,
        text: &str,
        library: &Library<'_>,
        siblings: &[Utf8PathBuf],
    ) -> Result<Self, SyntaxError> {
        let file = Rc::new(File::parse(path.as_str(), text)?);
        let mut walk =
            Walk { library, seen: BTreeSet::new(), files: Vec::new(), is_open: false, missing: Vec::new() };
        walk.visit(path, &file);
        let Walk { files, is_open, missing, .. } = walk;
        let mut written: IndexMap<String, Written> = IndexMap::new();
        for other in &files {
            add(&mut written, other, Rc::ptr_eq(other, &file));
        }
        let sections = written
            .iter()
            .map(|(name, section)| {
                let mut options = IndexMap::new();
                merge(&written, section, &mut options, &mut BTreeSet::new(), 0);
                let (line, own) = (section.line, section.own.clone());
                (name.clone(), Section { name: name.clone(), line, options, own })
            })
            .collect();
        let bases = written.values().flat_map(|section| section.bases.iter().cloned()).collect();
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

/// Finds what a profile extends, each file once, what is extended before what extends it.
struct Walk<'l> {
    library: &'l Library<'l>,
    seen: BTreeSet<Utf8PathBuf>,
    files: Vec<Rc<File>>,
    is_open: bool,
    missing: Vec<String>,
}

impl Walk<'_> {
    fn visit(&mut self, path: &Utf8Path, file: &Rc<File>) {
        // A stack of our own: chains of profiles may be longer than that of the thread.
        let mut open = vec![Step::Look(path.to_owned(), Rc::clone(file))];
        while let Some(step) = open.pop() {
            match step {
                Step::Look(path, file) => self.look(&path, file, &mut open),
                Step::Keep(file) => self.files.push(file),
            }
        }
    }

    fn look(&mut self, path: &Utf8Path, file: Rc<File>, open: &mut Vec<Step>) {
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let is_root = self.seen.len() == 1;
        let start = open.len();
        open.push(Step::Keep(Rc::clone(&file)));
        let words = file.extends();
        if words.iter().any(|word| word.contains(['$', '{', '}'])) {
            // What a template puts there is known when it is rendered.
            self.is_open = true;
            return;
        }
        for word in words {
            if word.contains("://") {
                self.is_open = true;
                continue;
            }
            let other = buildout::normalised(&path.parent().unwrap_or(path).join(word));
            match self.library.file(&other) {
                Some(found) => open.push(Step::Look(other, found)),
                None => {
                    self.is_open = true;
                    if is_root {
                        self.missing.push(word.to_owned());
                    }
                }
            }
        }
        // The first is looked at first, and this file is kept after all that it extends.
        open[start + 1..].reverse();
    }
}

/// What is left to do on the walk.
enum Step {
    Look(Utf8PathBuf, Rc<File>),
    Keep(Rc<File>),
}

/// Puts what a file writes over what the files before it have written.
fn add(written: &mut IndexMap<String, Written>, file: &File, is_own: bool) {
    for section in &file.sections {
        let target = written.entry(section.name.clone()).or_default();
        if is_own {
            target.line = section.line;
        }
        for option in &section.options {
            if option.name == "<" {
                let bases = option.value.split_whitespace().map(str::to_owned);
                if option.is_added {
                    target.bases.extend(bases);
                } else {
                    target.bases = bases.collect();
                }
                continue;
            }
            let line = if is_own { option.line } else { 0 };
            let before = target.options.get(&option.name).filter(|_| option.is_added);
            let value = match before {
                Some(before) => format!("{}\n{}", before.value, option.value),
                None => option.value.clone(),
            };
            target.options.insert(option.name.clone(), Setting { value, line });
            if is_own {
                target.own.push((option.name.clone(), line));
            }
        }
    }
}

/// Merges the options of a section, then what its bases have besides: the last one wins, so it comes first. Each base is
/// `seen` once, since it has nothing to add when it is met again; bases that share bases would multiply otherwise.
fn merge<'w>(
    written: &'w IndexMap<String, Written>,
    section: &'w Written,
    options: &mut IndexMap<String, Setting>,
    seen: &mut BTreeSet<&'w str>,
    depth: usize,
) {
    for (name, setting) in &section.options {
        options.entry(name.clone()).or_insert_with(|| setting.clone());
    }
    for base in section.bases.iter().rev() {
        if let Some(base_section) = written.get(base)
            && depth < MOST_STEPS
            && seen.insert(base)
        {
            merge(written, base_section, options, seen, depth + 1);
        }
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
