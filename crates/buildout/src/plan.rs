//! What a build has to do: decided from what is recorded and what is wanted, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use camino::Utf8Path;
use indexmap::IndexMap;

use crate::Action;
use crate::installed::{Installed, PATHS, SIGNATURE, paths, same_when_recorded};

/// What is going to happen, in order: first every removal, then every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) removals: Vec<Removal>,
    /// Parts to install or update.
    pub(crate) steps: Vec<(String, Action)>,
}

/// A recorded part that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) part: String,
    pub(crate) why: Why,
}

/// Why a recorded part goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The profile does not ask for it any more.
    NotWanted,
    /// An option differs from what was recorded.
    Changed(String),
    /// It was recorded, but a path that it owns is gone.
    PathGone(String),
    /// A path that it owns goes with another part, which owns it too.
    PathGoes {
        /// The path.
        path: String,
        /// The part.
        with: String,
    },
}

/// What is wanted.
pub(crate) struct Wanted<'a> {
    /// The parts in the order of their installation, each with the options to record, [`SIGNATURE`] included.
    pub(crate) parts: &'a IndexMap<String, IndexMap<String, String>>,
    /// Whether recorded parts that are not among them are left alone.
    pub(crate) keep_others: bool,
    /// Whether a part is built again when only its signature differs.
    pub(crate) check_signatures: bool,
}

/// Decides. `exists` tells whether a recorded path is still there.
pub(crate) fn plan(recorded: &Installed, wanted: &Wanted<'_>, exists: &dyn Fn(&str) -> bool) -> Plan {
    let mut removals = Vec::new();
    let mut going = HashMap::new();
    for (part, old) in recorded.parts.iter().rev() {
        let why = match wanted.parts.get(part) {
            None if wanted.keep_others => None,
            None => Some(Why::NotWanted),
            Some(new) => difference(old, new, wanted.check_signatures)
                .map(Why::Changed)
                .or_else(|| paths(old).find_map(|path| loss(path, &going, exists))),
        };
        if let Some(why) = why {
            going.extend(paths(old).map(|path| (path, part.as_str())));
            removals.push(Removal { part: part.clone(), why });
        }
    }
    let removed: HashSet<&str> = removals.iter().map(|removal| removal.part.as_str()).collect();
    let is_kept = |part: &str| recorded.parts.contains_key(part) && !removed.contains(part);
    let steps = wanted
        .parts
        .keys()
        .map(|part| (part.clone(), if is_kept(part) { Action::Update } else { Action::Install }))
        .collect();
    Plan { removals, steps }
}

/// Why a recorded path will not be there when parts are installed. `going` has the paths of the parts that go before,
/// with these.
fn loss(path: &str, going: &HashMap<&str, &str>, exists: &dyn Fn(&str) -> bool) -> Option<Why> {
    if !exists(path) {
        return Some(Why::PathGone(path.to_owned()));
    }
    let with = Utf8Path::new(path).ancestors().find_map(|above| going.get(above.as_str()))?;
    Some(Why::PathGoes { path: path.to_owned(), with: (*with).to_owned() })
}

/// The first option, by name, that makes the part another one.
pub(crate) fn difference(
    old: &IndexMap<String, String>,
    new: &IndexMap<String, String>,
    check_signatures: bool,
) -> Option<String> {
    let is_compared = |name: &str| name != PATHS && (check_signatures || name != SIGNATURE);
    let count = |options: &IndexMap<String, String>| options.keys().filter(|name| is_compared(name)).count();
    let is_same = |(name, value): (&String, &String)| !is_compared(name) || old.get(name) == Some(value);
    if count(old) == count(new) && new.iter().all(is_same) {
        return None;
    }
    differences(old, new).into_iter().find(|name| is_compared(name))
}

/// The options, by name, that make the part another one, the signature included.
pub(crate) fn differences(old: &IndexMap<String, String>, new: &IndexMap<String, String>) -> Vec<String> {
    let one = |options: &IndexMap<String, String>, name: &str| -> IndexMap<String, String> {
        options.get(name).map(|value| (name.to_owned(), value.clone())).into_iter().collect()
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).filter(|name| *name != PATHS).collect();
    let differ = |name: &&String| {
        old.get(*name) != new.get(*name) && !same_when_recorded(&one(old, name), &one(new, name))
    };
    names.into_iter().filter(differ).cloned().collect()
}

