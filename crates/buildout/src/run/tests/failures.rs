//! What a failed build leaves, and how the next one goes on.

use super::*;

const THREE: &str = "[buildout]\nparts = a b c\n\
    [a]\nrecipe = test:file\npath = one\n\
    [b]\nrecipe = test:file\npath = two\nfail = install\n\
    [c]\nrecipe = test:file\npath = three\n";

#[test]
fn a_failed_installation_leaves_nothing_of_its_part_and_the_next_run_goes_on() {
    let bench = Bench::with(THREE);

    let error = bench.run("").result.unwrap_err();

    assert_eq!(error.code(), "E-recipe-failed");
    assert!(exists(bench.path("one")) && !exists(bench.path("two")));
    assert!(bench.read(".installed.cfg").contains("parts = a\n"));
    bench.write("buildout.cfg", &THREE.replace("fail = install\n", ""));
    assert_eq!(bench.succeed(""), "Updating a.\nInstalling b.\nInstalling c.\n");
}

#[test]
fn a_failed_update_drops_the_part_and_the_next_run_builds_it_again() {
    let profile = THREE.replace("fail = install\n", "");
    let bench = Bench::with(&profile);
    bench.succeed("");
    bench.write("fail-update", "");

    let done = bench.run("");

    assert_eq!(done.log, "Updating a.\n");
    assert!(!exists(bench.path("one")) && exists(bench.path("two")));
    fs_err::remove_file(bench.path("fail-update")).unwrap();
    // Parts that the failed run did not reach are where they were.
    assert_eq!(bench.succeed(""), "Installing a.\nUpdating b.\nUpdating c.\n");
}

#[test]
fn a_record_without_directory_is_said_before_anything_is_built() {
    let bench = Bench::with(&THREE.replace("[buildout]\n", "[buildout]\ninstalled = missing/dir/x\n"));

    let message = bench.fail("");

    insta::assert_snapshot!(message, @r"
    While:
      Installing.
    Error: cannot record in /dir/missing/dir/x what is installed: /dir/missing/dir is no directory
    error: cannot record in /dir/missing/dir/x what is installed: /dir/missing/dir is no directory
    hint: create it, or set `installed` in [buildout] to a path in a directory that exists
    E-file
    ");
    assert!(!exists(bench.path("one")));
    // Where nothing is recorded, no directory is missed.
    Bench::with("[buildout]\nparts =\ninstalled = missing/dir/x\n").succeed("");
}

#[test]
fn a_second_build_in_the_directory_is_refused() {
    let bench = Bench::with(THREE);
    let _held = host::locks::FileLock::try_acquire_directory(&bench.root).unwrap().unwrap();

    let message = bench.fail("").replace(&std::process::id().to_string(), "<pid>");

    insta::assert_snapshot!(message, @r"
    While:
      Installing.
    Error: another build is running in /dir
    error: another build is running in /dir
      because: the process <pid> holds it
    hint: wait until it ends, or end it: kill <pid>
    E-lock-held
    ");
}

#[test]
fn a_damaged_record_is_reported_and_kept() {
    let bench = Bench::with(THREE);
    bench.write(".installed.cfg", "[buildout]\nparts = a\n[a]\nx = 1\nrubbish\n");

    insta::assert_snapshot!(bench.fail(""), @r"
    While:
      Installing.
    Error: the record of installed parts /dir/.installed.cfg is damaged: this line is neither an option, a section nor a continuation
    error: the record of installed parts /dir/.installed.cfg is damaged
      because: this line is neither an option, a section nor a continuation
    hint: remove /dir/.installed.cfg: the next build then builds every part again
    E-record-damaged
    ");
    assert!(bench.read(".installed.cfg").contains("rubbish"));
}

#[test]
fn a_record_of_the_python_engine_is_read() {
    let bench = Bench::with(&THREE.replace("fail = install\n", ""));
    bench.write("old", "");
    bench.write(
        ".installed.cfg",
        "[buildout]\ninstalled_develop_eggs = \nparts = gone\n\n[gone]\n__buildout_installed__ = old\n\
         __buildout_signature__ = zc.buildout-3.3-py3.11.egg\nrecipe = some.egg\n\n[buildout]\nparts = gone\n",
    );

    let log = bench.succeed("");

    assert!(log.contains("Uninstalling gone.\nInstalling a.\n"), "{log}");
    assert!(!exists(bench.path("old")));
}
