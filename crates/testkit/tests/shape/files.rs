//! Names, sizes and first lines of files, and words that no file may hold.

use super::tree::{rust_sources, sources};

/// Lines of code that a file may have, tests aside.
const MOST_LINES: usize = 600;

/// Names that do not say what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "common", "misc", "imp", "manager", "types"];

/// Paths of one machine and host names of package indexes. Where things come from is the configuration of the user's
/// own tools, so no file names it. The words are split so that this file does not hold them.
const FOREIGN_WORDS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/ro", "ot/"),
    concat!("/tmp/pe", "er"),
    concat!("py", "pi.org"),
    concat!("python", "hosted"),
    concat!("deb.deb", "ian"),
    concat!("registry.np", "mjs"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
];

#[test]
fn no_file_is_a_crowded_room() {
    let crowded: Vec<String> = rust_sources()
        .iter()
        .filter(|source| source.is_shipped())
        .map(|source| (source.without_tests().lines().count(), &source.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();

    assert!(
        crowded.is_empty(),
        "more than {MOST_LINES} lines, divide by what they are about:\n{}",
        crowded.join("\n")
    );
}

#[test]
fn each_name_says_what_is_inside() {
    let empty: Vec<String> = rust_sources()
        .iter()
        .filter(|source| EMPTY_NAMES.contains(&source.stem()) || source.stem() == "mod")
        .map(|source| source.path.to_string())
        .collect();

    assert!(empty.is_empty(), "names that say nothing, or `mod.rs`:\n{}", empty.join("\n"));
}

#[test]
fn each_file_says_first_what_it_is_for() {
    let silent: Vec<String> = rust_sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path.to_string())
        .collect();

    assert!(silent.is_empty(), "files that do not start with `//!`:\n{}", silent.join("\n"));
}

#[test]
fn nothing_names_one_machine_or_a_package_index() {
    let mut foreign = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            for word in FOREIGN_WORDS.iter().filter(|word| line.contains(**word)) {
                foreign.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert!(foreign.is_empty(), "{}", foreign.join("\n"));
}
