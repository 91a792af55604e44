//! The table `section -> option -> value` that profiles are applied to one after the other, with the history of each
//! value. Values are text; nothing is expanded here.

mod macros;
mod upstream;

use indexmap::IndexMap;

use crate::Dialect;
use crate::sources::SourceId;
use crate::syntax::{Operator, ParsedSection};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A default of the engine.
    Default,
    /// Worked out by the engine.
    Computed,
    /// The command line.
    CommandLine,
    /// Nothing: what an option is that a profile adds to and nobody sets.
    Implicit,
    /// A line of a profile.
    Profile {
        /// The profile.
        source: SourceId,
        /// The line of the option, from 1.
        line: u32,
    },
}

/// One change of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) operator: Operator,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

impl Step {
    pub(crate) fn set(value: String, origin: Origin) -> Self {
        Self { operator: Operator::Set, value, origin }
    }
}

/// Every change of one option, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct History(pub(crate) Vec<Step>);

impl History {
    /// The value that the changes make of an inherited one.
    pub(crate) fn value(&self, inherited: Option<&str>) -> String {
        // Whatever came before the last assignment has no effect.
        let start = self.0.iter().rposition(|step| step.operator == Operator::Set);
        let mut value = match start {
            Some(start) => Some(self.0[start].value.clone()),
            None => inherited.map(str::to_owned),
        };
        for step in &self.0[start.map_or(0, |start| start + 1)..] {
            value = Some(match (step.operator, value) {
                (Operator::Set, _) | (Operator::Add, None) => step.value.clone(),
                (Operator::Add, Some(value)) => format!("{value}\n{}", step.value),
                (Operator::Remove, None) => String::new(),
                (Operator::Remove, Some(value)) => without(&value, &step.value),
            });
        }
        value.unwrap_or_default()
    }

    /// Whether the value depends on an inherited one.
    pub(crate) fn is_increment(&self) -> bool {
        self.0.iter().all(|step| step.operator != Operator::Set)
    }

    /// The last change.
    pub(crate) fn last(&self) -> Option<&Step> {
        self.0.last()
    }
}

/// `value` without the lines that `removed` has.
fn without(value: &str, removed: &str) -> String {
    let removed: Vec<&str> = removed.split('\n').collect();
    let kept: Vec<&str> = value.split('\n').filter(|line| !removed.contains(line)).collect();
    kept.join("\n")
}

/// One section of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Section {
    pub(crate) options: IndexMap<String, History>,
    /// Where its headers are.
    pub(crate) headers: Vec<(SourceId, u32)>,
}

/// All sections, in the order of their first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) sections: IndexMap<String, Section>,
}

impl Table {
    pub(crate) fn contains(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// Applies a profile: what it sets replaces, what it adds or removes changes what is there.
    pub(crate) fn apply(
        &mut self,
        source: SourceId,
        sections: IndexMap<String, ParsedSection>,
        dialect: Dialect,
    ) {
        if dialect == Dialect::Upstream {
            return self.apply_apart(source, sections);
        }
        for (name, parsed) in sections {
            let section = self.sections.entry(name).or_default();
            section.headers.extend(parsed.headers.iter().map(|line| (source, *line)));
            for (option, assignments) in parsed.options {
                let history = section.options.entry(option).or_default();
                // Compatibility: the history that `annotate` shows begins anew with a profile that does both.
                if assignments.len() > 1 && assignments[0].operator == Operator::Set {
                    history.0.clear();
                }
                for assignment in assignments {
                    let origin = Origin::Profile { source, line: assignment.line };
                    history.0.push(Step { operator: assignment.operator, value: assignment.value, origin });
                }
            }
        }
    }

    /// Applies one assignment from elsewhere than a profile.
    pub(crate) fn assign(&mut self, section: &str, option: &str, step: Step) {
        let section = self.sections.entry(section.to_owned()).or_default();
        section.options.entry(option.to_owned()).or_default().0.push(step);
    }

    pub(crate) fn set_computed(&mut self, section: &str, option: &str, value: String) {
        self.assign(section, option, Step { operator: Operator::Set, value, origin: Origin::Computed });
    }

    /// The changes of an option, as far as the section itself has any.
    pub(crate) fn history(&self, section: &str, option: &str) -> Option<&History> {
        self.sections.get(section)?.options.get(option)
    }

    /// The value of an option without macros; for `[buildout]`, which has none.
    pub(crate) fn plain(&self, section: &str, option: &str) -> Option<String> {
        self.history(section, option).map(|history| history.value(None))
    }
}
