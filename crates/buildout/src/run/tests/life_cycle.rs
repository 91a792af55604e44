//! Install, update, uninstall, and the record.

use super::*;

const TWO: &str = "[buildout]\nparts = b\n\
    [a]\nrecipe = test:file\npath = one\ntext = 1\n\
    [b]\nrecipe = test:file\npath = two\ntext = ${a:location}\n";

#[test]
fn parts_come_after_those_that_they_refer_to() {
    let bench = Bench::with(TWO);

    insta::assert_snapshot!(bench.succeed(""), @r"
    Creating directory '/dir/eggs'.
    Creating directory '/dir/bin'.
    Creating directory '/dir/parts'.
    Creating directory '/dir/develop-eggs'.
    Installing a.
    Installing b.
    ");
    assert_eq!(bench.read("two"), bench.path("one").as_str());
    let record = bench.read(".installed.cfg").replace(bench.root.as_str(), "/dir").replace("= \n", "= $\n");
    insta::with_settings!({filters => vec![("[0-9a-f]{32}", "<md5>")]}, {
        insta::assert_snapshot!(record, @r"
        [buildout]
        installed_develop_eggs = $
        parts = a b

        [a]
        __buildout_installed__ = /dir/one
        __buildout_signature__ = native:test:file-1
        location = /dir/one
        path = one
        recipe = test:file
        text = 1

        [b]
        __buildout_installed__ = /dir/two
        __buildout_signature__ = native:test:file-1 a:<md5>
        location = /dir/two
        path = two
        recipe = test:file
        text = /dir/one
        ");
    });
}

#[test]
fn a_second_run_updates_and_leaves_the_record_alone() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    let before = fs_err::metadata(bench.path(".installed.cfg")).unwrap().modified().unwrap();

    assert_eq!(bench.succeed(""), "Updating a.\nUpdating b.\n");
    assert_eq!(fs_err::metadata(bench.path(".installed.cfg")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_changed_part_is_built_again_with_all_that_depend_on_it() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    bench.write("buildout.cfg", &TWO.replace("text = 1", "text = 2"));

    let log = bench.succeed("");

    assert_eq!(log, "Uninstalling b.\nUninstalling a.\nInstalling a.\nInstalling b.\n");
    assert_eq!(bench.read("one"), "2");
    assert_eq!(bench.read("uninstalled"), "b\na\n");
}

#[test]
fn a_barrier_keeps_changes_behind_it_from_those_before_it() {
    let profile = "[buildout]\nparts = c\n\
        [a]\nrecipe = test:file\npath = one\ntext = 1\n\
        [b]\nrecipe = test:file\npath = two\ntext = ${a:location}\nbarrier = yes\n\
        [c]\nrecipe = test:file\npath = three\ntext = ${b:location}\n";
    let bench = Bench::with(profile);
    bench.succeed("");

    bench.write("buildout.cfg", &profile.replace("text = 1", "text = 2"));
    assert_eq!(bench.succeed(""), "Uninstalling a.\nInstalling a.\nUpdating b.\nUpdating c.\n");

    bench.write("buildout.cfg", &profile.replace("path = one", "path = other"));
    assert_eq!(
        bench.succeed(""),
        "Uninstalling c.\nUninstalling b.\nUninstalling a.\nInstalling a.\nInstalling b.\nInstalling c.\n"
    );
}

#[test]
fn only_the_changed_part_is_built_again_without_the_signatures() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    bench.write("buildout.cfg", &TWO.replace("text = 1", "text = 2"));

    assert_eq!(bench.succeed("--skip-signature-check"), "Uninstalling a.\nInstalling a.\nUpdating b.\n");
}

#[test]
fn a_part_that_lost_a_path_is_built_again() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    fs_err::remove_file(bench.path("two")).unwrap();

    assert_eq!(bench.succeed(""), "Uninstalling b.\nUpdating a.\nInstalling b.\n");
    assert!(exists(bench.path("two")));
}

#[test]
fn parts_that_are_not_wanted_go_and_with_the_last_one_the_record() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    bench.write("buildout.cfg", "[buildout]\nparts =\n");

    assert_eq!(bench.succeed(""), "Uninstalling b.\nUninstalling a.\n");
    assert!(!exists(bench.path("one")) && !exists(bench.path(".installed.cfg")));
}

