//! `cargo xtask corpus DIR`: every software release of a checkout of the profiles of SlapOS, read by our engine.

mod closure;
mod golden;

use std::time::{Duration, Instant};

use buildout::{BuildError, CommandLine, Merged, Settings};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::step::Failure;

/// What became of one root.
struct Read {
    name: String,
    merged: Merged,
    parts: usize,
    took: Duration,
}

/// Reads every `software/**/software*.cfg` below the directory, compares the results with what is known of them, and
/// prints a table; fails when a root cannot be read or a known value is another.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let [directory] = words else { return Err("usage: cargo xtask corpus DIRECTORY".to_owned()) };
    let directory = Utf8Path::new(directory).canonicalize_utf8().map_err(|error| error.to_string())?;
    let mut roots = Vec::new();
    find_roots(&directory.join("software"), &mut roots)?;
    roots.sort_unstable();
    if roots.is_empty() {
        return Err(format!("{directory}/software has no software*.cfg"));
    }

    println!("{:60} {:>8} {:>8} {:>6} {:>8}  verdict", "root", "profiles", "sections", "parts", "time");
    let (mut read, mut wrong) = (Vec::new(), 0);
    for root in &roots {
        let name = root.strip_prefix(directory.join("software")).unwrap_or(root).to_string();
        match look_at(root, name.clone()) {
            Ok(done) => {
                let problems = golden::problems(&done)?;
                wrong += usize::from(!problems.is_empty());
                row(&done, &if problems.is_empty() { "well".to_owned() } else { problems.join("; ") });
                read.push(done);
            }
            Err(error) if golden::is_remote(&name) && error.code() == "E-profile-extends-missing" => {
                println!("{name:60} {:>33}  well: refused, since it extends an address", "");
            }
            Err(error) => {
                wrong += 1;
                println!("{name:60} {:>33}  {}", "", buildout::report::render(&error, false).trim());
            }
        }
    }
    let total = |count: fn(&Read) -> usize| read.iter().map(count).sum::<usize>();
    println!(
        "{} roots, {} read; {} profiles, {} sections, {} parts in all; {:.1} s; longest {:.3} s",
        roots.len(),
        read.len(),
        total(|read| read.merged.profiles().len()),
        total(|read| read.merged.sections().count()),
        total(|read| read.parts),
        read.iter().map(|read| read.took).sum::<Duration>().as_secs_f64(),
        read.iter().map(|read| read.took).max().unwrap_or_default().as_secs_f64(),
    );
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} roots are not as they should be")) }
}

fn look_at(root: &Utf8Path, name: String) -> Result<Read, BuildError> {
    let start = Instant::now();
    let merged = merge(root)?;
    let took = start.elapsed();
    Ok(Read { name, parts: closure::parts(&merged)?.len(), took, merged })
}

fn row(read: &Read, verdict: &str) {
    println!(
        "{:60} {:8} {:8} {:6} {:6} ms  {verdict}",
        read.name,
        read.merged.profiles().len(),
        read.merged.sections().count(),
        read.parts,
        read.took.as_millis(),
    );
}

fn find_roots(directory: &Utf8Path, roots: &mut Vec<Utf8PathBuf>) -> Result<(), Failure> {
    for entry in directory.read_dir_utf8().map_err(|error| format!("{directory}: {error}"))? {
        let entry = entry.map_err(|error| error.to_string())?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|error| error.to_string())?);
        if kind.is_dir() {
            find_roots(path, roots)?;
        } else if entry.file_name().starts_with("software") && path.extension() == Some("cfg") {
            roots.push(path.to_owned());
        }
    }
    Ok(())
}

/// What `slapos buildout -U -o -c ROOT annotate` would show.
fn merge(root: &Utf8Path) -> Result<Merged, BuildError> {
    let words = ["-U", "-o", "-c", root.as_str(), "annotate"].map(str::to_owned);
    let line = CommandLine::parse(words).expect("these words are well");
    let directory = root.parent().expect("a file has a directory");
    let mut settings = Settings::new(line, directory);
    settings.registry = recipes::REGISTRY;
    buildout::merge(settings)
}

/// The text of a file of the checkout, when it is one.
fn text_of(path: &Utf8Path) -> Option<String> {
    fs::read_to_string(path).ok()
}
