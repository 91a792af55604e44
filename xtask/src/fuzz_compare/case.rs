//! One case: profiles and what is assigned on the command line.

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
