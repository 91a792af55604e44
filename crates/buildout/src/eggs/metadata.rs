//! What a distribution says of itself: name, version, dependencies, entry points.

use pep508_rs::{ExtraName, MarkerEnvironment};

use super::error::EggError;
use super::requirement::Requirement;

/// The fields of `METADATA` or `PKG-INFO` that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// `Name`
    pub name: String,
    /// `Version`
    pub version: String,
    /// `Requires-Python`
    pub requires_python: Option<String>,
    /// `Requires-Dist`, in order.
    pub requires: Vec<String>,
    /// `Provides-Extra`, in order.
    pub extras: Vec<String>,
}

impl Fields {
    /// Reads the head of the file; the description after it is ignored.
    #[must_use]
    pub(super) fn parse(text: &str) -> Self {
        let mut fields = Self::default();
        for line in text.lines().take_while(|line| !line.trim().is_empty()) {
            // A line that begins with a blank continues one of the long fields, none of which is wanted.
            let Some((field, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) else {
                continue;
            };
            let value = value.trim().to_owned();
            match field.to_ascii_lowercase().as_str() {
                "name" => fields.name = value,
                "version" => fields.version = value,
                "requires-python" => fields.requires_python = Some(value),
                "requires-dist" => fields.requires.push(value),
                "provides-extra" => fields.extras.push(value),
                _ => {}
            }
        }
        fields
    }
}

/// The dependencies of a distribution on this machine: markers are decided already.
#[derive(Debug, Clone, Default)]
pub(super) struct Dependencies {
    /// Who states them, for messages.
    by: String,
    always: Vec<Requirement>,
    /// Those of each extra, as text: most extras are never asked for.
    extras: Vec<(String, Vec<String>)>,
}

impl Dependencies {
    /// The dependencies that a wheel or an installed distribution states in its metadata.
    ///
    /// # Errors
    /// One of them is not a requirement.
    pub(super) fn from_fields(fields: &Fields, environment: &MarkerEnvironment) -> Result<Self, EggError> {
        let by = format!("{} {}", fields.name, fields.version);
        let requirements: Vec<Requirement> =
            fields.requires.iter().map(|text| parse(text, &by)).collect::<Result<_, _>>()?;
        let applying = |extras: &[ExtraName]| -> Vec<Requirement> {
            let applying = requirements.iter().filter(|requirement| requirement.applies(environment, extras));
            applying.cloned().map(Requirement::without_marker).collect()
        };
        let always = applying(&[]);
        let known: Vec<String> = always.iter().map(ToString::to_string).collect();
        let extras = fields
            .extras
            .iter()
            .filter_map(|written| Some((written, written.parse::<ExtraName>().ok()?)))
            .map(|(written, extra)| {
                let mut more: Vec<String> = applying(&[extra]).iter().map(ToString::to_string).collect();
                more.retain(|requirement| !known.contains(requirement));
                (written.clone(), more)
            })
            .collect();
        Ok(Self { by, always, extras })
    }

    /// The dependencies in an egg's `requires.txt`.
    ///
    /// # Errors
    /// One of them is not a requirement.
    pub(super) fn from_requires_txt(
        text: &str,
        by: &str,
        environment: &MarkerEnvironment,
    ) -> Result<Self, EggError> {
        let mut dependencies = Self { by: by.to_owned(), ..Self::default() };
        let mut section: Option<String> = None;
        let mut wanted = true;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                let (extra, marker) = header.split_once(':').unwrap_or((header, ""));
                section = (!extra.is_empty()).then(|| extra.to_owned());
                wanted = marker.is_empty() || parse(&format!("x; {marker}"), by)?.applies(environment, &[]);
                if let Some(extra) = &section {
                    dependencies.extra(extra);
                }
            } else if wanted {
                match &section {
                    Some(extra) => dependencies.extra(extra).push(line.to_owned()),
                    None => dependencies.always.extend(applying(line, by, environment)?),
                }
            }
        }
        Ok(dependencies)
    }

    /// The text of a `requires.txt` that says the same on this machine.
    #[must_use]
    pub(super) fn to_requires_txt(&self) -> String {
        let mut text: String = self.always.iter().map(|requirement| format!("{requirement}\n")).collect();
        let mut extras: Vec<&(String, Vec<String>)> = self.extras.iter().collect();
        extras.sort_by(|one, other| one.0.cmp(&other.0));
        for (extra, requirements) in extras {
            text.push_str("\n[");
            text.push_str(extra);
            text.push_str("]\n");
            text.extend(requirements.iter().map(|requirement| format!("{requirement}\n")));
        }
        text
    }

    /// Those of these extras that do not exist.
    pub(super) fn unknown_extras<'a>(&self, extras: &'a [String]) -> impl Iterator<Item = &'a String> {
        extras.iter().filter(|wanted| !self.extras.iter().any(|(name, _)| same_extra(name, wanted)))
    }

    /// What is needed for these extras, in the order stated; extras that do not exist need nothing.
    ///
    /// # Errors
    /// What an extra needs is not a requirement.
    pub(super) fn of(
        &self,
        extras: &[String],
        environment: &MarkerEnvironment,
    ) -> Result<Vec<Requirement>, EggError> {
        let mut all = self.always.clone();
        for wanted in extras {
            let lines = self.extras.iter().find(|(name, _)| same_extra(name, wanted)).map(|(_, lines)| lines);
            for line in lines.into_iter().flatten() {
                all.extend(applying(line, &self.by, environment)?);
            }
        }
        Ok(all)
    }

    fn extra(&mut self, name: &str) -> &mut Vec<String> {
        let index = self.extras.iter().position(|(known, _)| same_extra(known, name)).unwrap_or_else(|| {
            self.extras.push((name.to_owned(), Vec::new()));
            self.extras.len() - 1
        });
        &mut self.extras[index].1
    }
}

