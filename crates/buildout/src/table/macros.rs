//! Macros: a section whose option `<` names others starts from their options.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::upstream::{sorted_pending, split_pending};
use super::{History, Origin, Step, Table};
use crate::BuildError;
use crate::engine::MOST_TEXT;
use crate::fault::Fault;
use crate::nearest::nearest;

/// Deeper chains of macros are refused instead of exhausting the stack.
const DEEPEST: usize = 500;

/// Macros that are resolved already.
#[derive(Default)]
struct Known {
    macros: HashMap<String, IndexMap<String, String>>,
    /// How long their options are together, in bytes.
    length: usize,
}

impl Table {
    /// The options of a section with those that its macros bring, the option `<` itself left out. The section must
    /// exist.
    ///
    /// # Errors
    /// [`Fault::UnknownMacro`], [`Fault::MacroLoop`].
    pub(crate) fn resolve(&self, name: &str) -> Result<IndexMap<String, String>, BuildError> {
        self.resolve_below(name, &mut Vec::new(), &mut Known::default())
    }

    /// `known` are macros that are resolved already: without it, towers of macros that share their bases would take
    /// for ever.
    fn resolve_below(
        &self,
        name: &str,
        above: &mut Vec<String>,
        known: &mut Known,
    ) -> Result<IndexMap<String, String>, BuildError> {
        if let Some(options) = known.macros.get(name) {
            return Ok(options.clone());
        }
        let section = &self.sections[name];
        let parents = match section.options.get("<") {
            Some(history) if name != "buildout" => history.value(None),
            _ => String::new(),
        };
        if above.iter().any(|other| other == name) {
            return Err(Fault::MacroLoop { section: name.to_owned() }.into());
        }
        if above.len() > DEEPEST {
            return Err(Fault::TooDeep { limit: DEEPEST }.into());
        }
        above.push(name.to_owned());
        let mut options = IndexMap::new();
        for parent in parents.split('\n').map(str::trim).filter(|parent| !parent.is_empty()) {
            if !self.contains(parent) {
                let near = nearest(parent, self.sections.keys().map(String::as_str));
                return Err(Fault::UnknownMacro {
                    section: name.to_owned(),
                    parent: parent.to_owned(),
                    near,
                }
                .into());
            }
            options.extend(self.resolve_below(parent, above, known)?);
        }
        above.pop();
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
        if !above.is_empty() {
            for (option, text) in &options {
                known.length += text.len();
                if known.length > MOST_TEXT {
                    let (section, option) = (name.to_owned(), option.clone());
                    return Err(Fault::TooMuch { section, option, limit: MOST_TEXT }.into());
                }
            }
            known.macros.insert(name.to_owned(), options.clone());
        }
        Ok(options)
    }
}
