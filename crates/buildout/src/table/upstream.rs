//! How zc.buildout merges: as ours, but for what is added to, or removed from, where nothing is.
//!
//! Profiles are merged among themselves before they are laid over the user's defaults and those of the engine, so what
//! they add to is never a default. In a section that has just appeared, adding sets; in one that is there, it adds a
//! line to an empty text. A section that appears with macros keeps its additions and removals, as options whose names
//! end in their sign, until it is used: they come after everything that later profiles set.

use indexmap::IndexMap;

use super::{History, Operator, Origin, Section, Step, Table};
use crate::sources::SourceId;
use crate::syntax::ParsedSection;

/// Options by name; additions and removals that are still to be done under the name with its sign.
type Options = IndexMap<String, History>;

impl Table {
    /// Applies a profile to those that come before it.
    pub(super) fn apply_apart(&mut self, source: SourceId, sections: IndexMap<String, ParsedSection>) {
        for (name, parsed) in sections {
            let mut options = Options::new();
            for (option, assignments) in parsed.options {
                for assignment in assignments {
                    let origin = Origin::Profile { source, line: assignment.line };
                    let history = History(vec![Step::set(assignment.value, origin)]);
                    options.insert(pending_name(&option, assignment.operator), history);
                }
            }
            let headers = parsed.headers.iter().map(|line| (source, *line)).collect();
            self.lay(name, Section { options, headers });
        }
    }

    /// Lays the sections of another table over these.
    pub(crate) fn overlay(&mut self, other: Self) {
        for (name, section) in other.sections {
            self.lay(name, section);
        }
    }

    /// Applies assignments of the command line, by section.
    pub(crate) fn assign_apart(&mut self, assignments: IndexMap<String, Vec<(String, Step)>>) {
        for (name, steps) in assignments {
            let options = steps.into_iter().map(|(option, step)| {
                let pending = pending_name(&option, step.operator);
                (pending, History(vec![Step::set(step.value, step.origin)]))
            });
            self.lay(name, Section { options: options.collect(), headers: Vec::new() });
        }
    }

    fn lay(&mut self, name: String, section: Section) {
        if let Some(below) = self.sections.get_mut(&name) {
            below.headers.extend(section.headers);
            lay_options(&mut below.options, section.options);
            return;
        }
        if section.options.contains_key("<") {
            self.sections.insert(name, section);
            return;
        }
        let mut options = Options::new();
        lay_options(&mut options, grounded(section.options));
        self.sections.insert(name, Section { options, ..section });
    }
}

/// The options of a section that has just appeared: what is added is there from the beginning, and what is removed
/// was there, but is not.
fn grounded(mut options: Options) -> Options {
    for pending in sorted_pending(&options) {
        let (name, operator) = split_pending(&pending).expect("only those are among them");
        if options.contains_key(name) {
            continue;
        }
        let Some(mut history) = options.shift_remove(&pending) else { continue };
        if operator == Operator::Remove {
            let value = history.value(None);
            history.0.push(Step { operator, value, origin: Origin::Implicit });
        }
        options.insert(name.to_owned(), history);
    }
    options
}

fn lay_options(below: &mut Options, mut above: Options) {
    for pending in sorted_pending(&above) {
        let (name, operator) = split_pending(&pending).expect("only those are among them");
        let Some(history) = above.shift_remove(&pending) else { continue };
        let before = above.get(name).or_else(|| below.get(name)).cloned();
        let mut before = before.unwrap_or_else(|| History(vec![Step::set(String::new(), Origin::Implicit)]));
        if let Some(last) = history.last() {
            let origin = last.origin;
            before.0.push(Step { operator, value: history.value(None), origin });
        }
        above.insert(name.to_owned(), before);
    }
    for (option, history) in above {
        match (below.get_mut(&option), history.last()) {
            (Some(below), Some(last)) if last.operator == Operator::Set => {
                below.0.push(Step::set(history.value(None), last.origin));
            }
            _ => {
                below.insert(option, history);
            }
        }
    }
}

/// The name under which a change waits that can only be done when more is known.
fn pending_name(option: &str, operator: Operator) -> String {
    match operator {
        Operator::Set => option.to_owned(),
        Operator::Add => format!("{option} +"),
        Operator::Remove => format!("{option} -"),
    }
}

/// The option that such a name means, and what is to be done; no name of an option has a blank.
pub(super) fn split_pending(name: &str) -> Option<(&str, Operator)> {
    let added = name.strip_suffix(" +").map(|name| (name, Operator::Add));
    added.or_else(|| name.strip_suffix(" -").map(|name| (name, Operator::Remove)))
}

/// The names of waiting changes in the order in which they are done: additions before removals.
pub(super) fn sorted_pending<V>(options: &IndexMap<String, V>) -> Vec<String> {
    let mut names: Vec<String> =
        options.keys().filter(|name| split_pending(name).is_some()).cloned().collect();
    names.sort_unstable();
    names
}
