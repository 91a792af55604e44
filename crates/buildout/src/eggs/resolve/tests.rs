//! Walks over distributions that are lines of text.

use super::*;
use crate::eggs::metadata::Fields;
use crate::eggs::pins::Pin;
use crate::eggs::requirement::tests::environment;

struct Fake {
    project: ProjectName,
    written: String,
    version: Version,
    dependencies: Dependencies,
    setuptools: bool,
}

impl Choice for Fake {
    fn project(&self) -> &ProjectName {
        &self.project
    }
    fn written(&self) -> &str {
        &self.written
    }
    fn version(&self) -> &Version {
        &self.version
    }
    fn is_develop(&self) -> bool {
        false
    }
    fn dependencies(&self, _: &MarkerEnvironment) -> Result<&Dependencies, EggError> {
        Ok(&self.dependencies)
    }
    fn needs_setuptools(&self, _: &MarkerEnvironment) -> Result<bool, EggError> {
        Ok(self.setuptools)
    }
}

/// Each line: `name version: requirement, requirement`; a star after the version for one that needs setuptools.
fn shelf(text: &str) -> Vec<Arc<Fake>> {
    text.lines()
        .map(|line| {
            let (head, needs) = line.split_once(':').unwrap();
            let (written, version) = head.trim().split_once(' ').unwrap();
            let fields = Fields {
                requires: needs
                    .split(", ")
                    .map(str::trim)
                    .filter(|n| !n.is_empty())
                    .map(str::to_owned)
                    .collect(),
                extras: vec!["x".to_owned()],
                ..Fields::default()
            };
            Arc::new(Fake {
                project: ProjectName::new(written),
                written: written.to_owned(),
                version: version.trim_end_matches('*').parse().unwrap(),
                dependencies: Dependencies::from_fields(&fields, &environment()).unwrap(),
                setuptools: version.ends_with('*'),
            })
        })
        .collect()
}

fn walked(shelf: &[Arc<Fake>], pins: &[(&str, &str)], requested: &[&str]) -> Result<Walked<Fake>, EggError> {
    let pins: Pins = pins
        .iter()
        .map(|(written, text)| Pin { written: (*written).into(), text: (*text).into(), origin: None })
        .collect();
    let environment = environment();
    let rules = Rules {
        pins: &pins,
        environment: &environment,
        allow_picked_versions: true,
        allow_unknown_extras: false,
        one_at_a_time: false,
        note_requirers: false,
        request: "",
        told: &Told::new(&|_, _| {}, false),
    };
    let requested: Vec<Requirement> = requested.iter().map(|text| text.parse().unwrap()).collect();
    walk(&rules, &requested, &|wanted| {
        let fits = shelf.iter().filter(|fake| fake.project == wanted.project && wanted.allows(&fake.version));
        fits.max_by_key(|fake| fake.version.clone()).cloned()
    })
}

fn names(walked: &Walked<Fake>) -> Vec<&str> {
    walked.chosen.iter().map(|fake| fake.written.as_str()).collect()
}

#[test]
fn requested_come_first_then_dependencies_level_by_level_from_their_end() {
    let shelf = shelf("a 1: c, d\nb 1: e, f\nc 1: g\nd 1:\ne 1:\nf 1:\ng 1: a");

    assert_eq!(names(&walked(&shelf, &[], &["a", "b"]).unwrap()), ["a", "b", "f", "e", "d", "c", "g"]);
}

#[test]
fn pins_choose_the_version() {
    let shelf = shelf("a 1:\na 2:\nb 1: A");

    let walked = walked(&shelf, &[("a", "1")], &["b"]).unwrap();

    assert_eq!(walked.chosen[1].version.to_string(), "1");
    assert_eq!(walked.picked, [("b".to_owned(), "1".parse().unwrap())]);
}

#[test]
fn setuptools_follows_what_needs_it_silently() {
    let shelf = shelf("a 1*: b\nb 1:\nsetuptools 70:");

    assert_eq!(names(&walked(&shelf, &[], &["a"]).unwrap()), ["a", "setuptools", "b"]);
}

#[test]
fn extras_bring_their_dependencies_and_unknown_ones_are_errors() {
    let shelf = shelf("a 1: b; extra == 'x'\nb 1:");

    assert_eq!(names(&walked(&shelf, &[], &["a[x]"]).unwrap()), ["a", "b"]);
    assert_eq!(walked(&shelf, &[], &["a[y]"]).err().unwrap().code(), "E-eggs-extra");
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let shelf = shelf("a 1: b>=2, c\nc 1: d");

    let walked = walked(&shelf, &[], &["a"]).unwrap();

    let missing: Vec<String> =
        walked.missing.iter().map(|w| format!("{} for {}", w.requirement, w.chain.join(", "))).collect();
    assert_eq!(missing, ["b>=2 for a 1", "d for c 1, a 1"]);
}

#[test]
fn a_conflict_names_both_sides() {
    let shelf = shelf("a 1: b, c\nb 1: d<2\nc 1: d>=2\nd 1:\nd 2:");

    let error = walked(&shelf, &[], &["a"]).err().unwrap();

    assert_eq!(
        error.classic(),
        "There is a version conflict.\nWe already have: d 2\nbut b 1 requires 'd<2'."
    );
    assert_eq!(error.because(), ["it is asked by b 1, asked by a 1", "d 2 is asked by c 1, asked by a 1"]);
}

#[test]
fn a_pin_that_a_dependency_excludes_names_who_asks() {
    let shelf = shelf("a 1: b\nb 1: d>=2\nd 1:");

    let error = walked(&shelf, &[("d", "1")], &["a"]).err().unwrap();

    assert_eq!(error.code(), "E-eggs-conflict");
    assert_eq!(error.because(), ["[versions] sets d = 1", "it is asked by b 1, asked by a 1"]);
}

#[test]
fn what_does_not_apply_here_is_passed_over() {
    let shelf = shelf("a 1:");

    assert_eq!(names(&walked(&shelf, &[], &["a", "w; sys_platform == 'win32'"]).unwrap()), ["a"]);
}
