//! What the files of an index are, which of them can be used, and which is the best.

use camino::Utf8Path;
use pep440_rs::{Version, VersionSpecifiers};
use shacache::Checksum;
use url::Url;

use super::super::name::{EggName, ProjectName, WheelName, source_version};
use super::super::requirement::Requirement;
use super::super::tags::{Rank, Tags};
use super::links::{link_to, local_path};
use super::page::Link;

/// A file that may be installed.
#[derive(Debug, Clone)]
pub(in crate::eggs) struct Candidate {
    /// The project that it is of.
    pub project: ProjectName,
    /// Its version.
    pub version: Version,
    /// Its name.
    pub file_name: String,
    /// Where it is.
    pub url: Url,
    /// The checksum promised for it.
    pub checksum: Option<Checksum>,
    /// Whether its metadata can be had apart, and the checksum of that.
    pub metadata: Option<Option<Checksum>>,
    /// What it is.
    pub form: Form,
    /// Whether its author withdrew it.
    pub yanked: bool,
    build: Option<(u64, String)>,
}

/// What a file is, the most welcome first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::eggs) enum Form {
    /// A wheel, and how well it suits the interpreter; none for one that does not.
    Wheel(Option<Rank>),
    /// A built egg: an archive or a directory.
    Egg,
    /// A source archive.
    Source,
}

/// What is looked for, beyond the requirement.
#[derive(Debug, Clone, Copy)]
pub(in crate::eggs) struct Preferences<'a> {
    /// The tags of the interpreter.
    pub tags: &'a Tags,
    /// The version of the interpreter.
    pub python: &'a Version,
    /// The platform of the interpreter.
    pub platform: &'a str,
    /// Whether final versions win over newer ones that are not.
    pub final_ones: bool,
    /// Whether only wheels will do.
    pub wheels_only: bool,
    /// Whether only source archives will do.
    pub sources_only: bool,
    /// The directory whose files win over others of the same version.
    pub first_of_all: Option<&'a Utf8Path>,
}

/// What a file of this machine is for a project, if it can be used at all.
pub(in crate::eggs) fn candidate(
    path: &Utf8Path,
    project: &ProjectName,
    preferences: Preferences<'_>,
) -> Option<Candidate> {
    let link = link_to(&Url::from_file_path(path).ok()?)?;
    let (candidate, problem) = examine(&link, project, preferences)?;
    problem.is_none().then_some(candidate)
}

/// What a link offers for a project, and why it cannot be used if it cannot; `None` for another project's.
pub(super) fn examine(
    link: &Link,
    project: &ProjectName,
    preferences: Preferences<'_>,
) -> Option<(Candidate, Option<String>)> {
    let mut problem = None;
    let (version, form, build) = if let Some(name) = WheelName::parse(&link.file_name) {
        if ProjectName::new(&name.project) != *project {
            return None;
        }
        let rank = preferences.tags.rank(&name);
        if rank.is_none() {
            problem = Some("is for another interpreter or machine".to_owned());
        }
        (name.version, Form::Wheel(rank), name.build)
    } else if let Some(name) = EggName::parse(&link.file_name) {
        if ProjectName::new(&name.project) != *project {
            return None;
        }
        if !name.suits(preferences.python, preferences.platform) {
            problem = Some("is for another interpreter or machine".to_owned());
        }
        (name.version, Form::Egg, None)
    } else {
        (source_version(&link.file_name, project)?, Form::Source, None)
    };
    if preferences.wheels_only && !matches!(form, Form::Wheel(_)) {
        problem = Some("is not a wheel, which the pin demands".to_owned());
    }
    if preferences.sources_only && form != Form::Source {
        problem = Some("is not a source archive, which the part demands".to_owned());
    }
    let wanted = link.requires_python.as_deref().and_then(|text| text.parse::<VersionSpecifiers>().ok());
    if wanted.is_some_and(|wanted| !wanted.contains(preferences.python)) {
        problem = Some(format!("wants Python {}", link.requires_python.as_deref().unwrap_or_default()));
    }
    let candidate = Candidate {
        project: project.clone(),
        version,
        file_name: link.file_name.clone(),
        url: link.url.clone(),
        checksum: link.checksum.clone(),
        metadata: link.metadata.clone(),
        form,
        yanked: link.yanked,
        build,
    };
    Some((candidate, problem))
}

/// The newest version; of its files one in the directory that comes first of all, else the one that suits best; of
/// equal ones the first.
pub(super) fn best(candidates: Vec<Candidate>, first_of_all: Option<&Utf8Path>) -> Option<Candidate> {
    let newest = candidates.iter().map(|candidate| candidate.version.clone()).max()?;
    candidates.into_iter().filter(|candidate| candidate.version == newest).min_by(|one, other| {
        let is_elsewhere = |candidate: &Candidate| {
            first_of_all.is_none_or(|first| {
                local_path(&candidate.url).is_none_or(|path| path.parent() != Some(first))
            })
        };
        let key = |candidate: &Candidate| (is_elsewhere(candidate), candidate.form);
        key(one).cmp(&key(other)).then_with(|| other.build.cmp(&one.build))
    })
}

/// The versions around the one that is wanted, and the newest.
pub(super) fn nearest(mut versions: Vec<Version>, requirement: &Requirement) -> Vec<String> {
    versions.sort();
    versions.dedup();
    let near: Vec<&Version> = match requirement.only_version() {
        Some(wanted) => {
            let position = versions.partition_point(|version| version < wanted);
            let below = position.checked_sub(1).and_then(|index| versions.get(index));
            let newest = versions.iter().rev().find(|version| version.is_stable());
            let mut near: Vec<&Version> =
                below.into_iter().chain(versions.get(position)).chain(newest).collect();
            near.sort();
            near.dedup();
            near
        }
        None => versions.iter().rev().take(3).collect(),
    };
    near.into_iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_versions_are_those_around_and_the_newest_final_one() {
        let versions = ["3.0", "1.0", "1.4", "1.6", "4.0rc1"].map(|text| text.parse().unwrap());

        assert_eq!(nearest(versions.to_vec(), &"a==1.5".parse().unwrap()), ["1.4", "1.6", "3.0"]);
        assert_eq!(nearest(versions.to_vec(), &"a>=9".parse().unwrap()), ["4.0rc1", "3.0", "1.6"]);
        assert!(nearest(Vec::new(), &"a==1".parse().unwrap()).is_empty());
    }
}
