//! `cargo xtask check`: what must hold before a change lands; continuous integration runs the same.

use std::time::Duration;

use crate::step::{Failure, cargo, step};
use crate::suite;

/// Tools that are used when they are there: the name of the cargo subcommand, its arguments, what it looks for.
const OPTIONAL: &[(&str, &[&str], &str)] = &[
    ("deny", &["check"], "licences, advisories, duplicates and sources of dependencies"),
    ("machete", &[], "dependencies that nobody uses"),
];

/// Runs every check, and with `with_tests` all the tests.
pub(crate) fn run(with_tests: bool) -> Result<(), Failure> {
    step("formatting", &cargo(["fmt", "--all", "--check"]))?;
    step("lints", &cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    step(
        "documentation",
        &cargo(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    let mut absent = Vec::new();
    for (name, arguments, about) in OPTIONAL {
        if is_there(&cargo([*name, "--version"])) {
            step(about, &cargo([*name]).args(arguments.iter().copied()))?;
        } else {
            absent.push(format!("cargo {name} ({about})"));
        }
    }
    let typos = crate::step::program("typos");
    if is_there(&typos.clone().arg("--version")) {
        step("spelling", &typos)?;
    } else {
        absent.push("typos (spelling)".to_owned());
    }
    if with_tests {
        step("examples in the documentation", &cargo(["test", "--quiet", "--workspace", "--doc"]))?;
        suite::run(&[])?;
    } else {
        step("shape", &cargo(["test", "--quiet", "--package", "slapos-testkit", "--test", "shape"]))?;
    }
    println!("\nAll checks pass.");
    if !absent.is_empty() {
        println!("Left out, because they are not installed: {}.", absent.join(", "));
    }
    Ok(())
}

/// Whether a program starts and ends well.
pub(crate) fn is_there(program: &host::process::Program) -> bool {
    program.run(Some(Duration::from_secs(120)), &mut |_| {}).is_ok_and(|finished| finished.success())
}
