//! `plan`, `why` and `graph`: what they say, and that they change nothing.

use super::*;

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