fn same_extra(one: &str, other: &str) -> bool {
    use super::name::ProjectName;
    ProjectName::new(one) == ProjectName::new(other)
}

/// The requirement of a line, unless its marker excludes this machine.
fn applying(line: &str, by: &str, environment: &MarkerEnvironment) -> Result<Option<Requirement>, EggError> {
    let requirement = parse(line, by)?;
    Ok(requirement.applies(environment, &[]).then(|| requirement.without_marker()))
}

fn parse(text: &str, by: &str) -> Result<Requirement, EggError> {
    text.parse().map_err(|source| EggError::Requirement { by: Some(by.to_owned()), source })
}

/// An entry point: a name for an object in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// `flask`
    pub name: String,
    /// `flask.cli`
    pub module: String,
    /// `main`; may be empty.
    pub attribute: String,
}

/// The entry points of one group in `entry_points.txt`, in order.
#[must_use]
pub(super) fn entry_points(text: &str, group: &str) -> Vec<EntryPoint> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = header.trim() == group;
        } else if inside && let Some((name, object)) = line.split_once('=') {
            // `name = module:attribute [extra]`
            let object = object.split('[').next().unwrap_or_default().trim();
            let (module, attribute) = object.split_once(':').unwrap_or((object, ""));
            found.push(EntryPoint {
                name: name.trim().to_owned(),
                module: module.trim().to_owned(),
                attribute: attribute.trim().to_owned(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::requirement::tests::environment;
    use super::*;

    const METADATA: &str = "\
Metadata-Version: 2.1
Name: Sample.Project
Version: 1.0
Requires-Python: >=3.8
Description: a
 long: text
Requires-Dist: Werkzeug >=3.0.0
Requires-Dist: importlib-metadata >=3.6.0 ; python_version < \"3.10\"
Requires-Dist: click>=8.1.3,<9
Requires-Dist: asgiref >=3.2 ; extra == 'async'
Requires-Dist: click>=8.1.3,<9; extra == 'async'
Provides-Extra: dotenv
Provides-Extra: async

Requires-Dist: not-a-field
";

    fn names(dependencies: &Dependencies, extras: &[&str]) -> Vec<String> {
        let extras: Vec<String> = extras.iter().map(ToString::to_string).collect();
        dependencies.of(&extras, &environment()).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_applies_here_is_needed() {
        let dependencies = Dependencies::from_fields(&Fields::parse(METADATA), &environment()).unwrap();

        assert_eq!(names(&dependencies, &[]), ["Werkzeug>=3.0.0", "click<9,>=8.1.3"]);
        assert_eq!(names(&dependencies, &["async"]), ["Werkzeug>=3.0.0", "click<9,>=8.1.3", "asgiref>=3.2"]);
        assert_eq!(
            dependencies.unknown_extras(&["ASYNC".to_owned(), "other".to_owned()]).collect::<Vec<_>>(),
            ["other"]
        );
    }

    #[test]
    fn requires_txt_says_the_same_as_the_metadata() {
        let dependencies = Dependencies::from_fields(&Fields::parse(METADATA), &environment()).unwrap();

        let text = dependencies.to_requires_txt();

        insta::assert_snapshot!(text, @r"
        Werkzeug>=3.0.0
        click<9,>=8.1.3

        [async]
        asgiref>=3.2

        [dotenv]
        ");
        let again = Dependencies::from_requires_txt(&text, "sample 1.0", &environment()).unwrap();
        assert_eq!(again.to_requires_txt(), text);
    }

    #[test]
    fn sections_of_requires_txt_may_have_markers() {
        let text =
            "six\n\n[:python_version<'3']\nfutures\n\n[test:sys_platform=='linux']\npytest\n\n[test]\nmock\n";

        let dependencies = Dependencies::from_requires_txt(text, "a 1", &environment()).unwrap();

        assert_eq!(names(&dependencies, &["test"]), ["six", "pytest", "mock"]);
    }

    #[test]
    fn a_broken_dependency_names_the_distribution() {
        let error = Dependencies::from_requires_txt("a = 1", "sample 1.0", &environment()).unwrap_err();

        assert_eq!(error.to_string(), "a requirement cannot be read (asked by sample 1.0)");
    }

    #[test]
    fn entry_points_are_read_by_group() {
        let text = "[console_scripts]\nflask = flask.cli:main [extra]\nrun=a.b\n# no\n\n[other]\nx = y:z.w\n";

        let scripts = entry_points(text, "console_scripts");

        assert_eq!(scripts.len(), 2);
        assert_eq!((scripts[0].module.as_str(), scripts[0].attribute.as_str()), ("flask.cli", "main"));
        assert_eq!((scripts[1].module.as_str(), scripts[1].attribute.as_str()), ("a.b", ""));
        assert_eq!(entry_points(text, "other")[0].attribute, "z.w");
    }
}
