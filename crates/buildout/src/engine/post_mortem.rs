//! How the sections that were at work looked when a build failed: for who asks with `-D`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Activity, Engine};
use crate::BuildError;
use crate::table::Origin;

/// Of a long way down, so many sections are shown, the innermost first.
const MOST_SECTIONS: usize = 10;

impl Engine {
    /// Sections that are being worked on, the outermost first.
    pub(super) fn sections_at_work(&self) -> Vec<String> {
        let mut sections: Vec<String> =
            self.doing.iter().filter_map(|doing| doing.section().cloned()).collect();
        sections.dedup();
        sections
    }

    /// Options that are being expanded, the outermost first.
    pub(super) fn options_being_expanded(&self) -> Vec<(String, String)> {
        let option = |doing: &Activity| match doing {
            Activity::GettingOption(section, option) => Some((section.clone(), option.clone())),
            _ => None,
        };
        self.doing.iter().filter_map(option).collect()
    }

    /// Each section that was at work, with its options as the profiles have them, where, and expanded.
    pub(crate) fn post_mortem(&self, error: &BuildError) -> String {
        let mut text = String::from("How it came about, the innermost section first:\n");
        for section in error.sections_at_work().into_iter().take(MOST_SECTIONS) {
            let _ = write!(text, "\n[{section}]\n");
            self.write_section(&mut text, section);
        }
        text
    }

    fn write_section(&self, text: &mut String, section: &str) {
        if !self.table.contains(section) {
            text.push_str("  (no profile has it)\n");
            return;
        }
        // A macro that cannot be applied is what the error is about; then the section's own options are shown.
        let written: BTreeMap<String, String> = match self.table.resolve(section) {
            Ok(options) => options.into_iter().collect(),
            Err(_) => self.own_options(section),
        };
        let slot = self.slots.get(section);
        for (option, raw) in &written {
            let entry = slot.and_then(|slot| slot.options.get(option));
            if entry.is_some_and(|entry| entry.hidden) {
                let _ = writeln!(text, "  {option} is hidden");
                continue;
            }
            write_value(text, &format!("{option} = "), raw);
            let _ = writeln!(text, "      {}", self.place(section, option));
            match entry.map(|entry| entry.cooked.as_deref()) {
                Some(Some(cooked)) if cooked != raw => write_value(text, "    → ", cooked),
                Some(None) if raw.contains("${") => text.push_str("    → (not expanded)\n"),
                None if slot.is_some() => text.push_str("    → (removed by the recipe)\n"),
                _ => {}
            }
        }
        let set = slot.into_iter().flat_map(|slot| &slot.options);
        for (option, entry) in set.filter(|(option, entry)| !entry.hidden && !written.contains_key(*option)) {
            write_value(text, &format!("{option} = "), entry.value());
            text.push_str("      set by the recipe\n");
        }
    }

    fn own_options(&self, section: &str) -> BTreeMap<String, String> {
        let options = self.table.sections[section].options.iter();
        options.map(|(option, history)| (option.clone(), history.value(None))).collect()
    }

    /// Where an option was written last.
    fn place(&self, section: &str, option: &str) -> String {
        let last = self.table.history(section, option).and_then(|history| history.last());
        match last.map(|step| step.origin) {
            Some(Origin::Profile { source, line }) => format!("{}:{line}", self.sources.get(source).name),
            Some(Origin::CommandLine) => "the command line".to_owned(),
            Some(Origin::Default | Origin::Implicit | Origin::Computed) => "the engine".to_owned(),
            None => "a macro".to_owned(),
        }
    }
}

fn write_value(text: &mut String, head: &str, value: &str) {
    let mut lines = value.split('\n');
    let _ = writeln!(text, "  {head}{}", lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(text, "        {line}");
    }
}
