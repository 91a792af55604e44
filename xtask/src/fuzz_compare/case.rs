//! One case: profiles and what is assigned on the command line.

use std::collections::HashSet;
use std::fmt;

use super::generate::CONDITIONS;

/// What stands in the lines of a profile for the directory of the case.
pub(super) const DIRECTORY: &str = "@directory@";

/// Profiles, the first of them `buildout.cfg`, the user's defaults, and assignments such as `a:x=1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// The lines of each profile.
    pub(super) profiles: Vec<Vec<String>>,
    /// The lines of the user's defaults; none means that there is no such file.
    pub(super) defaults: Vec<String>,
    pub(super) assignments: Vec<String>,
}

impl Case {
    /// What the profile of that number is called.
    pub(super) fn file_name(number: usize) -> String {
        if number == 0 { "buildout.cfg".to_owned() } else { format!("p{number}.cfg") }
    }

    /// Whether zc.buildout takes lines of a section with a false condition for lines of another: when that section
    /// has not appeared yet, or an indented line comes where no option is open. A known difference.
    pub(super) fn has_lines_astray(&self) -> bool {
        self.profiles.iter().chain([&self.defaults]).any(|lines| {
            let mut seen = HashSet::new();
            let (mut has_open_option, mut is_rejected) = (false, false);
            lines.iter().any(|line| {
                let Some(header) = line.strip_prefix('[') else {
                    let is_indented = line.starts_with([' ', '\t']);
                    has_open_option |= !is_rejected && !is_indented && line.contains('=');
                    return is_rejected && is_indented && !line.trim().is_empty() && !has_open_option;
                };
                let name: String =
                    header.trim_start().chars().take_while(|letter| !" :]".contains(*letter)).collect();
                let holds = CONDITIONS.iter().find(|(text, _)| header.contains(&format!(":{text}]")));
                is_rejected = holds.is_some_and(|(_, holds)| !holds);
                has_open_option &= is_rejected;
                seen.insert(name) && is_rejected
            })
        })
    }

    /// The text of a profile in that directory.
    pub(super) fn text(lines: &[String], directory: &str) -> String {
        lines.iter().map(|line| format!("{}\n", line.replace(DIRECTORY, directory))).collect()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for number in 0..self.profiles.len() {
            if !self.profiles[number].is_empty() {
                let text = Self::text(&self.profiles[number], DIRECTORY);
                writeln!(formatter, "-- {}\n{}", Self::file_name(number), text.trim_end())?;
            }
        }
        if !self.defaults.is_empty() {
            let text = Self::text(&self.defaults, DIRECTORY);
            writeln!(formatter, "-- the user's default.cfg\n{}", text.trim_end())?;
        }
        writeln!(formatter, "-- command line: {:?}", self.assignments)
    }
}
