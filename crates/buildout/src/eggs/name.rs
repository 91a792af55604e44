//! Names of projects and what the names of their files say: wheels, source archives, egg directories.

use std::fmt;

use pep440_rs::Version;

/// The name of a project in its normal form: lower case, each run of `-`, `_` and `.` one dash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectName(String);

impl ProjectName {
    /// Brings a name as written into its normal form.
    #[must_use]
    pub fn new(written: &str) -> Self {
        let mut normal = String::with_capacity(written.len());
        for character in written.trim().chars() {
            if !matches!(character, '-' | '_' | '.') {
                normal.extend(character.to_lowercase());
            } else if !normal.ends_with('-') {
                normal.push('-');
            }
        }
        Self(normal)
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What the name of a wheel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WheelName {
    /// The project as the file writes it.
    pub project: String,
    /// Its version.
    pub version: Version,
    /// The build number, which decides between wheels that are otherwise equal.
    pub build: Option<(u64, String)>,
    /// Python tags.
    pub pythons: Vec<String>,
    /// Tags of the binary interface.
    pub abis: Vec<String>,
    /// Platform tags.
    pub platforms: Vec<String>,
}

impl WheelName {
    /// Reads `project-version[-build]-python-abi-platform.whl`; anything else is `None`.
    #[must_use]
    pub(super) fn parse(file_name: &str) -> Option<Self> {
        let parts: Vec<&str> = file_name.strip_suffix(".whl")?.split('-').collect();
        let (project, version, build, tags) = match parts.as_slice() {
            [project, version, tags @ ..] if tags.len() == 3 => (project, version, None, tags),
            [project, version, build, tags @ ..] if tags.len() == 3 => {
                (project, version, Some(parse_build(build)?), tags)
            }
            _ => return None,
        };
        if project.is_empty() || tags.iter().any(|tag| tag.is_empty()) {
            return None;
        }
        let compressed = |tag: &str| tag.split('.').map(str::to_owned).collect();
        Some(Self {
            project: (*project).to_owned(),
            version: version.replace('_', "-").parse().ok()?,
            build,
            pythons: compressed(tags[0]),
            abis: compressed(tags[1]),
            platforms: compressed(tags[2]),
        })
    }

    /// The name of the directory that this wheel becomes for Python 3.`minor` on `platform`.
    #[must_use]
    pub(super) fn egg_directory(&self, python: &str, platform: &str) -> String {
        let project = in_file_name(&self.project);
        let version = in_file_name(&self.version.to_string());
        if self.platforms == ["any"] {
            format!("{project}-{version}-py{python}.egg")
        } else {
            format!("{project}-{version}-py{python}-{platform}.egg")
        }
    }
}

fn parse_build(text: &str) -> Option<(u64, String)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, text[digits..].to_owned()))
}

/// Makes each run of characters that file names do not hold one dash, and dashes low lines.
fn in_file_name(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '.' | '+' | '!' | '_') {
            safe.push(character);
        } else if !safe.ends_with('_') {
            safe.push('_');
        }
    }
    safe
}

/// The endings of source archives that are understood.
const SOURCE_ENDINGS: [&str; 6] = [".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar"];

/// The version of a source archive of `project`; `None` when the file is not one.
///
/// Both the project and the version may hold dashes, so the name is needed to tell where it ends.
#[must_use]
pub(super) fn source_version(file_name: &str, project: &ProjectName) -> Option<Version> {
    let stem = SOURCE_ENDINGS.iter().find_map(|ending| file_name.strip_suffix(ending))?;
    stem.match_indices('-')
        .filter(|(at, _)| ProjectName::new(&stem[..*at]) == *project)
        .find_map(|(at, _)| stem[at + 1..].parse().ok())
}

/// What the name of an egg directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EggName {
    /// The project as the directory writes it.
    pub project: String,
    /// Its version.
    pub version: Version,
    /// `3.11`, when the name says it.
    pub python: Option<String>,
    /// `linux-x86_64`, for one that holds machine code.
    pub platform: Option<String>,
}

impl EggName {
    /// Reads `project-version[-pyX.Y[-platform]].egg`; anything else is `None`.
    #[must_use]
    pub(super) fn parse(file_name: &str) -> Option<Self> {
        let mut parts = file_name.strip_suffix(".egg")?.splitn(4, '-');
        let project = parts.next().filter(|project| !project.is_empty())?.to_owned();
        let version = parts.next()?.replace('_', "-").parse().ok()?;
        let python = match parts.next() {
            Some(python) => Some(python.strip_prefix("py")?.to_owned()),
            None => None,
        };
        Some(Self { project, version, python, platform: parts.next().map(str::to_owned) })
    }

