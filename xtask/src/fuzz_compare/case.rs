//! One case: profiles and what is assigned on the command line.

use std::collections::HashSet;
use std::fmt;

/// Profiles, the first of them `buildout.cfg`, and assignments such as `a:x=1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// The lines of each profile.
    pub(super) profiles: Vec<Vec<String>>,
    pub(super) assignments: Vec<String>,
}

impl Case {
    /// What the profile of that number is called.
    pub(super) fn file_name(number: usize) -> String {
        if number == 0 { "buildout.cfg".to_owned() } else { format!("p{number}.cfg") }
    }

    /// Whether a section appears first with a condition: when that is false, zc.buildout takes its options for options
    /// without a section. A known difference.
    pub(super) fn begins_with_condition(&self) -> bool {
        self.profiles.iter().any(|lines| {
            let mut seen = HashSet::new();
            let headers = lines.iter().filter_map(|line| line.strip_prefix('['));
            headers.map(str::trim_start).any(|header| {
                let end = header.find([':', ']', ' ']).unwrap_or(header.len());
                let (name, rest) = header.split_at(end);
                let is_first = seen.insert(name);
                is_first && rest.starts_with(':')
            })
        })
    }

    pub(super) fn text(&self, profile: usize) -> String {
        self.profiles[profile].iter().map(|line| format!("{line}\n")).collect()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for number in 0..self.profiles.len() {
            if !self.profiles[number].is_empty() {
                writeln!(formatter, "-- {}\n{}", Self::file_name(number), self.text(number).trim_end())?;
            }
        }
        writeln!(formatter, "-- command line: {:?}", self.assignments)
    }
}
