//! What only one room may touch: the kernel, SQL, and the formats of the wire.

use super::tree::{Source, rust_sources};

/// Finds `words` in the code of shipped files outside `rooms`, as `path:line: word`.
fn found_outside(rooms: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in rust_sources().iter().filter(|source| source.is_shipped() && !is_in(source, rooms)) {
        for (number, line) in source.without_tests().lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            for word in words.iter().filter(|word| holds_word(code, word)) {
                found.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    found
}

/// Whether `code` holds `word`, not as the end of a longer one (`unix::` is not `nix::`).
fn holds_word(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

fn is_in(source: &Source, rooms: &[&str]) -> bool {
    rooms.iter().any(|room| source.path.as_str().starts_with(room))
}

#[test]
fn only_host_touches_the_kernel_and_starts_processes() {
    let words = [
        "nix::",
        "libc::",
        "unsafe ",
        "expect(unsafe_code",
        "process::Command",
        "process::{Command",
        "CommandExt",
    ];

    let found = found_outside(&["crates/host/src/"], &words);

    assert!(found.is_empty(), "this belongs in the crate host:\n{}", found.join("\n"));
}

#[test]
fn only_the_store_of_the_master_speaks_sql() {
    let words =
        ["rusqlite", "SELECT ", "INSERT INTO ", "INSERT OR ", "UPDATE OR ", "DELETE FROM ", "CREATE TABLE "];

    let found = found_outside(&["crates/master/src/store"], &words);

    assert!(found.is_empty(), "this belongs in master::store:\n{}", found.join("\n"));
}

#[test]
fn only_the_wire_of_slap_reads_and_writes_xml() {
    // The supervisor's XML-RPC and the usage reports are wires of their own.
    let rooms = [
        "crates/slap/src/wire",
        "crates/node/src/supervisor",
        "crates/node/src/report",
        "crates/node/src/usage",
    ];

    let found = found_outside(&rooms, &["quick_xml"]);

    assert!(found.is_empty(), "this belongs in slap::wire:\n{}", found.join("\n"));
}

#[test]
fn arguments_are_parsed_and_pages_served_only_at_the_edges() {
    let mut found = found_outside(&["crates/slapos/src/"], &["clap::", "indicatif::"]);
    found.extend(found_outside(
        &["crates/master/src/", "crates/node/src/", "crates/slapos/src/"],
        &["axum::"],
    ));

    assert!(found.is_empty(), "{}", found.join("\n"));
}