/// The sections whose terms differ in the signatures of two records of a part.
pub(crate) fn dependencies<'o>(
    old: &'o IndexMap<String, String>,
    new: &'o IndexMap<String, String>,
) -> Vec<&'o str> {
    let terms = |options: &'o IndexMap<String, String>| -> BTreeMap<&'o str, &'o str> {
        let signature = options.get(SIGNATURE).map_or("", String::as_str);
        signature.split_whitespace().filter_map(section_term).collect()
    };
    let (old, new) = (terms(old), terms(new));
    let sections: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    sections.into_iter().filter(|section| old.get(section) != new.get(section)).collect()
}

/// What a part's signature has of a section.
pub(crate) fn digest_of<'o>(options: &'o IndexMap<String, String>, section: &str) -> Option<&'o str> {
    let signature = options.get(SIGNATURE)?;
    let mut terms = signature.split_whitespace().filter_map(section_term);
    terms.find_map(|(name, digest)| (name == section).then_some(digest))
}

/// The terms of a part's signature that are about the code of its recipe.
pub(crate) fn code_terms(options: &IndexMap<String, String>) -> BTreeSet<&str> {
    let signature = options.get(SIGNATURE).map_or("", String::as_str);
    signature.split_whitespace().filter(|term| section_term(term).is_none()).collect()
}

/// A term of a signature that is about a section: its name and its digest.
pub(crate) fn section_term(term: &str) -> Option<(&str, &str)> {
    let (section, digest) = term.rsplit_once(':')?;
    let is_digest = digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then_some((section, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> IndexMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn parts(parts: &[(&str, &[(&str, &str)])]) -> IndexMap<String, IndexMap<String, String>> {
        parts.iter().map(|(name, pairs)| ((*name).to_owned(), options(pairs))).collect()
    }

    fn describe(
        recorded: &[(&str, &[(&str, &str)])],
        wanted: &[(&str, &[(&str, &str)])],
        keep_others: bool,
        check_signatures: bool,
    ) -> String {
        let recorded = Installed { develop_eggs: String::new(), parts: parts(recorded) };
        let wanted = Wanted { parts: &parts(wanted), keep_others, check_signatures };
        let plan = plan(&recorded, &wanted, &|path| path != "gone");
        let removals = plan.removals.iter().map(|removal| format!("-{} {:?}", removal.part, removal.why));
        let steps = plan.steps.iter().map(|(part, action)| format!("{action:?} {part}"));
        removals.chain(steps).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn unchanged_parts_are_updated_and_others_built_again() {
        let recorded: &[(&str, &[(&str, &str)])] = &[
            ("same", &[("x", "1"), (PATHS, "there\nalso")]),
            ("changed", &[("x", "1"), (PATHS, "")]),
            ("lost", &[("x", "1"), (PATHS, "here\ngone")]),
            ("old", &[("x", "1"), (PATHS, "")]),
        ];
        let wanted: &[(&str, &[(&str, &str)])] =
            &[("same", &[("x", "1")]), ("new", &[]), ("changed", &[("x", "2")]), ("lost", &[("x", "1")])];

        assert_eq!(
            describe(recorded, wanted, false, true),
            "-old NotWanted, -lost PathGone(\"gone\"), -changed Changed(\"x\"), \
             Update same, Install new, Install changed, Install lost"
        );
    }

    #[test]
    fn a_part_is_built_again_when_another_takes_a_path_of_both_with_it() {
        let recorded: &[(&str, &[(&str, &str)])] = &[
            ("below", &[(PATHS, "dir/sub/file")]),
            ("beside", &[(PATHS, "dir2")]),
            ("old", &[(PATHS, "dir/sub")]),
        ];
        let wanted: &[(&str, &[(&str, &str)])] = &[("below", &[]), ("beside", &[])];

        assert_eq!(
            describe(recorded, wanted, false, true),
            "-old NotWanted, -below PathGoes { path: \"dir/sub/file\", with: \"old\" }, Install below, Update beside"
        );
    }

    #[test]
    fn parts_that_were_not_named_are_left_alone() {
        assert_eq!(describe(&[("a", &[]), ("b", &[])], &[("b", &[])], true, true), "Update b");
    }

    #[test]
    fn signatures_count_unless_told_otherwise() {
        let recorded: &[(&str, &[(&str, &str)])] = &[("a", &[(SIGNATURE, "1")])];
        let wanted: &[(&str, &[(&str, &str)])] = &[("a", &[(SIGNATURE, "2")])];

        assert_eq!(
            describe(recorded, wanted, false, true),
            "-a Changed(\"__buildout_signature__\"), Install a"
        );
        assert_eq!(describe(recorded, wanted, false, false), "Update a");
    }
}
