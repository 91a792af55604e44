//! The ledger, docs/compatibility.md, names every recipe, endpoint and subcommand, with a test that exists.

use std::collections::BTreeSet;

use super::tree::{Source, rust_sources, sources};

fn ledger() -> String {
    sources().into_iter().find(|source| source.path == "docs/compatibility.md").unwrap().text
}

/// The words of the ledger that stand between backquotes.
fn listed() -> BTreeSet<String> {
    ledger().split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn in_room(room: &str) -> Vec<Source> {
    rust_sources()
        .into_iter()
        .filter(|source| source.is_shipped() && source.path.as_str().starts_with(room))
        .collect()
}

/// The text values of the function `names` of a recipe's file.
fn recipe_names(source: &Source) -> Vec<String> {
    let Some((_, body)) = source.without_tests().split_once("fn names(&self)") else { return Vec::new() };
    let body = body.split_once('}').map_or(body, |(body, _)| body);
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_recipe_is_registered_and_in_the_ledger() {
    let listed = listed();
    let files = in_room("crates/recipes/src/");
    let registry =
        files.iter().find(|source| source.stem() == "registry").map_or("", |source| source.text.as_str());
    let mut missing = Vec::new();
    for source in files.iter().filter(|source| source.without_tests().contains("impl RecipeKind for")) {
        if !registry.contains(&format!("{}::", source.stem())) {
            missing.push(format!("{} is not in the registry", source.path));
        }
        let names = recipe_names(source);
        if names.is_empty() {
            missing.push(format!("{} names no recipe in `fn names(&self)`", source.path));
        }
        missing.extend(
            names
                .iter()
                .filter(|name| !listed.contains(*name))
                .map(|name| format!("`{name}` is not in the ledger")),
        );
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_endpoint_is_in_the_ledger() {
    let listed = listed();
    let mut count = 0;
    let mut missing = Vec::new();
    for source in in_room("crates/master/src/") {
        for call in source.without_tests().split(".route(").skip(1) {
            // The path is the first argument: `"/getRunId"`.
            let Some(path) = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
            else {
                missing.push(format!("{}: a route without a path to read", source.path));
                continue;
            };
            count += 1;
            let name = path.strip_prefix('/').filter(|name| !name.is_empty()).unwrap_or(path);
            if !listed.contains(name) {
                missing.push(format!("{}: `{name}` is not in the ledger", source.path));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(count > 20, "the routes of the master are not found");
}

#[test]
fn every_subcommand_is_in_the_ledger() {
    let listed = listed();
    let mut missing = Vec::new();
    for source in in_room("crates/slapos/src/command/") {
        let Some((_, rest)) = source.without_tests().split_once("const NAME: &'static str = \"") else {
            continue;
        };
        let name = rest.split('"').next().unwrap();
        if !listed.contains(&format!("slapos {name}")) {
            missing.push(format!("{}: `slapos {name}` is not in the ledger", source.path));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// A row of the ledger's tables whose last two columns are `state` and `test`.
struct Row {
    what: String,
    state: String,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let text = ledger();
    let mut is_ledger = false;
    let mut rows = Vec::new();
    for line in text.lines() {
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            is_ledger &= line.starts_with('|');
            continue;
        };
        let cells: Vec<&str> = cells.split(" | ").map(str::trim).collect();
        let [.., state, tests] = cells.as_slice() else { continue };
        if *state == "state" && *tests == "test" {
            is_ledger = true;
        } else if is_ledger {
            let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            rows.push(Row { what: cells[0].to_owned(), state: (*state).to_owned(), tests });
        }
    }
    assert!(rows.len() > 20, "the ledger has no tables that end with the columns `state` and `test`");
    rows
}

#[test]
fn what_the_ledger_calls_done_is_tested() {
    let everything: String = rust_sources().into_iter().map(|source| source.text).collect();
    let mut wrong = Vec::new();
    for row in rows() {
        match row.state.as_str() {
            "done" if row.tests.is_empty() => wrong.push(format!("{}: done, but no test is named", row.what)),
            "done" | "partial" | "not yet" => {}
            other => wrong.push(format!("{}: `{other}` is not one of done, partial, not yet", row.what)),
        }
        for test in row.tests.iter().filter(|test| !everything.contains(&format!("fn {test}("))) {
            wrong.push(format!("{}: nobody wrote the test `{test}`", row.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
