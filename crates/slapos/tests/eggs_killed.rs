//! Builds that are killed while they install eggs, and builds that share a directory of eggs: no half egg is ever there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;
use testkit::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(200);
/// How many files the egg has: enough for a build to be found at work on it.
const FILES: usize = 1500;

/// Makes a wheel of many modules, and a page for it.
const WHEEL: &str = "
import os, sys, zipfile
index, count = sys.argv[1], int(sys.argv[2])
os.makedirs(index + '/one')
with zipfile.ZipFile(index + '/one/one-1.0-py3-none-any.whl', 'w') as wheel:
    for number in range(count):
        wheel.writestr('one/module%d.py' % number, 'x = 1\\n')
    wheel.writestr('one-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: one\\nVersion: 1.0\\n')
    wheel.writestr('one-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\n')
    wheel.writestr('one-1.0.dist-info/RECORD', ''.join(name + ',,\\n' for name in wheel.namelist()))
";

/// Directories with a profile each, whose eggs are the same directory `eggs`.
fn places(scratch: &Scratch, names: &[&str]) -> Utf8PathBuf {
    let root = scratch.path();
    let index = root.join("index");
    let made = Program::new("/usr/bin/python3").args(["-c", WHEEL, index.as_str(), &FILES.to_string()]);
    assert!(made.capture(LIMIT).unwrap().success());
    for name in names {
        let profile = format!(
            "[buildout]\nparts = p\nindex = {index}\neggs-directory = {root}/eggs\n\
             [p]\nrecipe = zc.recipe.egg\neggs = one\n[versions]\none = 1.0\n"
        );
        fs::create_dir_all(root.join(name)).unwrap();
        fs::write(root.join(name).join("buildout.cfg"), profile).unwrap();
    }
    root.join("eggs")
}

fn build(scratch: &Scratch, name: &str) -> Program {
    Program::new(env!("CARGO_BIN_EXE_slapos"))
        .arg("buildout")
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", scratch.path().as_str())
        .directory(scratch.path().join(name))
}

/// The names in the directory of eggs; each egg must be whole.
fn names(eggs: &Utf8Path) -> Vec<String> {
    let Ok(entries) = eggs.read_dir_utf8() else { return Vec::new() };
    let names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    for egg in names.iter().filter(|name| name.ends_with(".egg")) {
        let modules = eggs.join(egg).join("one").read_dir_utf8().unwrap();
        let modules = modules.filter(|entry| entry.as_ref().unwrap().file_name().ends_with(".py")).count();
        assert_eq!(modules, FILES);
        assert!(eggs.join(egg).join("EGG-INFO/PKG-INFO").is_file());
    }
    names
}

#[test]
fn a_build_that_is_killed_leaves_no_half_egg_and_the_next_one_cleans_up() {
    let scratch = Scratch::new();
    let eggs = places(&scratch, &["a"]);
    let mut was_at_work = false;
    for _ in 0..50 {
        let mut child = build(&scratch, "a")
            .spawn(std::process::Stdio::null(), std::process::Stdio::null(), std::process::Stdio::null())
            .unwrap();
        let deadline = Instant::now() + LIMIT;
        while names(&eggs).is_empty() && child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = names(&eggs);
        was_at_work |= left.iter().any(|name| name.starts_with(".unfinished-"));
        if was_at_work {
            break;
        }
        host::files::remove_tree(&eggs).unwrap();
    }
    assert!(was_at_work, "no build was killed while it was at work");

    let finished = build(&scratch, "a").run(Some(LIMIT), &mut |_| {}).unwrap();

    assert!(finished.success(), "{}", finished.text());
    let names = names(&eggs);
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn builds_that_share_a_directory_of_eggs_end_with_one_whole_egg() {
    let scratch = Scratch::new();
    let eggs = places(&scratch, &["a", "b", "c"]);

    let texts: Vec<(bool, String)> = std::thread::scope(|scope| {
        let builds = ["a", "b", "c"].map(|name| {
            let program = build(&scratch, name);
            scope.spawn(move || {
                let finished = program.run(Some(LIMIT), &mut |_| {}).unwrap();
                (finished.success(), finished.text())
            })
        });
        while builds.iter().any(|build| !build.is_finished()) {
            names(&eggs);
            std::thread::sleep(Duration::from_millis(2));
        }
        builds.into_iter().map(|build| build.join().unwrap()).collect()
    });

    assert!(texts.iter().all(|(worked, _)| *worked), "{texts:?}");
    let names = names(&eggs);
    assert_eq!(names.len(), 1, "{names:?}");
}