#[test]
fn named_parts_alone_are_installed_and_no_others_removed() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    fs_err::remove_file(bench.path("two")).unwrap();
    bench.write("buildout.cfg", &TWO.replace("parts = b", "parts = b c"));

    assert_eq!(bench.succeed("install b"), "Uninstalling b.\nInstalling b.\n");
    assert!(bench.read(".installed.cfg").contains("parts = a b\n"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let bench = Bench::with(TWO);
    bench.succeed("");
    bench.write("buildout.cfg", &TWO.replace("parts = b", "parts = c").replace("[b]", "[c]"));

    assert_eq!(bench.succeed("--dry-run"), "Would uninstall b.\nWould install c.\n");
    assert!(bench.read(".installed.cfg").contains("parts = a b\n"));
}

#[test]
fn an_empty_recipe_makes_a_section_no_part() {
    let bench =
        Bench::with("[buildout]\nparts = a b\n[a]\nrecipe =\nx = 1\n[b]\nrecipe = test\ny = ${a:x}\n");

    assert!(bench.succeed("").ends_with("develop-eggs'.\nInstalling b.\n"));
}

#[test]
fn hidden_options_are_not_recorded_and_count_in_no_signature() {
    let profile = "[buildout]\nparts = b\n[a]\nrecipe = test:file\npath = one\nsecret = abc\n\
        [b]\nrecipe = test\nx = ${a:location}\n";
    let bench = Bench::with(profile);
    bench.succeed("");
    assert!(!bench.read(".installed.cfg").contains("abc"));
    bench.write("buildout.cfg", &profile.replace("abc", "def"));

    assert_eq!(bench.succeed(""), "Updating a.\nUpdating b.\n");
}

#[test]
fn a_changed_pin_builds_no_part_again() {
    let profile =
        "[buildout]\nparts = a\n[a]\nrecipe = test:file\npath = x\npins = yes\n[versions]\nflask = 1\n";
    let bench = Bench::with(profile);
    bench.succeed("");
    bench.write("buildout.cfg", &profile.replace("flask = 1", "flask = 2"));

    assert_eq!(bench.succeed(""), "Updating a.\n");
}

#[test]
fn late_options_are_asked_of_the_recipe() {
    let bench = Bench::with(
        "[buildout]\nparts = b\n[a]\nrecipe = test\n[b]\nrecipe = test:file\npath = x\ntext = ${a:late-ok}\n",
    );

    bench.succeed("");

    assert_eq!(bench.read("x"), "ok");
}

#[test]
fn one_level_of_protection_is_taken_from_what_a_recipe_reads() {
    let bench = Bench::with(
        "[buildout]\nparts = b\n[a]\nx = $${p:q} $$HOME\n[b]\nrecipe = test:file\npath = x\ntext = ${a:x} $${r:s}\n",
    );

    bench.succeed("");

    assert_eq!(bench.read("x"), "${p:q} $$HOME ${r:s}");
}

#[test]
fn options_that_nobody_reads_are_reported() {
    let bench =
        Bench::with("[buildout]\nparts = a\nprats = b\n[a]\nrecipe = test:file\npath = x\ntxet = y\n");

    insta::assert_snapshot!(bench.succeed("").split_once("develop-eggs'.\n").unwrap().1, @r"
    Section `buildout` contains unused option(s): 'prats'.
    This may be an indication for either a typo in the option's name or a bug in the used recipe.
    Installing a.
    Section `a` contains unused option(s): 'txet'.
    This may be an indication for either a typo in the option's name or a bug in the used recipe.
    ");
}

#[test]
fn a_path_that_holds_the_buildout_itself_is_never_removed() {
    let bench = Bench::with("[buildout]\nparts =\n");
    bench.write(
        ".installed.cfg",
        "[buildout]\nparts = a\n[a]\nrecipe = test\n__buildout_installed__ = .\n\t/\n\t..\n",
    );

    let log = bench.succeed("");

    assert!(log.contains("is not removed: the buildout itself is in it."), "{log}");
    assert!(exists(bench.path("buildout.cfg")));
}

#[test]
fn what_a_record_names_outside_of_the_buildout_is_left() {
    let bench = Bench::with("[buildout]\nparts =\n");
    let other = Bench::new();
    other.write("tree/file", "theirs");
    other.write("egg", "theirs");
    bench.write("inside", "ours");
    fs_err::os::unix::fs::symlink(&other.root, bench.path("link")).unwrap();
    let root = &other.root;
    bench.write(
        ".installed.cfg",
        &format!(
            "[buildout]\ninstalled_develop_eggs = {root}/egg\n\t/\nparts = a\n[a]\nrecipe = test\n\
             __buildout_installed__ = {root}/tree\n\t../{}/tree/file\n\tinside\n\tlink\n\t/no/such\n",
            root.file_name().unwrap()
        ),
    );

    let log = bench.succeed("");

    assert_eq!(other.read("tree/file"), "theirs");
    assert_eq!(other.read("egg"), "theirs");
    assert!(!exists(bench.path("inside")) && bench.path("link").symlink_metadata().is_err());
    assert_eq!(log.matches("is not removed: it is outside of the buildout.").count(), 3, "{log}");
}

#[test]
fn the_launcher_is_written_where_a_program_is_known() {
    let bench = Bench::with("[buildout]\nparts =\n");
    let mut settings = Settings::new(CommandLine::parse(["bootstrap"]).unwrap(), &*bench.root);
    settings.engine = vec!["/usr/bin/slapos".to_owned(), "buildout".to_owned()];

    crate::run(settings).unwrap();

    let text = bench.read("bin/buildout");
    assert!(text.starts_with("#!/") && text.lines().next().unwrap().ends_with("python3"), "{text}");
    assert!(text.contains("['/usr/bin/slapos', 'buildout', '--python', sys.executable]"));
}

#[test]
fn the_python_of_the_command_line_decides_the_conditions() {
    let bench = Bench::with("[buildout]\nparts =\n[a:python3]\nx = 3\n");
    host::files::replace(&bench.path("python3"), "#!/bin/sh\nexit 7\n", 0o755).unwrap();

    assert_eq!(bench.succeed("query a:x"), "3\n");
    assert!(bench.fail(&format!("--python {} query a:x", bench.path("python3"))).contains("exit code 7"));
}

#[test]
fn a_relative_directory_starts_where_the_user_stands() {
    let bench = Bench::new();
    bench.write("sub/p.cfg", "[buildout]\nparts =\ndirectory = there/../here\nx = ${:directory}\n");

    assert_eq!(bench.succeed("-c sub/p.cfg query bin-directory"), "/dir/here/bin\n");
    bench.succeed("-c sub/p.cfg");
    assert!(exists(bench.path("here/parts")) && !exists(bench.path("sub/here")));
}

#[test]
fn the_command_line_extends_by_assignment_and_by_addition() {
    let bench = Bench::with("[buildout]\nparts =\n[a]\nx = 1\n");
    bench.write("e.cfg", "[a]\nx += 2\n");

    assert_eq!(bench.succeed("extends=e.cfg query a:x"), "1\n2\n");
    assert_eq!(bench.succeed("extends+=e.cfg query a:x"), "1\n2\n");
    assert_eq!(bench.succeed("extends-=e.cfg query a:x"), "1\n");
}

#[test]
fn init_writes_a_first_profile_and_query_shows_an_option() {
    let bench = Bench::new();

    assert!(bench.succeed("init").starts_with("Creating '/dir/buildout.cfg'.\n"));
    assert_eq!(bench.read("buildout.cfg"), "[buildout]\nparts =\n");
    assert_eq!(bench.succeed("query bin-directory"), "/dir/bin\n");
    assert_eq!(bench.succeed("x:y=${a:b} query x:y"), "${a:b}\n");
}
