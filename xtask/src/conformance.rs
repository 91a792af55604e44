//! `cargo xtask conformance`: the doctests of zc.buildout, run with its own engine and with ours.

mod ledger;
mod results;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::requirement;
use crate::step::{Failure, cargo, program, step, top};
use results::{Example, Results};

/// Which of the two dialects the documents describe.
const DIALECT: &str = "buildout --dialect upstream";

/// Runs the documents whose names hold one of the words of `--only`, or all; prints the table; fails when an example of
/// the command line that passes with Python fails with ours and is not in the ledger.
///
/// What Python does with the documents is kept in `target/doctests`, since it is always the same; `--python` runs it
/// again.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let (again, only) = match words {
        [] => (false, &[][..]),
        ["--python"] => (true, &[][..]),
        ["--only", only @ ..] if !only.is_empty() => (false, only),
        ["--python", "--only", only @ ..] if !only.is_empty() => (true, only),
        _ => return Err("usage: cargo xtask conformance [--python] [--only WORD…]".to_owned()),
    };
    let known = ledger::read(&top().join("docs/compatibility.md"))?;
    requirement::check()?;
    let place = top().join("target/doctests");
    step(
        "zc.buildout with its doctests",
        &program("bash").arg("tests/peer/setup_doctests.sh").arg(place.as_str()),
    )?;
    step("the program", &cargo(["build", "--package", "slapos"]))?;

    let python = place.join("python.tsv");
    if again || !python.exists() {
        documents(&place, &python, None, &[])?;
    }
    let ours = place.join("ours.tsv");
    // A copy: whoever builds meanwhile changes nothing.
    let engine = place.join("slapos");
    fs::copy(top().join("target/debug/slapos"), &engine).map_err(|error| error.to_string())?;
    let engine = format!("{engine} {DIALECT}");
    documents(&place, &ours, Some(&engine), only)?;

    let results = Results::new(&read(&python)?, &read(&ours)?, only)?;
    println!("\n{results}");
    let failing = place.join("failing.txt");
    fs::write(&failing, results.failing_listing()).map_err(|error| error.to_string())?;
    println!("examples of the command line that pass with Python and fail with ours: {failing}");
    judge(&results, &known, only.is_empty())
}

/// Compares what fails with what is known to fail.
fn judge(results: &Results, known: &[ledger::Known], is_whole: bool) -> Result<(), Failure> {
    let failing = results.failing();
    let is_known = |example: &Example| known.iter().any(|known| known.is(example));
    let surprising: Vec<&&Example> = failing.iter().filter(|example| !is_known(example)).collect();
    let mended: Vec<&ledger::Known> =
        known.iter().filter(|known| is_whole && !failing.iter().any(|example| known.is(example))).collect();
    for example in &surprising {
        println!("fails, and is not in the ledger: {example}");
    }
    for known in &mended {
        println!("passes, take it out of the ledger: {known}");
    }
    if !surprising.is_empty() {
        return Err(format!(
            "{} examples fail that docs/compatibility.md does not list; it allows {}",
            surprising.len(),
            known.len()
        ));
    }
    if !mended.is_empty() {
        return Err(format!("docs/compatibility.md lists {} examples that pass", mended.len()));
    }
    Ok(())
}

/// Runs the documents and keeps how each example went in the file `results`.
fn documents(
    place: &Utf8Path,
    results: &Utf8Path,
    engine: Option<&str>,
    only: &[&str],
) -> Result<(), Failure> {
    // Written under another name first: an interrupted run is no result.
    let partial = Utf8PathBuf::from(format!("{results}.partial"));
    let log = Utf8PathBuf::from(format!("{results}.log"));
    let mut run = program(place.join("venv/bin/python").as_str()).arg("tests/peer/doctests.py");
    run = run.arg(partial.as_str()).arg("--verbose");
    if let Some(engine) = engine {
        run = run.arg("--buildout").arg(engine);
    }
    if !only.is_empty() {
        run = run.arg("--only").args(only.iter().copied());
    }
    println!("── doctests with {} (details: {log})", engine.unwrap_or("Python"));
    let finished = run
        .run(None, &mut |line| {
            let is_report = line.contains(" examples ") && line.ends_with(" failed");
            if is_report || line.starts_with("lost: ") {
                println!("   {line}");
            }
        })
        .map_err(|error| format!("{} cannot be started: {error}", run.path()))?;
    fs::write(&log, &finished.output).map_err(|error| error.to_string())?;
    if !finished.success() {
        return Err(format!("the doctests ended with {}: see {log}", finished.verdict()));
    }
    fs::rename(&partial, results).map_err(|error| error.to_string())
}

fn read(path: &Utf8Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}
