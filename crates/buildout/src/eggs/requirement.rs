//! Requirements: which project, which versions, which extras, and on which machines.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{
    ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, VerbatimUrl, VersionOrUrl,
};

use super::name::ProjectName;
use crate::marker_text;

/// One requirement, such as `slapos.core[extra]>=1.0; python_version < "3"`.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The project as the requirement writes it.
    pub written: String,
    /// The project.
    pub project: ProjectName,
    /// The extras asked for, in lower case and sorted.
    pub extras: Vec<String>,
    /// The versions that are allowed.
    pub versions: VersionSpecifiers,
    marker: MarkerTree,
}

/// A text that is not a requirement.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a requirement: {reason}")]
pub struct RequirementError {
    text: String,
    reason: String,
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        let text = text.trim();
        let parsed = parse(text).or_else(|error| match repaired(text) {
            Some(repaired) => parse(&repaired),
            None => Err(error),
        })?;
        let end =
            text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(text.len());
        let written = text[..end].to_owned();
        let mut extras = extras_as_written(&text[end..]);
        extras.sort_unstable();
        let versions = match parsed.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(versions)) => versions,
            // Where a distribution comes from is for the pins and the index to say.
            Some(VersionOrUrl::Url(_)) | None => VersionSpecifiers::empty(),
        };
        Ok(Self { project: ProjectName::new(&written), written, extras, versions, marker: parsed.marker })
    }
}

/// The extras at the beginning of what follows the name, in lower case. That they are extras was checked.
fn extras_as_written(rest: &str) -> Vec<String> {
    let Some((inside, _)) = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return Vec::new();
    };
    inside.split(',').map(|extra| extra.trim().to_lowercase()).filter(|extra| !extra.is_empty()).collect()
}

fn parse(text: &str) -> Result<pep508_rs::Requirement<VerbatimUrl>, RequirementError> {
    // Before the marker, `~=` is about the version of the distribution.
    let (distribution, marker) = text.split_once(';').unwrap_or((text, ""));
    let letters = distribution.replace("~=", "==");
    if let Some(reason) = marker_text::obstacle(&letters).or_else(|| marker_text::obstacle(marker)) {
        return Err(RequirementError { text: text.to_owned(), reason });
    }
    text.parse().map_err(|error: pep508_rs::Pep508Error| RequirementError {
        text: text.to_owned(),
        reason: error.message.to_string(),
    })
}

/// Old distributions hold requirements that no longer are any; the slips that occur are put right.
fn repaired(text: &str) -> Option<String> {
    let (before, marker) =
        text.split_once(';').map_or((text, ""), |(before, _)| (before, &text[before.len()..]));
    let parts: Vec<&str> = before
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        // `>=1.*` means `>=1`; the star belongs to `==` and `!=`.
        .map(
            |part| {
                if part.contains("==") || part.contains("!=") { part } else { part.trim_end_matches(".*") }
            },
        )
        .collect();
    let fixed = format!("{}{marker}", parts.join(","));
    (fixed != text).then_some(fixed)
}

impl Requirement {
    /// Whether it applies on this machine, for one of `extras` or for none.
    #[must_use]
    pub fn applies(&self, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
        self.marker.evaluate(environment, extras)
    }

    /// The same without its marker.
    #[must_use]
    pub fn without_marker(mut self) -> Self {
        self.marker = MarkerTree::TRUE;
        self
    }

    /// The same for other versions.
    #[must_use]
    pub fn with_versions(&self, versions: VersionSpecifiers) -> Self {
        Self { versions, ..self.clone() }
    }

    /// Whether another requirement asks for the same.
    #[must_use]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.project == other.project && self.extras == other.extras && {
            let mut versions: [Vec<String>; 2] =
                [self, other].map(|one| one.versions.iter().map(ToString::to_string).collect());
            versions.iter_mut().for_each(|versions| versions.sort_unstable());
            versions[0] == versions[1]
        }
    }

    /// Whether a version is allowed; versions before the final one are.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        self.versions.contains(version)
    }

    /// The version, when only one is allowed.
    #[must_use]
    pub fn only_version(&self) -> Option<&Version> {
        match &self.versions[..] {
            [one] if matches!(one.operator(), Operator::Equal | Operator::ExactEqual) => Some(one.version()),
            _ => None,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)?;
        if !self.extras.is_empty() {
            write!(formatter, "[{}]", self.extras.join(","))?;
        }
        let mut versions: Vec<String> =
            self.versions.iter().map(|specifier| specifier.to_string().replace(' ', "")).collect();
        versions.sort_unstable();
        formatter.write_str(&versions.join(","))
    }
}

/// The marker environment of an interpreter, from its variables by name; `None` when one of them is missing or no
/// version.
#[must_use]
pub(super) fn marker_environment(markers: &BTreeMap<String, String>) -> Option<MarkerEnvironment> {
    let value = |name: &str| markers.get(name).map(String::as_str);
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: value("implementation_name")?,
        implementation_version: value("implementation_version")?,
        os_name: value("os_name")?,
        platform_machine: value("platform_machine")?,
        platform_python_implementation: value("platform_python_implementation")?,
        platform_release: value("platform_release")?,
        platform_system: value("platform_system")?,
        platform_version: value("platform_version")?,
        python_full_version: value("python_full_version")?,
        python_version: value("python_version")?,
        sys_platform: value("sys_platform")?,
    })
    .ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A marker environment of CPython 3.11 on Linux.
    pub(crate) fn environment() -> MarkerEnvironment {
        marker_environment(&crate::condition::example_facts().markers).unwrap()
    }

    fn requirement(text: &str) -> Requirement {
        text.parse().unwrap()
    }

    #[test]
    fn a_requirement_keeps_its_spelling_and_sorts_the_rest() {
        let parsed = requirement("Zope.Interface[test, Docs] >=4,<9");

        assert_eq!(parsed.to_string(), "Zope.Interface[docs,test]<9,>=4");
        assert_eq!(parsed.project.as_str(), "zope-interface");
    }

    #[test]
    fn markers_and_extras_decide_whether_it_applies() {
        let extra: ExtraName = "test".parse().unwrap();

        assert!(requirement("a; python_version >= '3'").applies(&environment(), &[]));
        assert!(!requirement("a; sys_platform == 'win32'").applies(&environment(), &[]));
        assert!(!requirement("a; extra == 'test'").applies(&environment(), &[]));
        assert!(requirement("a; extra == 'test'").applies(&environment(), &[extra]));
    }

    #[test]
    fn requirements_of_old_distributions_are_understood() {
        assert_eq!(requirement("pytz (>=2.0)").to_string(), "pytz>=2.0");
        assert_eq!(requirement("jsonschema>=3.*,!=3.2.*,").to_string(), "jsonschema!=3.2.*,>=3");
    }

    #[test]
    fn what_is_no_requirement_is_refused_with_its_text() {
        let error = "flask = 3".parse::<Requirement>().unwrap_err();

        assert!(error.to_string().starts_with("`flask = 3` is not a requirement: "), "{error}");
    }

    #[test]
    fn one_exact_version_is_recognised() {
        assert_eq!(requirement("a==1.0+local.1").only_version().unwrap().to_string(), "1.0+local.1");
        assert_eq!(requirement("a==1.*").only_version(), None);
        assert_eq!(requirement("a==1,>0").only_version(), None);
    }

    #[test]
    fn letters_beyond_ascii_are_refused() {
        for text in [
            "python_version < \"3.9\" an\u{1f600}d",
            "a; python_version < \"3\" an\u{1f600}d x == \"y\"",
            "\u{e9}",
        ] {
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
    }
}
