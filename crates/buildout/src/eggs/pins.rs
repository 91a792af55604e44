//! `[versions]`: which version of each project a profile wants.

use std::collections::BTreeMap;

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};

use super::error::EggError;
use super::name::ProjectName;
use super::requirement::Requirement;

/// One line of `[versions]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The project as the profile writes it.
    pub written: String,
    /// The value: `1.2.3`, `1.2.3:whl`, `1.2.3+SlapOSPatched001`, `>=1,<2`.
    pub text: String,
    /// Where the profile says so, for messages: `stack/slapos.cfg:88`.
    pub origin: Option<String>,
}

/// What a pin means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Constraint {
    Exact(Version),
    Range(VersionSpecifiers),
}

/// All pins of a build.
#[derive(Debug, Clone, Default)]
pub struct Pins(BTreeMap<ProjectName, Pin>);

impl FromIterator<Pin> for Pins {
    fn from_iter<I: IntoIterator<Item = Pin>>(pins: I) -> Self {
        Self(pins.into_iter().map(|pin| (ProjectName::new(&pin.written), pin)).collect())
    }
}

impl Pins {
    /// The pin of a project, however the profile spells its name. An empty value pins nothing.
    #[must_use]
    pub fn get(&self, project: &ProjectName) -> Option<&Pin> {
        self.0.get(project).filter(|pin| !pin.text.trim().is_empty())
    }

    /// All pins, sorted by project.
    pub fn iter(&self) -> impl Iterator<Item = (&ProjectName, &Pin)> {
        self.0.iter()
    }

    /// Adds a pin, or replaces the one of the same project.
    pub fn insert(&mut self, pin: Pin) {
        self.0.insert(ProjectName::new(&pin.written), pin);
    }

    /// Whether the pin demands a wheel (`1.2.3:whl`).
    #[must_use]
    pub fn wants_wheel(&self, project: &ProjectName) -> bool {
        self.get(project).is_some_and(|pin| pin.text.trim().ends_with(":whl"))
    }

    /// The pin of the project of an egg, by the name of the egg's directory or file.
    pub(crate) fn of_egg(&self, egg: &str) -> Option<&Pin> {
        self.get(&ProjectName::new(parts_of_egg(egg)?.0))
    }

    /// The name of an egg with the version that is pinned, if the pin excludes the one that the egg has.
    pub(crate) fn corrected(&self, egg: &str) -> Option<String> {
        let (name, version, rest) = parts_of_egg(egg)?;
        let pin = self.of_egg(egg)?;
        match pin.constraint().ok()? {
            Constraint::Exact(pinned) if pinned == version || is_own(&ProjectName::new(name), &pinned) => {
                None
            }
            Constraint::Exact(pinned) => Some(format!("{name}-{pinned}{rest}")),
            Constraint::Range(range) if range.contains(&version) => None,
            Constraint::Range(range) => Some(format!("{name}{range}")),
        }
    }

    /// The requirement with the pin of its project applied. An exact pin replaces the versions asked for and must be
    /// one of them; any other pin narrows them.
    ///
    /// # Errors
    /// The pin contradicts the requirement, or is no version.
    pub fn constrain(&self, requirement: &Requirement) -> Result<Requirement, EggError> {
        let Some(pin) = self.get(&requirement.project) else { return Ok(requirement.clone()) };
        match pin.constraint()? {
            Constraint::Exact(version) if is_own(&requirement.project, &version) => {
                // The fork is not published; its recipes run with what it was made from.
                let exactly = VersionSpecifier::equals_version(version.without_local());
                Ok(requirement.with_versions(VersionSpecifiers::from(exactly)))
            }
            Constraint::Exact(version) if requirement.allows(&version) => {
                let exactly = VersionSpecifier::equals_version(version);
                Ok(requirement.with_versions(VersionSpecifiers::from(exactly)))
            }
            Constraint::Exact(_) => Err(EggError::PinContradicts {
                requirement: requirement.to_string(),
                pin: Box::new(pin.clone()),
                chain: Vec::new(),
            }),
            Constraint::Range(range) => {
                Ok(requirement
                    .with_versions(requirement.versions.iter().chain(range.iter()).cloned().collect()))
            }
        }
    }
}

/// Name, version and the rest of `name-1.0-py3.11.egg` or `name-1.0`. What is under development has a digest in the
/// place of the version, and is no egg.
fn parts_of_egg(egg: &str) -> Option<(&str, Version, &str)> {
    let (name, rest) = match egg.strip_suffix(".egg") {
        Some(stem) => stem.split_once('-')?,
        None => egg.rsplit_once('-')?,
    };
    let version = if egg.ends_with(".egg") { rest.split('-').next()? } else { rest };
    let is_digest = version.len() == 32 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    let version_end = name.len() + 1 + version.len();
    let version = if is_digest { None } else { version.parse().ok() };
    Some((name, version?, &egg[version_end..]))
}

/// The projects of which SlapOS has versions of its own, in whose place this engine is.
const OWN: [&str; 4] = ["zc-buildout", "setuptools", "pip", "wheel"];

/// Whether a version is SlapOS's own of such a project.
fn is_own(project: &ProjectName, version: &Version) -> bool {
    let local = version.local().iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    OWN.contains(&project.as_str()) && local.starts_with("slapos")
}

