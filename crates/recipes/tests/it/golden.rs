//! What the recipes write, beside what the Python recipes write from the same profile (`fixtures/recipes/golden`).

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::trial::Trial;

fn fixtures() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recipes/golden")
}

fn copy(from: &Utf8Path, trial: &Trial, prefix: &str) {
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "expected" {
                copy(entry.path(), trial, &format!("{name}/"));
            }
        } else {
            trial.write(&name, fs::read(entry.path()).unwrap());
        }
    }
}

fn built() -> Trial {
    let trial = Trial::new();
    copy(&fixtures(), &trial, "");
    trial.write("buildout.cfg", trial.read("profile.cfg"));
    trial.built();
    trial
}

#[test]
fn recipes_write_the_same_bytes_and_modes_as_pythons() {
    let trial = built();
    let modes = fs::read_to_string(fixtures().join("expected/modes.txt")).unwrap();
    let mut differences = Vec::new();
    for line in modes.lines() {
        let (mode, name) = line.split_once(' ').unwrap();
        let (name, target) =
            name.split_once(" -> ").map_or((name, None), |(name, target)| (name, Some(target)));
        let path = trial.path(name);
        if let Some(target) = target {
            let found = fs::read_link(&path).unwrap();
            assert_eq!(found.to_str(), Some(target), "{name}");
            continue;
        }
        assert!(path.exists(), "{name} was not written");
        let found = format!("{:o}", trial.mode(name));
        // The recorder ran with this umask.
        if found != mode && host::process::umask() == 0o022 {
            differences.push(format!("{name}: mode {found} instead of {mode}"));
        }
        if name.ends_with('/') || name.ends_with(".py") {
            continue;
        }
        let expected = fs::read_to_string(fixtures().join("expected").join(name)).unwrap();
        let found = trial.read(name).replace(trial.root().as_str(), "@DIRECTORY@");
        // The recorder keeps no more of the directory's name than its length, which line breaks depend on.
        if found != expected && without_breaks(&found) != without_breaks(&expected) {
            differences.push(format!("{name}\n  expected: {expected:?}\n  found:    {found:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn without_breaks(text: &str) -> String {
    text.replace(" \\\n\t", " ")
}

#[test]
fn promises_hold_the_same_data_as_pythons() {
    let trial = built();
    for name in ["promise-module", "promise-file", "promise-class", "promise-long"] {
        let found = trial.read(&format!("out/{name}.py"));
        let expected = fs::read_to_string(fixtures().join(format!("expected/out/{name}.py"))).unwrap();
        let (data, import) = expected.rsplit_once("\n\n").unwrap();

        assert!(found.contains(data), "{name}\n  expected: {data}\n  found: {found}");
        assert!(found.trim_end().ends_with(import.trim()), "{name}: {import}");
    }
}

#[test]
fn a_second_build_updates_every_part_and_changes_nothing() {
    let trial = built();
    let before = fs::metadata(trial.path("out/wrapper-long")).unwrap().modified().unwrap();

    let outcome = trial.built();

    assert!(outcome.installed.is_empty() && outcome.uninstalled.is_empty(), "{outcome:?}");
    assert_eq!(fs::metadata(trial.path("out/wrapper-long")).unwrap().modified().unwrap(), before);
}
