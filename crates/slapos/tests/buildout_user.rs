//! As whom a build runs that root has started.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use camino::Utf8PathBuf;
use fs_err as fs;
use host::process::{Finished, Program};
use testkit::scratch::Scratch;

const PROFILE: &str = "[buildout]\nparts = who\n[who]\nrecipe = plone.recipe.command\n\
    command = id -u > ${buildout:directory}/who; echo $HOME > ${buildout:directory}/home\nstop-on-error = true\n";
/// A user whom no password database has.
const STRANGER: u32 = 54_321;

/// A directory with the profile.
fn release(scratch: &Scratch) -> Utf8PathBuf {
    let directory = scratch.path().join("release");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("buildout.cfg"), PROFILE).unwrap();
    directory
}

fn build(directory: &Utf8PathBuf, words: &[&str]) -> Finished {
    Program::new(env!("CARGO_BIN_EXE_slapos"))
        .arg("buildout")
        .args(words.iter().copied())
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/root")
        .directory(directory)
        .run(Some(Duration::from_secs(200)), &mut |_| {})
        .unwrap()
}

fn read(directory: &Utf8PathBuf, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap_or_default().trim().to_owned()
}

#[test]
fn root_builds_as_the_owner_of_the_directory() {
    if !host::users::is_root() {
        return;
    }
    let scratch = Scratch::new();
    let directory = release(&scratch);
    std::os::unix::fs::chown(&directory, Some(STRANGER), Some(STRANGER)).unwrap();

    let done = build(&directory, &[]);

    assert!(done.success(), "{}", done.text());
    assert!(done.text().contains(&format!("The build runs as {STRANGER}, the owner of {directory}.")));
    assert_eq!((read(&directory, "who"), read(&directory, "home")), (STRANGER.to_string(), "/".to_owned()));
    assert_eq!(fs::metadata(directory.join(".installed.cfg")).unwrap().uid(), STRANGER);
}

#[test]
fn root_is_warned_once_in_a_directory_of_its_own_unless_it_allows_itself() {
    if !host::users::is_root() {
        return;
    }
    let scratch = Scratch::new();
    let directory = release(&scratch);

    let warned = build(&directory, &[]);
    let allowed = build(&directory, &["--allow-root"]);
    let looked = build(&directory, &["plan"]);
    let upstream = build(&directory, &["--dialect", "upstream"]);

    assert!(warned.success() && allowed.success() && upstream.success(), "{}", warned.text());
    assert_eq!(warned.text().matches("W-root").count(), 1, "{}", warned.text());
    assert!(warned.text().contains("--user NAME") && warned.text().contains("--allow-root"));
    for quiet in [allowed, looked, upstream] {
        assert!(!quiet.text().contains("W-root"), "{}", quiet.text());
    }
    assert_eq!(read(&directory, "who"), "0");
}

#[test]
fn root_builds_as_the_user_that_it_names_if_that_one_can_write() {
    if !host::users::is_root() {
        return;
    }
    let scratch = Scratch::new();
    let directory = release(&scratch);

    let closed = build(&directory, &["--user", "nobody"]);
    assert!(!closed.success() && closed.text().contains("E-directory-unreachable"), "{}", closed.text());

    let nobody = host::users::Account::by_name("nobody").unwrap().unwrap();
    host::files::give(&directory, &nobody).unwrap();
    let done = build(&directory, &["--user=nobody"]);
    assert!(done.success(), "{}", done.text());
    assert_eq!(read(&directory, "who"), nobody.uid.to_string());

    let unknown = build(&directory, &["--user", "no-such-user-here"]);
    assert!(unknown.text().contains("there is no user `no-such-user-here`"), "{}", unknown.text());
}

#[test]
fn only_root_builds_as_another_user() {
    let scratch = Scratch::new();
    let directory = release(&scratch);
    let program = scratch.install(env!("CARGO_BIN_EXE_slapos"), "slapos").join("slapos");
    let mut program = Program::new(program).args(["buildout", "--user", "root"]).directory(&directory);
    if host::users::is_root() {
        program = program.account(host::users::Account::by_name("nobody").unwrap().unwrap());
    }

    let refused = program.run(Some(Duration::from_secs(200)), &mut |_| {}).unwrap();

    assert!(refused.text().contains("only root can build as `root`"), "{}", refused.text());
}
