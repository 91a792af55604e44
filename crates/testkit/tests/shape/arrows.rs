//! Which crate may import which.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use host::process::Program;
use serde_json::Value;

use super::tree::top;

/// What each crate may import, as in ARCHITECTURE.md; `testkit` and `xtask` have rules of their own.
const ARROWS: &[(&str, &[&str])] = &[
    ("slapos-slap", &[]),
    ("slapos-host", &[]),
    ("slapos-shacache", &["slapos-host"]),
    ("slapos-buildout", &["slapos-host", "slapos-shacache"]),
    ("slapos-recipes", &["slapos-buildout", "slapos-slap", "slapos-host"]),
    ("slapos-node", &["slapos-slap", "slapos-host", "slapos-shacache"]),
    ("slapos-master", &["slapos-slap", "slapos-host", "slapos-shacache"]),
    (
        "slapos",
        &[
            "slapos-slap",
            "slapos-host",
            "slapos-shacache",
            "slapos-buildout",
            "slapos-recipes",
            "slapos-node",
            "slapos-master",
        ],
    ),
    // The tasks that compare the engine with the peer run it in their own process.
    ("xtask", &["slapos-host", "slapos-buildout", "slapos-recipes"]),
];

/// The packages of the workspace with their dependencies on each other: name -> (name, is only for tests).
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let answer = Program::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .directory(top())
        .inherit_env()
        .capture(Duration::from_secs(60))
        .unwrap();
    assert!(answer.success(), "{}", answer.text());
    let metadata: Value = serde_json::from_slice(&answer.output).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let arrows = dependencies
                .map(|dependency| (dependency["name"].as_str().unwrap(), dependency["kind"] == "dev"))
                .filter(|(name, _)| ours.contains(name))
                .map(|(name, only_tests)| (name.to_owned(), only_tests))
                .collect();
            (package["name"].as_str().unwrap().to_owned(), arrows)
        })
        .collect()
}

#[test]
fn crates_import_only_what_the_architecture_allows() {
    let mut wrong = Vec::new();
    for (name, arrows) in dependencies() {
        if name == "slapos-testkit" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!(
                "{name} is a new crate: write a decision record that names the arrow it needs"
            ));
            continue;
        };
        for (target, only_tests) in arrows {
            // A test may use the test kit, and what its crate may use anyway.
            if allowed.contains(&target.as_str()) || (only_tests && target == "slapos-testkit") {
                continue;
            }
            wrong.push(format!("{name} must not import {target}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_kit_is_only_for_tests() {
    let shipped: Vec<String> = dependencies()
        .into_iter()
        .filter(|(_, arrows)| {
            arrows.iter().any(|(target, only_tests)| target == "slapos-testkit" && !only_tests)
        })
        .map(|(name, _)| name)
        .collect();

    assert!(shipped.is_empty(), "testkit belongs in [dev-dependencies] of {shipped:?}");
}
