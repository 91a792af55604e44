//! Macros: a section whose option `<` names others starts from their options.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::upstream::{sorted_pending, split_pending};
use super::{History, Origin, Section, Step, Table};
use crate::BuildError;
use crate::engine::MOST_TEXT;
use crate::fault::Fault;
use crate::nearest::nearest;

/// Options by name, macros included.
type Options = IndexMap<String, String>;

/// A section and the macros that it starts from; all are known by their place in the table.
struct Ordered {
    section: usize,
    macros: Vec<usize>,
}

/// A section whose macros are being looked at.
struct Visit {
    found: Ordered,
    /// The names of those that are still to be looked at, the next one last.
    left: Vec<String>,
}

/// Macros that are resolved and still wanted.
#[derive(Default)]
struct Known {
    /// The options of each, and how many sections still start from them.
    macros: HashMap<usize, (Options, usize)>,
    /// How long the copies are together that were made of them, in bytes.
    length: usize,
}

impl Table {
    /// The options of a section with those that its macros bring, the option `<` itself left out. The section must
    /// exist.
    ///
    /// # Errors
    /// As [`Table::resolve_on`].
    pub(crate) fn resolve(&self, name: &str) -> Result<Options, BuildError> {
        self.resolve_on(name, &mut Vec::new())
    }

    /// As [`Table::resolve`]. After an error, `way` has the sections with macros that lead to it, `name` first.
    ///
    /// Each macro is resolved once, and each step is a turn of a loop: chains are as long as they like.
    ///
    /// # Errors
    /// [`Fault::UnknownMacro`], [`Fault::MacroLoop`], [`Fault::TooMuch`].
    pub(crate) fn resolve_on(&self, name: &str, way: &mut Vec<String>) -> Result<Options, BuildError> {
        let top = self.sections.get_index_of(name).expect("the section exists");
        let (order, uses) = self.ordered_macros(top, way)?;
        let mut known = Known::default();
        for Ordered { section, macros } in order {
            let mut options = Options::new();
            for parent in macros {
                let inherited = known.take(parent).map_err(|option| self.too_much(parent, option))?;
                if options.is_empty() {
                    options = inherited;
                } else {
                    options.extend(inherited);
                }
            }
            self.lay_own(section, &mut options);
            known.macros.insert(section, (options, uses.get(&section).copied().unwrap_or_default()));
        }
        let (options, _) = known.macros.remove(&top).expect("the section itself comes last");
        Ok(options)
    }

    /// A section and everything that it starts from, each after its macros, and how often each is started from.
    fn ordered_macros(
        &self,
        top: usize,
        way: &mut Vec<String>,
    ) -> Result<(Vec<Ordered>, HashMap<usize, usize>), BuildError> {
        let mut order = Vec::new();
        let mut uses: HashMap<usize, usize> = HashMap::new();
        // The sections that were met; `true` as long as what they start from is looked at.
        let mut is_open = HashMap::from([(top, true)]);
        let mut visits = vec![self.visit(top)];
        let fault = loop {
            let Some(visit) = visits.last_mut() else { return Ok((order, uses)) };
            let Some(parent) = visit.left.pop() else {
                is_open.insert(visit.found.section, false);
                order.extend(visits.pop().map(|visit| visit.found));
                continue;
            };
            let Some(place) = self.sections.get_index_of(&parent) else {
                let near = nearest(&parent, self.sections.keys().map(String::as_str));
                break Fault::UnknownMacro { section: self.name_of(visit.found.section), parent, near };
            };
            visit.found.macros.push(place);
            *uses.entry(place).or_default() += 1;
            match is_open.get(&place) {
                Some(true) => break Fault::MacroLoop { section: parent },
                Some(false) => {}
                None => {
                    is_open.insert(place, true);
                    visits.push(self.visit(place));
                }
            }
        };
        way.extend(visits.iter().map(|visit| self.name_of(visit.found.section)));
        Err(fault.into())
    }

    fn visit(&self, section: usize) -> Visit {
        let (name, Section { options, .. }) = self.sections.get_index(section).expect("it is in the table");
        let named = match options.get("<") {
            Some(history) if name != "buildout" => history.value(None),
            _ => String::new(),
        };
        let named = named.split('\n').map(str::trim).filter(|parent| !parent.is_empty());
        Visit {
            found: Ordered { section, macros: Vec::new() },
            left: named.rev().map(str::to_owned).collect(),
        }
    }

