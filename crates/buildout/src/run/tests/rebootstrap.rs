//! Builds that go on with a Python that they have made.

use super::*;
use crate::Build;
use crate::foreign::Moment;

/// Answers like another Python: version 3.7.
const PYTHON: &str = r#"#!/usr/bin/python3
  import json, subprocess, sys
  facts = json.loads(subprocess.check_output(["/usr/bin/python3"] + sys.argv[1:]))
  facts.update(version="3.7.9", major=3, minor=7)
  print(json.dumps(facts))"#;

fn profile() -> String {
    format!(
        "[buildout]\nextensions = slapos.rebootstrap\nparts = rest\npython = python\n\
         [python]\nrecipe = test:file\npath = python\nmode = 755\nexecutable = ${{buildout:directory}}/python\n\
         needs = ${{lib:location}} ${{same:location}}\ntext =\n  {PYTHON}\n\
         [same]\nrecipe = test:file\npath = same\n\
         [lib]\nrecipe = test:file\npath = lib\n\
         [lib:not python37]\ntext = for the machine\n\
         [lib:python37]\ntext = for the built one\n\
         [rest]\nrecipe = test:file\npath = rest\ntext = ${{buildout:executable}}\nneeds = ${{lib:location}} ${{same:location}}\n\
         [rest:sys.version_info >= (3, 8)]\nparticular = machine\n\
         [rest:sys.version_info < (3, 8)]\nparticular = built\n"
    )
}

