//! Sections with their bases merged in, out of what the files write one over the other.

use std::collections::BTreeSet;
use std::rc::Rc;

use indexmap::IndexMap;

use super::library::File;

/// How deep bases are followed; a section that needs more is based on itself.
const MOST_BASES: usize = 20;

/// An option after its section's bases are merged in.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: String,
    /// The line of the file that is looked at; 0 when another file says it.
    pub(super) line: u32,
    /// Whether it is said in place of what an extended file says.
    pub(super) is_offered: bool,
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

/// The sections of a profile, and which of them are bases.
pub(super) struct Merged {
    pub(super) sections: IndexMap<String, Section>,
    /// The sections that others take options over from.
    pub(super) bases: BTreeSet<String>,
}

impl Merged {
    /// Out of its files, of which `own` is the one that is looked at.
    pub(super) fn of(files: &[Rc<File>], own: &Rc<File>) -> Self {
        let mut written: IndexMap<String, Written> = IndexMap::new();
        for file in files {
            add(&mut written, file, Rc::ptr_eq(file, own));
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
        Self { sections, bases }
    }
}

/// A section as the files write it, one over the other.
#[derive(Default)]
struct Written {
    line: u32,
    bases: Vec<String>,
    options: IndexMap<String, Setting>,
    own: Vec<(String, u32)>,
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
            let before = target.options.get(&option.name);
            let is_offered = before.is_some_and(|before| !before.is_own() || before.is_offered);
            let value = match before.filter(|_| option.is_added) {
                Some(before) => format!("{}\n{}", before.value, option.value),
                None => option.value.clone(),
            };
            target.options.insert(option.name.clone(), Setting { value, line, is_offered });
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
            && depth < MOST_BASES
            && seen.insert(base)
        {
            merge(written, base_section, options, seen, depth + 1);
        }
    }
}
