//! The versions that were chosen without a pin, and who asked for them.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

/// What a build picked so far.
#[derive(Debug, Default)]
pub(crate) struct Picked {
    versions: BTreeMap<String, Version>,
    required_by: BTreeMap<String, BTreeSet<String>>,
}

impl Picked {
    /// Adds what one resolution picked: projects as they write themselves, and for requirements who has them.
    pub(super) fn add(&mut self, versions: Vec<(String, Version)>, required_by: Vec<(String, String)>) {
        self.versions.extend(versions);
        for (requirement, by) in required_by {
            self.required_by.entry(requirement).or_default().insert(by);
        }
    }

    /// The lines of a `[versions]` section that pins what was picked; those that somebody asked for come last, with
    /// who it was. Empty when nothing was picked.
    pub(crate) fn lines(&self) -> Vec<String> {
        if self.versions.is_empty() {
            return Vec::new();
        }
        let mut lines = vec!["[versions]".to_owned()];
        let mut asked = Vec::new();
        for (project, version) in &self.versions {
            let pin = format!("{project} = {version}");
            match self.required_by.get(project) {
                None => lines.push(pin),
                Some(by) => {
                    asked.extend([String::new(), "# Required by:".to_owned()]);
                    asked.extend(by.iter().map(|by| format!("# {by}")));
                    asked.push(pin);
                }
            }
        }
        lines.extend(asked);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asked_for_comes_first() {
        let mut picked = Picked::default();
        assert!(picked.lines().is_empty());
        let versions = [("demo", "0.3"), ("zero", "1"), ("other", "2")];
        let required_by = [("demo", "b==1"), ("demo", "a==1"), ("zero>=1", "a==1")];

        picked.add(
            versions.map(|(name, version)| (name.to_owned(), version.parse().unwrap())).into(),
            required_by.map(|(name, by)| (name.to_owned(), by.to_owned())).into(),
        );

        let expected =
            ["[versions]", "other = 2", "zero = 1", "", "# Required by:", "# a==1", "# b==1", "demo = 0.3"];
        assert_eq!(picked.lines(), expected);
    }
}