impl Pin {
    /// Where and what, for messages: `[versions] sets flask = 2.0 (stack.cfg:4)`.
    #[must_use]
    pub fn describe(&self) -> String {
        let origin = self.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
        format!("[versions] sets {} = {}{origin}", self.written, self.text.trim())
    }

    /// Whether the version is one that a part makes by patches, so that no index has it.
    #[must_use]
    pub(super) fn is_of_patched_version(&self) -> bool {
        self.text.contains("+SlapOSPatched")
    }

    fn constraint(&self) -> Result<Constraint, EggError> {
        let text = self.text.trim();
        let text = text.strip_suffix(":whl").unwrap_or(text);
        let parsed = if text.starts_with(['<', '>', '!', '~']) {
            text.parse().map(Constraint::Range).ok()
        } else if text.contains(',') || text.ends_with('*') {
            let equal = if text.starts_with('=') { text.to_owned() } else { format!("=={text}") };
            equal.parse().map(Constraint::Range).ok()
        } else {
            text.trim_start_matches('=').trim().parse().map(Constraint::Exact).ok()
        };
        parsed.ok_or_else(|| EggError::BadPin { pin: Box::new(self.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(pairs: &[(&str, &str)]) -> Pins {
        pairs
            .iter()
            .map(|(written, text)| Pin {
                written: (*written).to_owned(),
                text: (*text).to_owned(),
                origin: None,
            })
            .collect()
    }

    fn constrained(pins: &Pins, text: &str) -> Result<String, EggError> {
        pins.constrain(&text.parse().unwrap()).map(|requirement| requirement.to_string())
    }

    #[test]
    fn a_pin_applies_however_its_name_is_spelt() {
        let pins = pins(&[("zc_recipe.EGG", "2.0.7")]);

        assert_eq!(constrained(&pins, "zc.recipe.egg").unwrap(), "zc.recipe.egg==2.0.7");
    }

    #[test]
    fn wheel_suffix_and_patched_versions_are_versions() {
        let pins = pins(&[("lxml", "5.3.0:whl"), ("golang", "0.1+SlapOSPatched001")]);

        assert_eq!(constrained(&pins, "lxml>=5").unwrap(), "lxml==5.3.0");
        assert!(pins.wants_wheel(&ProjectName::new("LXML")));
        assert_eq!(constrained(&pins, "golang>=0.1").unwrap(), "golang==0.1+slapospatched001");
        assert!(!pins.wants_wheel(&ProjectName::new("golang")));
    }

    #[test]
    fn a_range_narrows_what_was_asked_for() {
        let pins = pins(&[("a", ">=1,<3")]);

        assert_eq!(constrained(&pins, "a!=2").unwrap(), "a!=2,<3,>=1");
    }

    #[test]
    fn a_pin_that_the_requirement_excludes_is_a_conflict() {
        let error = constrained(&pins(&[("werkzeug", "2.0.3")]), "Werkzeug>=2.2").unwrap_err();

        assert_eq!(error.code(), "E-eggs-conflict");
        assert_eq!(
            error.classic(),
            "The requirement ('Werkzeug>=2.2') is not allowed by your [versions] constraint (2.0.3)"
        );
    }

    #[test]
    fn the_forks_own_version_is_satisfied_by_the_one_it_was_made_from() {
        let pins = pins(&[("zc.buildout", "3.0.1+slapos010"), ("other", "1+slapos1")]);

        assert_eq!(constrained(&pins, "zc.buildout").unwrap(), "zc.buildout==3.0.1");
        assert!(
            pins.constrain(&"zc.buildout".parse().unwrap())
                .unwrap()
                .allows(&"3.0.1+slapos010".parse().unwrap())
        );
        assert_eq!(constrained(&pins, "other").unwrap(), "other==1+slapos1");
    }

    #[test]
    fn the_name_of_an_egg_gets_the_version_that_is_pinned() {
        let pins = pins(&[("Slapos.recipe_x", "2.0"), ("setuptools", "44+slapos1"), ("r", ">=2")]);
        let digest = "slapos-recipe-x-0123456789abcdef0123456789abcdef";

        let corrected = |egg: &str| pins.corrected(egg).unwrap_or_default();

        assert_eq!(corrected("slapos.recipe.x-1.0-py3.11.egg"), "slapos.recipe.x-2.0-py3.11.egg");
        assert_eq!(corrected("slapos-recipe-x-1.0"), "slapos-recipe-x-2.0");
        assert_eq!(corrected("r-1.0-py3.11-linux-x86_64.egg"), "r>=2");
        for right in [
            "slapos.recipe.x-2.0-py3.11.egg",
            "setuptools-40.0-py3.11.egg",
            "r-3-py3.11.egg",
            "other-1.egg",
            digest,
            "native:x-1",
            "x",
        ] {
            assert_eq!(corrected(right), "", "{right}");
        }
    }

    #[test]
    fn an_empty_pin_pins_nothing() {
        assert_eq!(constrained(&pins(&[("a", "")]), "a").unwrap(), "a");
    }

    #[test]
    fn a_pin_that_is_no_version_is_an_error() {
        assert_eq!(constrained(&pins(&[("a", "latest")]), "a").unwrap_err().code(), "E-eggs-pin");
    }
}