    /// Lays what a section itself says over what it starts from.
    fn lay_own(&self, section: usize, options: &mut Options) {
        let (name, section) = self.sections.get_index(section).expect("it is in the table");
        for (option, history) in &section.options {
            let is_waiting = split_pending(option).is_some();
            if is_waiting || option == "<" && name != "buildout" {
                continue;
            }
            let inherited = options.get(option).map(String::as_str).filter(|_| history.is_increment());
            let value = history.value(inherited);
            options.insert(option.clone(), value);
        }
        for pending in sorted_pending(&section.options) {
            let Some((option, operator)) = split_pending(&pending) else { continue };
            let before = Step::set(options.get(option).cloned().unwrap_or_default(), Origin::Implicit);
            let value = section.options[&pending].value(None);
            let change = Step { operator, value, origin: Origin::Implicit };
            options.insert(option.to_owned(), History(vec![before, change]).value(None));
        }
    }

    fn name_of(&self, section: usize) -> String {
        self.sections.get_index(section).expect("it is in the table").0.clone()
    }

    fn too_much(&self, section: usize, option: String) -> BuildError {
        Fault::TooMuch { section: self.name_of(section), option, limit: MOST_TEXT }.into()
    }
}

impl Known {
    /// The options of a macro, for one of the sections that start from them: the last one gets them, the others copies.
    /// Fails with the option at which the copies become too long.
    fn take(&mut self, section: usize) -> Result<Options, String> {
        let (options, uses) =
            self.macros.get_mut(&section).expect("macros come before what starts from them");
        *uses -= 1;
        if *uses == 0 {
            return Ok(self.macros.remove(&section).expect("it was just found").0);
        }
        for (option, text) in &*options {
            self.length += option.len() + text.len();
            if self.length > MOST_TEXT {
                return Err(option.clone());
            }
        }
        Ok(options.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(sections: &[(String, String)]) -> Table {
        let mut table = Table::default();
        for (name, macros) in sections {
            table.assign(name, "<", Step::set(macros.clone(), Origin::Default));
            table.assign(name, &format!("of-{name}"), Step::set(name.clone(), Origin::Default));
        }
        table
    }

    #[test]
    fn a_chain_may_be_long_and_its_first_options_are_those_of_its_end() {
        const LONG: usize = 20_000;
        let follower = |number| if number + 1 < LONG { format!("s{}", number + 1) } else { String::new() };
        let sections: Vec<_> = (0..LONG).map(|number| (format!("s{number}"), follower(number))).collect();

        let options = table(&sections).resolve("s0").unwrap();

        assert_eq!(options.len(), LONG);
        assert_eq!(options.first(), Some((&"of-s19999".to_owned(), &"s19999".to_owned())));
        assert_eq!(options.last(), Some((&"of-s0".to_owned(), &"s0".to_owned())));
    }

    #[test]
    fn a_tower_of_macros_that_share_their_bases_is_gone_through_once() {
        let below =
            |number: usize| if number == 0 { String::new() } else { format!("a{0}\nb{0}", number - 1) };
        let sections: Vec<_> = (0..200)
            .flat_map(|number| [(format!("a{number}"), below(number)), (format!("b{number}"), below(number))])
            .collect();

        let options = table(&sections).resolve("a199").unwrap();

        assert_eq!(options.len(), 399);
        assert_eq!(options.get_index_of("of-b198"), Some(397));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_way_to_it() {
        let named = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, macros)| ((*name).to_owned(), (*macros).to_owned()));
            table(&pairs.collect::<Vec<_>>())
        };
        let (mut to_loop, mut to_nothing) = (Vec::new(), Vec::new());

        let circle = named(&[("a", "good\nb"), ("good", ""), ("b", "c"), ("c", "b\nabsent")])
            .resolve_on("a", &mut to_loop)
            .unwrap_err();
        let absent = named(&[("a", "b"), ("b", "absent\na")]).resolve_on("a", &mut to_nothing).unwrap_err();

        assert_eq!(circle.code(), "E-profile-macro-loop");
        assert_eq!(to_loop, ["a", "b", "c"]);
        assert_eq!(absent.code(), "E-profile-unknown-macro");
        assert_eq!(to_nothing, ["a", "b"]);
    }
}
