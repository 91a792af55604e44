//! The texts of profiles, each read once, and everything that one of them extends.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use buildout::{OutlineSection, SyntaxError, outline};
use camino::{Utf8Path, Utf8PathBuf};

/// Gives the texts of profiles, each read once.
pub struct Library<'a> {
    read: &'a dyn Fn(&Utf8Path) -> Option<String>,
    known: RefCell<HashMap<Utf8PathBuf, Option<Rc<File>>>>,
}

/// A profile as it is written.
pub(super) struct File {
    pub(super) text: String,
    pub(super) sections: Vec<OutlineSection>,
    pub(super) is_decided_by_template: bool,
}

impl<'a> Library<'a> {
    /// A library whose files are read by `read`; `None` stands for a file that is not there.
    pub fn new(read: &'a dyn Fn(&Utf8Path) -> Option<String>) -> Self {
        Self { read, known: RefCell::default() }
    }

    pub(super) fn file(&self, path: &Utf8Path) -> Option<Rc<File>> {
        if let Some(known) = self.known.borrow().get(path) {
            return known.clone();
        }
        let file = (self.read)(path).and_then(|text| File::parse(path.as_str(), &text).ok()).map(Rc::new);
        self.known.borrow_mut().insert(path.to_owned(), file.clone());
        file
    }
}

impl File {
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, SyntaxError> {
        let (without, is_decided_by_template) = without_statements(text);
        Ok(Self { text: text.to_owned(), sections: outline(name, &without)?, is_decided_by_template })
    }

    pub(super) fn extends(&self) -> Vec<&str> {
        let buildout = self.sections.iter().filter(|section| section.name == "buildout");
        let options = buildout.flat_map(|section| &section.options);
        let extends = options.filter(|option| option.name == "extends");
        extends.flat_map(|option| option.value.split_whitespace()).collect()
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

/// Finds what a profile extends, each file once, what is extended before what extends it.
pub(super) struct Walk<'l> {
    library: &'l Library<'l>,
    seen: BTreeSet<Utf8PathBuf>,
    /// The files, the first one last.
    pub(super) files: Vec<Rc<File>>,
    /// Whether one of them extends what cannot be read here.
    pub(super) is_open: bool,
    /// Words of the first one's `extends` that name no file.
    pub(super) missing: Vec<String>,
}

impl<'l> Walk<'l> {
    /// All that the file at `path` extends.
    pub(super) fn from(path: &Utf8Path, file: &Rc<File>, library: &'l Library<'l>) -> Self {
        let mut walk =
            Self { library, seen: BTreeSet::new(), files: Vec::new(), is_open: false, missing: Vec::new() };
        // A stack of our own: chains of profiles may be longer than that of the thread.
        let mut open = vec![Step::Look(path.to_owned(), Rc::clone(file))];
        while let Some(step) = open.pop() {
            match step {
                Step::Look(path, file) => walk.look(&path, file, &mut open),
                Step::Keep(file) => walk.files.push(file),
            }
        }
        walk
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
