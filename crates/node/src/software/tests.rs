//! Whole software passes against a scripted master and engine.

use slap::SoftwareState;

use super::*;
use crate::trial::Trial;

fn wants(trial: &Trial, releases: &[(&SoftwareUrl, SoftwareState)]) {
    trial.master.wants(Computer {
        id: "COMP-1".parse().unwrap(),
        releases: releases
            .iter()
            .map(|(url, state)| Release { url: (*url).clone(), state: *state })
            .collect(),
        partitions: Vec::new(),
    });
}

fn url(text: &str) -> SoftwareUrl {
    text.parse().unwrap()
}

fn place(trial: &Trial, url: &SoftwareUrl, name: &str) -> String {
    let directory = trial.node.configuration.release_directory(url);
    let path = directory.join(name);
    path.strip_prefix(trial.directory.path()).unwrap().to_string()
}

#[test]
fn a_release_is_built_reported_and_never_built_again() {
    let trial = Trial::new("echo Installing app.; echo built >> count; pwd > where");
    let release = url("http://release/a");
    wants(&trial, &[(&release, SoftwareState::Available)]);

    assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 0);
    assert_eq!(
        trial.master.told(),
        ["buildingSoftwareRelease http://release/a", "availableSoftwareRelease http://release/a"]
    );
    assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 0);

    assert_eq!(trial.master.told(), Vec::<String>::new());
    assert_eq!(trial.directory.read(&place(&trial, &release, "count")), "built\n");
    // The form of the C library: `Fri Nov 20 23:44:39 2026`.
    assert_eq!(trial.directory.read(&place(&trial, &release, ".completed")).len(), 24);
    let profile = trial.directory.read(&place(&trial, &release, "buildout.cfg"));
    assert!(profile.starts_with("[buildout]\nextends = http://release/a\n"), "{profile}");
    assert!(trial.directory.exists(&place(&trial, &release, "extends-cache")));
    let events: Vec<String> = trial.events.take().iter().map(|event| format!("{event:?}")).collect();
    let names: Vec<&str> = events.iter().map(|text| text.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["ReleaseStarted", "PartStarted", "PartFinished", "ReleaseFinished"]);
}

#[test]
fn a_failed_build_is_reported_whole_and_the_others_go_on() {
    let trial = Trial::new("case $PWD in *92eb*) echo good;; *) echo bad words; exit 7;; esac");
    wants(&trial, &[(&url("a"), SoftwareState::Available), (&url("b"), SoftwareState::Available)]);

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(outcome.problems[0].subject, "a");
    let log = trial.master.field("softwareReleaseError", "error_log");
    assert!(log.ends_with("exit code 7:\nbad words\n\n"), "{log}");
    assert!(!trial.directory.exists(&place(&trial, &url("a"), ".completed")));
    assert!(trial.directory.exists(&place(&trial, &url("b"), ".completed")));
}

#[test]
fn a_report_that_is_lost_is_made_again_by_the_next_pass() {
    let trial = Trial::new("echo built");
    wants(&trial, &[(&url("a"), SoftwareState::Available)]);
    trial.master.answers("availableSoftwareRelease", 500);

    assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 1);
    assert!(!trial.directory.exists(&place(&trial, &url("a"), ".completed")));
    trial.master.answers("availableSoftwareRelease", 200);

    assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 0);
    assert!(trial.directory.exists(&place(&trial, &url("a"), ".completed")));
}

#[test]
fn a_destroyed_release_is_removed_and_reported_even_when_nothing_is_there() {
    let trial = Trial::new("exit 1");
    wants(&trial, &[(&url("a"), SoftwareState::Destroyed)]);
    trial.directory.write(&place(&trial, &url("a"), "deep/read-only/file"), "x", 0o444);
    trial.directory.make(&place(&trial, &url("a"), "deep/read-only"), 0o555);

    for _ in 0..2 {
        assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 0);
        assert_eq!(trial.master.told(), ["destroyedSoftwareRelease a"]);
        assert!(!trial.directory.exists(&place(&trial, &url("a"), "")));
    }
}

#[test]
fn garbage_is_collected_and_everything_else_stays() {
    let trial = Trial::new("exit 1");
    let kept = trial.release("kept");
    let gone = trial.release("gone");
    trial.directory.write(&place(&trial, &kept, "buildout.cfg"), "", 0o644);
    trial.directory.write(&place(&trial, &gone, "buildout.cfg"), "", 0o644);
    trial.directory.write("soft/notes/buildout.cfg", "", 0o644);
    wants(&trial, &[(&kept, SoftwareState::Available)]);

    let outcome = pass(&trial.node, &Options { garbage_collect: true, ..Options::default() });

    assert_eq!(outcome.exit.code(), 0);
    assert!(trial.directory.exists(&place(&trial, &kept, "")));
    assert!(!trial.directory.exists(&place(&trial, &gone, "")));
    assert!(trial.directory.exists("soft/notes"));
}