    /// Whether an interpreter of that version on that platform can use it.
    #[must_use]
    pub(super) fn suits(&self, python: &Version, platform: &str) -> bool {
        let short = python.release().iter().take(2).map(u64::to_string).collect::<Vec<_>>().join(".");
        self.python.as_ref().is_none_or(|wanted| *wanted == short)
            && self.platform.as_ref().is_none_or(|wanted| wanted == platform)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wheel_name_with_a_build_number_is_read() {
        let name =
            WheelName::parse("zope_interface-8.7-1b-cp311-cp311-manylinux1_x86_64.manylinux_2_5_x86_64.whl")
                .unwrap();

        assert_eq!(name.project, "zope_interface");
        assert_eq!(name.build, Some((1, "b".to_owned())));
        assert_eq!(name.platforms, ["manylinux1_x86_64", "manylinux_2_5_x86_64"]);
        assert_eq!(name.egg_directory("3.11", "linux-x86_64"), "zope_interface-8.7-py3.11-linux-x86_64.egg");
    }

    #[test]
    fn a_pure_wheel_becomes_an_egg_without_a_platform() {
        let name = WheelName::parse("zc.recipe.egg-2.0.7+SlapOSPatched001-py2.py3-none-any.whl").unwrap();

        assert_eq!(
            name.egg_directory("3.11", "linux-x86_64"),
            "zc.recipe.egg-2.0.7+slapospatched001-py3.11.egg"
        );
    }

    #[test]
    fn names_that_are_no_wheels_are_refused() {
        for name in [
            "x.whl",
            "a-1-py3-none.whl",
            "a-one-py3-none-any.whl",
            "a-1-b-py3-none-any.whl",
            "-1-py3-none-any.whl",
        ] {
            assert_eq!(WheelName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_source_archive_is_split_where_its_project_ends() {
        let version = |file, project| {
            source_version(file, &ProjectName::new(project)).map(|version| version.to_string())
        };

        assert_eq!(version("zope.interface-5.4.0.tar.gz", "zope-interface").as_deref(), Some("5.4.0"));
        assert_eq!(version("a-b-1.0-1.zip", "a.b").as_deref(), Some("1.0.post1"));
        assert_eq!(version("a-b-1.0.tar.gz", "a"), None);
        assert_eq!(version("a-1.0-py3-none-any.whl", "a"), None);
    }

    #[test]
    fn an_egg_name_is_read_with_and_without_its_tags() {
        let full = EggName::parse("lxml-5.3.0-py3.11-linux-x86_64.egg").unwrap();
        let bare = EggName::parse("a_b-1.0+local.1.egg").unwrap();

        assert_eq!((full.python.as_deref(), full.platform.as_deref()), (Some("3.11"), Some("linux-x86_64")));
        assert_eq!((bare.project.as_str(), bare.python), ("a_b", None));
        assert_eq!(EggName::parse("develop-eggs"), None);
    }

    proptest! {
        #[test]
        fn normal_names_stay_as_they_are(text in "[A-Za-z0-9][A-Za-z0-9._-]{0,20}") {
            let once = ProjectName::new(&text);
            prop_assert_eq!(ProjectName::new(once.as_str()), once);
        }

        #[test]
        fn case_and_separators_do_not_matter(words in prop::collection::vec("[a-z0-9]{1,6}", 1..5), joint in "[-_.]{1,3}") {
            let dashed = ProjectName::new(&words.join("-"));
            prop_assert_eq!(ProjectName::new(&words.join(&joint).to_uppercase()), dashed);
        }

        #[test]
        fn wheel_and_egg_names_agree(
            project in "[A-Za-z][A-Za-z0-9_.]{0,12}",
            release in prop::collection::vec(0_u32..1000, 1..4),
            pure in any::<bool>(),
        ) {
            let version = release.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            let tags = if pure { "py3-none-any" } else { "cp311-cp311-linux_x86_64" };
            let wheel = WheelName::parse(&format!("{project}-{version}-{tags}.whl")).unwrap();
            let egg = EggName::parse(&wheel.egg_directory("3.11", "linux-x86_64")).unwrap();
            prop_assert_eq!(ProjectName::new(&egg.project), ProjectName::new(&project));
            prop_assert_eq!(egg.version, wheel.version);
            prop_assert_eq!(egg.platform.is_none(), pure);
        }

        #[test]
        fn no_file_name_panics(text in "\\PC{0,60}") {
            let _ = WheelName::parse(&format!("{text}.whl"));
            let _ = EggName::parse(&format!("{text}.egg"));
            let _ = source_version(&format!("{text}.tar.gz"), &ProjectName::new("a"));
        }
    }
}
