//! `plan`, `why` and `graph`: what they say, and that they change nothing.

use super::*;
use crate::Build;
use crate::foreign::Moment;

const PROFILE: &str = "[buildout]\nparts = c d\n\
    [a]\nrecipe = test:file\npath = one\ntext = 1\n\
    [between]\ndata = ${a:location}\n\
    [c]\nrecipe = test:file\npath = three\ntext = ${between:data}\n\
    [d]\nrecipe = test:file\npath = four\n\
    [old]\nrecipe = test:file\npath = five\n";

/// Everything below the directory, with the time of its last change.
fn state(bench: &Bench) -> Vec<(String, std::time::SystemTime)> {
    let mut found = Vec::new();
    let mut todo = vec![bench.root.clone()];
    while let Some(directory) = todo.pop() {
        for entry in directory.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            found.push((path.to_string(), path.symlink_metadata().unwrap().modified().unwrap()));
            if path.is_dir() {
                todo.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A directory that was built, whose profile then changed in every way.
fn changed() -> Bench {
    let bench = Bench::with(&PROFILE.replace("parts = c d", "parts = c d old"));
    bench.succeed("");
    fs_err::remove_file(bench.path("four")).unwrap();
    let now = PROFILE.replace("parts = c d", "parts = c d new").replace("path = one", "path = 1st");
    bench.write("buildout.cfg", &(now + "[new]\nrecipe = test:file\npath = six\n"));
    bench
}

#[test]
fn the_plan_tells_of_each_part_what_would_be_done_and_why() {
    let bench = changed();
    let before = state(&bench);

    insta::assert_snapshot!(bench.succeed("plan"), @"
    remove     old  the profile does not want it any more
    reinstall  a    options changed: location, path
    reinstall  c    option changed: text
    reinstall  d    /dir/four is missing
    install    new  new
    ");
    insta::assert_snapshot!(bench.succeed("plan d"), @"
    reinstall  d    /dir/four is missing
    keep       a    it was not asked for
    keep       c    it was not asked for
    keep       old  it was not asked for
    ");
    let json: serde_json::Value = serde_json::from_str(&bench.succeed("plan --output json")).unwrap();
    assert_eq!(
        json[0],
        serde_json::json!({
            "action": "remove", "part": "old", "why": "the profile does not want it any more"
        })
    );
    assert_eq!(state(&bench), before);
}

#[test]
fn nothing_is_made_where_nothing_was_built() {
    let bench = Bench::with(PROFILE);

    assert_eq!(bench.succeed("plan"), "install    a  new\ninstall    c  new\ninstall    d  new\n");
    assert!(!exists(bench.path("eggs")) && !exists(bench.path("bin")));
}

#[test]
fn why_shows_the_lines_and_both_values() {
    let bench = changed();

    insta::assert_snapshot!(bench.succeed("why c"), @"
    [c] would be built again.
      option `text`
        was: /dir/one
        is : /dir/1st
        /dir/buildout.cfg:12: text = ${between:data}
        by ${between:data}
          /dir/buildout.cfg:8: data = ${a:location}
      it depends on [between], which changed:
        option `data`
          was: /dir/one
          is : /dir/1st
          /dir/buildout.cfg:8: data = ${a:location}
          by ${a:location}
        it depends on [a], which changed:
          option `location`
            was: /dir/one
            is : /dir/1st
            set by the recipe
          option `path`
            was: one
            is : 1st
            /dir/buildout.cfg:5: path = 1st
    ");
    assert_eq!(bench.succeed("why d"), "[d] would be built again: /dir/four is missing.\n");
    assert_eq!(bench.succeed("why new"), "[new] is new: the last build did not have it.\n");
    assert!(bench.succeed("why old").starts_with("[old] would be removed"));
    assert!(bench.fail("why odl").contains("did you mean old?"));
}

/// A part that refers to a section that is no part, which refers to another such.
const THROUGH_OTHERS: &str = "[buildout]\nparts = c\n\
    [deep]\nport = 80\npassword = first\n\
    [between]\nname = one\nurl = http://host:${deep:port}/\n\
    [c]\nrecipe = test:file\npath = three\nreads-too = ${between:name}\n";

#[test]
fn of_sections_that_are_no_parts_both_values_are_shown() {
    let bench = Bench::with(THROUGH_OTHERS);
    bench.succeed("");
    bench.write("buildout.cfg", &THROUGH_OTHERS.replace("port = 80", "port = 81"));

    insta::assert_snapshot!(bench.succeed("why c"), @"
    [c] would be built again.
      it depends on [between], which changed:
        option `url`
          was: http://host:80/
          is : http://host:81/
          /dir/buildout.cfg:8: url = http://host:${deep:port}/
          by ${deep:port}
            /dir/buildout.cfg:4: port = 81
        it depends on [deep], which changed:
          option `port`
            was: 80
            is : 81
            /dir/buildout.cfg:4: port = 81
    ");
    insta::assert_snapshot!(bench.succeed("why deep"), @"
    [deep] is no part; it changed, and these were built from it: [c].
      option `port`
        was: 80
        is : 81
        /dir/buildout.cfg:4: port = 81
    ");
    let json: serde_json::Value = serde_json::from_str(&bench.succeed("why c --output json")).unwrap();
    let between = &json["changes"]["dependencies"][0];
    assert_eq!(
        (&between["section"], &between["changes"]["options"][0]["old"]),
        (&"between".into(), &"http://host:80/".into())
    );
}

#[test]
fn values_that_look_like_secrets_are_not_kept_and_the_file_is_the_owners() {
    let bench = Bench::with(THROUGH_OTHERS);
    bench.succeed("");
    let path = bench.path(".installed.sections.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!bench.read(".installed.sections.json").contains("first"));

    bench.write("buildout.cfg", &THROUGH_OTHERS.replace("first", "second"));

    let text = bench.succeed("why deep");
    assert!(
        text.contains("options whose values are not kept, as they look like secrets: `password`"),
        "{text}"
    );
    assert!(!text.contains("second"));
}

#[test]
fn without_the_file_of_sections_why_says_what_it_cannot_know() {
    let bench = Bench::with(THROUGH_OTHERS);
    bench.succeed("");
    let changed = THROUGH_OTHERS.replace("port = 80", "port = 81");
    for (damage, told) in
        [(None, "there is no such file"), (Some("{"), "EOF while parsing"), (Some("[]"), "invalid type")]
    {
        bench.write("buildout.cfg", &changed);
        match damage {
            None => fs_err::remove_file(bench.path(".installed.sections.json")).unwrap(),
            Some(text) => bench.write(".installed.sections.json", text),
        }

        let text = bench.succeed("why c");

        assert!(text.contains(told) && text.contains("the next build writes it"), "{text}");
    }
    bench.succeed("");
    assert!(bench.read(".installed.sections.json").contains("http://host:81/"));
}

#[test]
fn what_is_not_built_again_keeps_what_its_sections_said() {
    let bench = Bench::with(
        &THROUGH_OTHERS
            .replace("parts = c", "parts = c d")
            .replace("[c]", "[d]\nrecipe = test:file\npath = four\n[c]"),
    );
    bench.succeed("");
    bench.write("buildout.cfg", &bench.read("buildout.cfg").replace("port = 80", "port = 81"));

    bench.succeed("install d");

    assert!(bench.succeed("why c").contains("was: http://host:80/"), "{}", bench.succeed("why c"));
}

#[test]
fn nothing_is_kept_of_sections_when_nothing_needs_them() {
    let bench = Bench::with("[buildout]\nparts = c\n[c]\nrecipe = test:file\npath = three\n");
    bench.succeed("");

    assert!(!exists(bench.path(".installed.sections.json")));
}

#[test]
fn a_pin_of_another_version_of_the_recipe_is_a_reason() {
    let profile = "[buildout]\nparts = c\n[versions]\nslapos.recipe.x = 1.0\n[c]\nrecipe = slapos.recipe.x\n";
    let bench = Bench::with(&profile.replace("1.0", "2.0"));
    bench.write(
        ".installed.cfg",
        "[buildout]\ninstalled_develop_eggs = \nparts = c\n\n[c]\n__buildout_installed__ = \n\
         __buildout_signature__ = other-1.0-py3.11.egg slapos.recipe.x-1.0-py3.11.egg\nrecipe = slapos.recipe.x\n",
    );

    assert_eq!(bench.succeed("plan"), "reinstall  c  its recipe changed\n");
    insta::assert_snapshot!(bench.succeed("why c"), @"
    [c] would be built again.
      its recipe is of another version
        was: slapos.recipe.x-1.0-py3.11.egg
        is : slapos.recipe.x-2.0-py3.11.egg
        /dir/buildout.cfg:4: slapos.recipe.x = 2.0
    ");

    bench.write("buildout.cfg", profile);
    assert_eq!(bench.succeed("plan"), "update     c  nothing changed\n");
}

/// Does with its section what nobody can know who does not ask it.
struct Wilful;

impl ForeignRecipes for Wilful {
    fn initialise(&self, _: &str, section: &mut Section<'_>) -> Result<Option<Box<dyn Recipe>>, RecipeError> {
        let chosen = section.require("choice")?;
        let location = section.require_other(&chosen, "location")?;
        let path = section.require("path")?.replace("@@", &location);
        section.set("path", path);
        section.remove("choice");
        section.barrier();
        FileKind.initialise(section).map(Some)
    }

    fn signature(&self, _: &str, _: &mut Section<'_>) -> Result<String, RecipeError> {
        Ok("code-1.0".to_owned())
    }

    fn uninstall(&self, _: &str, _: &Uninstall<'_>, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Ok(())
    }

    fn extend(&self, _: &[String], _: Moment, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Ok(())
    }
}

#[test]
fn recipes_in_python_are_taken_to_do_what_they_did_last_time() {
    let bench = Bench::with(
        "[buildout]\nparts = d\n[a]\nrecipe = test:file\npath = one\n[b]\nrecipe = test:file\npath = two\n\
         [c]\nrecipe = wilful\nchoice = a\npath = @@-c\n[d]\nrecipe = test:file\npath = four\ntext = ${c:path}\n",
    );
    let change =
        |from: &str, to: &str| bench.write("buildout.cfg", &bench.read("buildout.cfg").replace(from, to));
    bench.run_with("", Some(Arc::new(Wilful))).result.unwrap();

    insta::assert_snapshot!(bench.succeed("plan"), @r"
    update     a  nothing changed
    update     c  nothing changed
    update     d  nothing changed
    ");

    change("path = one", "path = 1st");
    insta::assert_snapshot!(bench.succeed("plan"), @r"
    reinstall  a  options changed: location, path
    update     c  nothing changed
    update     d  nothing changed
    ");

    change("choice = a", "choice = b");
    insta::assert_snapshot!(bench.succeed("plan"), @r"
    reinstall  a  options changed: location, path
    reinstall  c  option changed: choice
    reinstall  d  dependency changed: c
    ");

    // Without the file, what the recipe did cannot be known.
    fs_err::remove_file(bench.path(".installed.recipes.json")).unwrap();
    insta::assert_snapshot!(bench.succeed("plan"), @r"
    remove     a  the profile does not want it any more
    reinstall  c  options changed: choice, path
    reinstall  d  option changed: text
    ");
}

#[test]
fn why_of_a_part_as_it_was_says_so() {
    let bench = Bench::with(PROFILE);
    bench.succeed("");

    assert_eq!(bench.succeed("why c"), "[c] is as it was: it would only be looked after.\n");
}

#[test]
fn graphs_show_parts_and_profiles() {
    let bench = Bench::with(&PROFILE.replace("[buildout]", "[buildout]\nextends = base/x.cfg"));
    bench.write("base/x.cfg", "[buildout]\nextends = ../more/y.cfg\n");
    bench.write("more/y.cfg", "[buildout]\nextends = ../base/z.cfg\n");
    bench.write("base/z.cfg", "[versions]\n");

    let parts: serde_json::Value = serde_json::from_str(&bench.succeed("graph --format json")).unwrap();
    let profiles = bench.succeed("graph --profiles");

    assert_eq!(parts["edges"], serde_json::json!([{"from": "c", "to": "a"}]));
    insta::assert_snapshot!(profiles, @r#"
    digraph {
      rankdir = LR;
      node [shape = box, fontname = "sans-serif"];
      n0 [label = "buildout.cfg"];
      n1 [label = "base/x.cfg"];
      n2 [label = "more/y.cfg"];
      n3 [label = "base/z.cfg"];
      n0 -> n1;
      n1 -> n2;
      n2 -> n3;
    }
    "#);
    assert!(bench.succeed("graph --format svg").starts_with("<svg "));
}

#[test]
fn the_other_dialect_has_no_such_commands() {
    for command in ["plan", "why", "graph"] {
        let error = CommandLine::parse(["--dialect", "upstream", command]).unwrap_err();

        assert_eq!(error.to_string(), format!("invalid command: {command}"));
    }
}

#[test]
fn options_and_their_histories_are_documents_for_programs() {
    let bench = Bench::with("[buildout]\nextends = base.cfg\nparts =\n[a]\nx += two\n");
    bench.write("base.cfg", "[a]\nx = one\n");

    let annotated: serde_json::Value =
        serde_json::from_str(&bench.succeed("annotate a --output json").replace("/dir/", "")).unwrap();
    let queried: serde_json::Value = serde_json::from_str(&bench.succeed("query --output=json a:x")).unwrap();

    let step = |operation: &str, value: &str, file: &str, line: u32| serde_json::json!({"operation": operation, "value": value, "origin": "profile", "file": file, "line": line});
    let steps = [step("set", "one", "base.cfg", 2), step("add", "two", "buildout.cfg", 5)];
    assert_eq!(
        annotated,
        serde_json::json!([{"section": "a", "options": [{"option": "x", "value": "one\ntwo", "steps": steps}]}])
    );
    assert_eq!(queried, serde_json::json!({"section": "a", "option": "x", "value": "one\ntwo"}));
    assert!(bench.fail("annotate --outptu json").contains("Invalid option --outptu"));
}