#[test]
fn the_profile_is_read_again_for_the_python_that_it_makes() {
    let bench = Bench::with(&profile());

    insta::assert_snapshot!(without_chatter(&bench.succeed("")), @r"
    Installing lib.
    Installing same.
    Installing python.
    Installing lib.
    Updating same.
    Updating python.
    Installing rest.
    ");

    assert_eq!(bench.read("rest"), bench.path("python").as_str());
    assert_eq!(bench.read("lib"), "for the built one");
    let record = bench.read(".installed.cfg");
    assert!(record.contains("parts = lib same python rest\n"), "{record}");
    assert!(record.contains("particular = built\n"), "{record}");
    assert!(bench.read(".installed.cfg.prerebootstrap").contains("text = for the machine\n"));
}

#[test]
fn annotate_decides_conditions_for_the_python_that_is_there_and_says_which() {
    let bench = Bench::with(&profile());

    let before = bench.succeed("annotate rest");
    assert!(before.contains("python3: the build has not made its own Python yet.\n"), "{before}");
    assert!(before.contains("particular= machine\n") && !exists(bench.path("python")), "{before}");

    bench.succeed("");
    let after = bench.succeed("annotate rest");
    assert!(after.contains("Conditions are decided for /dir/python, the Python"), "{after}");
    assert!(after.contains("particular= built\n"), "{after}");
    assert!(!bench.succeed("python=buildout annotate rest").contains("Conditions are"), "{after}");
}

#[test]
fn a_second_run_builds_nothing_for_either_python() {
    let bench = Bench::with(&profile());
    bench.succeed("");
    let before = bench.read(".installed.cfg");

    let log = bench.succeed("");

    assert_eq!(log, "Updating lib.\nUpdating same.\nUpdating python.\nUpdating rest.\n");
    assert_eq!(bench.read(".installed.cfg"), before);
}

#[test]
fn a_changed_part_of_the_python_is_built_once_and_what_depends_on_it_after_it() {
    let bench = Bench::with(&profile());
    bench.succeed("");
    bench.write("buildout.cfg", &format!("{}[same]\ntext = changed\n", profile()));

    insta::assert_snapshot!(without_chatter(&bench.succeed("")), @r"
    Uninstalling python.
    Uninstalling same.
    Updating lib.
    Installing same.
    Installing python.
    Uninstalling rest.
    Updating lib.
    Updating same.
    Updating python.
    Installing rest.
    ");
    assert_eq!(bench.succeed(""), "Updating lib.\nUpdating same.\nUpdating python.\nUpdating rest.\n");
}

#[test]
fn the_plan_knows_what_was_installed_for_the_python_that_is_being_made() {
    let bench = Bench::with(&profile());
    bench.write("buildout.cfg", &profile().replace("[rest]\n", "[rest]\nfail = install\n"));
    bench.fail("");
    insta::assert_snapshot!(bench.succeed("plan"), @r"
    update     lib     nothing changed
    update     same    nothing changed
    update     python  nothing changed
    install    rest    new
    ");

    fs_err::remove_file(bench.path(".installed.cfg")).unwrap();
    insta::assert_snapshot!(bench.succeed("plan"), @r"
    install    lib     new
    update     same    nothing changed
    update     python  nothing changed
    install    rest    new
    ");

    // The Python is not made yet.
    fs_err::remove_file(bench.path("python")).unwrap();
    bench.write("buildout.cfg", &format!("{}[same]\ntext = changed\n", profile()));
    insta::assert_snapshot!(bench.succeed("plan"), @r"
    update     lib     nothing changed
    reinstall  same    option changed: text
    reinstall  python  dependency changed: same
    install    rest    new
    ");
    assert!(bench.succeed("why same").starts_with("[same] would be built again.\n"));
    insta::assert_snapshot!(without_chatter(&bench.succeed("")), @r"
    Uninstalling python.
    Uninstalling same.
    Updating lib.
    Installing same.
    Installing python.
    Installing lib.
    Updating same.
    Updating python.
    Installing rest.
    ");
}

#[test]
fn a_dry_run_makes_no_python() {
    let bench = Bench::with(&profile());

    insta::assert_snapshot!(without_chatter(&bench.succeed("--dry-run")), @r"
    Would install lib.
    Would install same.
    Would install python.
    The rest depends on /dir/python, which is not there yet.
    ");
    assert!(!exists(bench.path("lib")) && !exists(bench.path(".installed.cfg.prerebootstrap")));
}

#[test]
fn a_python_that_is_not_there_in_the_end_is_an_error() {
    let bench = Bench::with(&profile().replace("mode = 755", "mode = 644"));

    insta::assert_snapshot!(bench.fail(""), @r"
    While:
      Installing.
    Error: [python] says that it makes /dir/python, but that cannot be executed
    error: [python] says that it makes /dir/python, but that cannot be executed
    hint: look at `executable` of [python], which `python` of [buildout] names
    E-profile-value
    ");
}

#[test]
fn a_python_that_wants_another_python_is_an_error() {
    let bench = Bench::with(&format!("{}[python:python37]\nexecutable = /usr/bin/python3\n", profile()));

    insta::assert_snapshot!(bench.fail(""), @r"
    While:
      Installing.
    Error: with /dir/python, [python] wants to go on with /usr/bin/python3
    error: with /dir/python, [python] wants to go on with /usr/bin/python3
    hint: let no condition change the options of [python] and what it refers to
    E-profile-value
    ");
}

#[test]
fn the_python_of_the_machine_needs_no_second_reading() {
    let profile = "[buildout]\nextensions = slapos.rebootstrap\nparts = rest\npython = python\n\
        [python]\nexecutable = ${buildout:executable}\n[rest]\nrecipe = test\n";
    let bench = Bench::with(profile);

    assert_eq!(without_chatter(&bench.succeed("")), "Installing rest.\n");
    assert!(!exists(bench.path(".installed.cfg.prerebootstrap")));
}

/// Makes files, and has another code for each Python.
struct OfEachPython;

impl ForeignRecipes for OfEachPython {
    fn initialise(&self, _: &str, section: &mut Section<'_>) -> Result<Option<Box<dyn Recipe>>, RecipeError> {
        FileKind.initialise(section).map(Some)
    }

    fn signature(&self, _: &str, section: &mut Section<'_>) -> Result<String, RecipeError> {
        let executable = section.require_other("buildout", "executable")?;
        Ok(format!("code-for-{}", Utf8PathBuf::from(executable).file_name().unwrap()))
    }

    fn uninstall(&self, _: &str, _: &Uninstall<'_>, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Ok(())
    }

    fn extend(&self, _: &[String], _: Moment, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Ok(())
    }
}

#[test]
fn a_part_of_both_readings_is_one_part_though_its_recipe_is_found_for_two_pythons() {
    let profile = profile()
        .replace("needs = ${lib:location} ${same", "needs = ${lib:location} ${tool:location} ${same")
        .replace("parts = rest", "parts = rest last");
    let further = "[tool]\nrecipe = foreign\npath = tool\n[last]\nrecipe = foreign\npath = last\n";
    let bench = Bench::with(&(profile + further));
    let build = || {
        let done = bench.run_with("", Some(Arc::new(OfEachPython)));
        done.result.unwrap();
        without_chatter(&done.log)
    };

    let first = build();
    assert_eq!(first.matches("Installing tool.\n").count(), 1, "{first}");
    let signature = |record: &str, part: &str| {
        let record = bench.read(record);
        let section = record.split_once(&format!("[{part}]\n")).unwrap().1;
        let line = section.lines().find(|line| line.starts_with("__buildout_signature__")).unwrap();
        line.to_owned()
    };
    assert_eq!(signature(".installed.cfg", "tool"), "__buildout_signature__ = code-for-python3");
    assert_eq!(signature(".installed.cfg", "last"), "__buildout_signature__ = code-for-python");
    let of_tool = |record: &str| {
        let of_python = signature(record, "python");
        of_python.split(' ').find(|term| term.starts_with("tool:")).unwrap().to_owned()
    };
    assert_eq!(of_tool(".installed.cfg"), of_tool(".installed.cfg.prerebootstrap"));
    assert!(!build().contains("Installing "));
}

/// The lines that say what becomes of parts.
fn without_chatter(log: &str) -> String {
    let said = ["Installing ", "Updating ", "Uninstalling ", "Would ", "The rest "];
    log.lines()
        .filter(|line| said.iter().any(|start| line.starts_with(start)))
        .map(|line| format!("{line}\n"))
        .collect()
}