#[test]
fn too_little_space_is_told_before_anything_is_made() {
    let mut trial = Trial::new("exit 1");
    trial.configure(|configuration| configuration.software_minimum_space = u64::MAX);
    wants(&trial, &[(&url("a"), SoftwareState::Available)]);

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(outcome.problems[0].code.as_deref(), Some("E-disk-full"));
    assert!(outcome.problems[0].message.contains("(option 'software_min_free_space')"));
    assert!(!trial.directory.exists(&place(&trial, &url("a"), "")));
}

#[test]
fn a_disk_that_fills_during_the_build_is_recognised() {
    let trial = Trial::new("echo \"cc: error writing to x: No space left on device\"; exit 1");
    wants(&trial, &[(&url("a"), SoftwareState::Available)]);

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.problems[0].code.as_deref(), Some("E-disk-full"));
    assert!(outcome.problems[0].hint.as_ref().unwrap().starts_with("free space on the file system of "));
}

#[test]
fn an_engine_that_does_not_exist_is_named() {
    let mut trial = Trial::new("");
    trial.configure(|configuration| configuration.engine = vec!["/no/such/engine".into()]);
    wants(&trial, &[(&url("a"), SoftwareState::Available)]);

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.problems[0].code.as_deref(), Some("E-build-engine-missing"));
    assert!(outcome.problems[0].message.contains("/no/such/engine"), "{:?}", outcome.problems);
}

#[test]
fn a_software_root_that_is_missing_is_named() {
    let mut trial = Trial::new("");
    trial.configure(|configuration| configuration.software_root = "/no/such/root".into());

    let outcome = pass(&trial.node, &Options::default());

    assert_eq!(outcome.exit.code(), 1);
    assert_eq!(outcome.problems[0].code.as_deref(), Some("E-directory-missing"));
}

#[test]
fn the_instance_profile_beside_a_local_release_is_taken_when_the_build_leaves_none() {
    let trial = Trial::new("exit 0");
    let profile = trial.directory.write("source/software.cfg", "[buildout]\n", 0o644);
    trial.directory.write("source/instance.cfg.in", "[buildout]\nparts = {{ web }}\n", 0o644);
    let release = url(profile.as_str());
    wants(&trial, &[(&release, SoftwareState::Available)]);

    assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 0);

    let text = trial.directory.read(&place(&trial, &release, "instance.cfg"));
    let directory = trial.node.configuration.release_directory(&release);
    let text = text.replace(directory.as_str(), "RELEASE").replace(trial.directory.path().as_str(), "ROOT");
    insta::assert_snapshot!(text, @r"
# Made from instance.cfg.in of ROOT/source/software.cfg
[buildout]
parts = {{ web }}

[buildout]
eggs-directory = RELEASE/eggs
develop-eggs-directory = RELEASE/develop-eggs
");
}

#[test]
fn an_instance_profile_that_the_build_makes_is_left_alone() {
    let trial = Trial::new("echo mine > instance.cfg");
    let profile = trial.directory.write("source/software.cfg", "[buildout]\n", 0o644);
    trial.directory.write("source/instance.cfg.in", "[buildout]\n", 0o644);
    let release = url(profile.as_str());
    wants(&trial, &[(&release, SoftwareState::Available)]);

    assert_eq!(pass(&trial.node, &Options::default()).exit.code(), 0);

    assert_eq!(trial.directory.read(&place(&trial, &release, "instance.cfg")), "mine\n");
}

#[test]
fn the_revision_of_a_local_profile_is_noted_once() {
    let trial = Trial::new("exit 0");
    let profile = trial.directory.write("source/software.cfg", "[buildout]\n", 0o644);
    let git = "cd source && git init -q -b main . && git add . && \
               git -c user.name=a -c user.email=a@b commit -q -m first";
    let mut program = host::process::Program::new("/bin/sh")
        .args(["-c", git])
        .directory(trial.directory.path())
        .env("PATH", "/usr/bin:/bin");
    if host::users::is_root() {
        program = program.account(host::users::Account::by_name("nobody").unwrap().unwrap());
    }
    assert!(program.run(None, &mut |_| {}).unwrap().success());
    let release = url(profile.as_str());
    wants(&trial, &[(&release, SoftwareState::Available)]);

    for _ in 0..2 {
        let forced = Options { force: true, ..Options::default() };
        assert_eq!(pass(&trial.node, &forced).exit.code(), 0);
    }

    let text = trial.directory.read(&place(&trial, &release, "buildout.cfg"));
    let comments: Vec<&str> = text.lines().filter(|line| line.starts_with("# ")).collect();
    assert_eq!(comments.len(), 1, "{text}");
    assert!(comments[0].contains(" git revision: heads/main-0-g"), "{text}");
}
