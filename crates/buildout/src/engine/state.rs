//! What the life cycle of parts asks of the engine: options to record, unused options, removals by recipes.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::{Engine, short_name};
use crate::{Build, BuildError, Dialect, Level, RecipeError, Uninstall};

impl Engine {
    /// The options of a part as they are recorded, in the form in which a profile has them.
    pub(crate) fn options_to_record(&self, part: &str) -> IndexMap<String, String> {
        let Some(slot) = self.slots.get(part) else { return IndexMap::new() };
        let shown = slot.options.iter().filter(|(_, entry)| !entry.hidden);
        shown.map(|(option, entry)| (option.clone(), entry.value().to_owned())).collect()
    }

    /// Whether the user asked for more or less than the usual log.
    pub(crate) fn has_verbosity(&mut self) -> Result<bool, BuildError> {
        Ok(self.buildout_option("verbosity")?.is_some_and(|verbosity| verbosity.trim() != "0"))
    }

    /// Warns of options of a section that nobody has read: they may be misspelt.
    pub(crate) fn warn_of_unused(&self, section: &str) {
        let Some(slot) = self.slots.get(section) else { return };
        let unused = slot.options.iter().filter(|(_, entry)| !entry.used);
        if let Some(message) = unused_message(section, unused.map(|(option, _)| option.as_str())) {
            self.log(Level::Warning, None, message);
        }
    }

    /// Lets the recipe of a recorded part undo what it did beyond creating files.
    pub(crate) fn uninstall_by_recipe(&mut self, part: &Uninstall<'_>) -> Result<(), RecipeError> {
        let recipe = part.options.get("recipe").map_or("", String::as_str);
        match (self.registry.get(short_name(recipe)), self.foreign.clone()) {
            (Some(kind), _) => kind.uninstall(part),
            (None, Some(foreign)) if !recipe.is_empty() => {
                foreign.uninstall(recipe, part, &mut Build::new(self))
            }
            _ => Ok(()),
        }
    }

    /// Compatibility: zc.buildout reads every option of a part to compare it with the record, and whines about none.
    pub(crate) fn compared_with_record(&mut self, part: &str) {
        if self.dialect == Dialect::Upstream
            && let Some(slot) = self.slots.get_mut(part)
        {
            slot.options.values_mut().for_each(|entry| entry.used = true);
        }
    }

    /// Counts an option as used that is read later, if at all.
    pub(crate) fn mark_used(&mut self, section: &str, option: &str) {
        if let Some(entry) = self.slots.get_mut(section).and_then(|slot| slot.options.get_mut(option)) {
            entry.used = true;
        }
    }

    /// Every initialised section, for who asks to see them.
    pub(crate) fn configuration_text(&self) -> String {
        let mut names: Vec<&String> = self.slots.keys().collect();
        names.sort_unstable();
        let mut text = String::new();
        for name in names {
            let _ = writeln!(text, "[{name}]");
            let mut options: Vec<_> =
                self.slots[name].options.iter().filter(|(_, entry)| !entry.hidden).collect();
            options.sort_unstable_by_key(|(option, _)| option.as_str());
            for (option, entry) in options {
                let _ = writeln!(text, "{option} = {}", entry.value().replace('\n', "\n\t"));
            }
        }
        text
    }
}

/// What is said of options that nobody has read.
pub(crate) fn unused_message<'o>(section: &str, options: impl Iterator<Item = &'o str>) -> Option<String> {
    let mut unused: Vec<String> = options
        .filter(|option| *option != "_profile_base_location_")
        .map(|option| format!("'{option}'"))
        .collect();
    if unused.is_empty() {
        return None;
    }
    unused.sort_unstable();
    Some(format!(
        "Section `{section}` contains unused option(s): {}.\n\
         This may be an indication for either a typo in the option's name or a bug in the used recipe.",
        unused.join(" ")
    ))
}
