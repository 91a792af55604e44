//! The messages that authors of profiles see.

mod files;

use std::fmt::Write as _;

use super::*;
use crate::download::tests::{Server, ok};

fn message(profile: &str) -> String {
    Bench::with(profile).fail("")
}

#[test]
fn an_unknown_option() {
    insta::assert_snapshot!(message(
        "[buildout]\nparts = wrapper\n\n[app]\nbin = x\nport-number = 1\nprot = 2\n\n[wrapper]\nrecipe = test\n\
         command-line =\n  ${app:bin}\n  --port ${app:port}\n",
    ), @r"
    While:
      Installing.
      Getting section wrapper.
      Initializing section wrapper.
      Getting option wrapper:command-line.
    Error: Referenced option does not exist: app port
    error: `${app:port}` in section [wrapper] refers to an option that does not exist
       ╭▸ /dir/buildout.cfg:13:10
       │
    13 │   --port ${app:port}
       ╰╴         ━━━━━━━━━━━ [app] has: bin, port-number, prot
    hint: did you mean ${app:prot}?
    E-profile-unknown-option
    ");
}

#[test]
fn a_location_that_is_not_there_yet() {
    let told = message("[buildout]\nparts = a\n[a]\nrecipe = test\nx = ${:location}/bin\n");

    assert!(told.contains("[a] has: recipe, x"), "{told}");
    assert!(told.contains("hint: recipes set `location` after the options of their own section"), "{told}");
}

#[test]
fn a_location_that_waits_for_what_refers_to_it() {
    let told = message(
        "[buildout]\nparts = a\n[a]\nrecipe = test:file\npath = a\nneeds = ${b:x}\n[b]\nx = ${c:x}\n\
         [c]\nx = ${a:location}/bin\n",
    );

    assert!(
        told.contains(
            "hint: if `location` is what the recipe of [a] sets: [a] is not ready before [b], [c] are, and these \
             refer to it: change one of the references\n"
        ),
        "{told}"
    );
}

#[test]
fn an_unknown_section_that_an_option_names_is_shown_there_and_not_in_a_longer_name() {
    let told = message("[buildout]\nparts = webs\n[webs]\nrecipe = test\n<part-dependencies> = web\n");

    assert!(told.contains("5 │ <part-dependencies> = web\n"), "{told}");
    assert!(!told.contains("parts = webs"), "{told}");
}

#[test]
fn an_unknown_section() {
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[a]\nrecipe = test\nx = ${bulidout:directory}\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Getting option a:x.
      Getting section bulidout.
    Error: The referenced section, 'bulidout', was not defined.
    error: `${bulidout:directory}` in section [a]: section [bulidout] does not exist
      ╭▸ /dir/buildout.cfg:5:5
      │
    5 │ x = ${bulidout:directory}
      ╰╴    ━━━━━━━━━━━━━━━━━━━━━ there is no [bulidout]
    hint: did you mean [buildout]?
    E-profile-unknown-section
    ");
}

#[test]
fn an_unknown_part() {
    insta::assert_snapshot!(message("[buildout]\nparts =\n  app\n  wrapepr\n[app]\nrecipe = test\n[wrapper]\nrecipe = test\n"), @r"
    While:
      Installing.
      Getting section wrapepr.
    Error: The referenced section, 'wrapepr', was not defined.
    error: section [wrapepr] does not exist
      ╭▸ /dir/buildout.cfg:4:3
      │
    4 │   wrapepr
      ╰╴  ━━━━━━━ there is no [wrapepr]
    hint: did you mean [wrapper]?
    E-profile-unknown-section
    ");
}

#[test]
fn the_sections_that_were_at_work_are_shown_on_demand() {
    let bench = Bench::with(
        "[buildout]\nparts = a\n[m]\nmode = 644\n[a]\n<= m\nrecipe = test:file\npath = x\nsecret = s\n\
         text = ${:path} ${:_buildout_section_name_}\n  more\nreads = b\n[b]\nrecipe = test:none\n",
    );

    let error = bench.run("-D").result.unwrap_err();

    insta::assert_snapshot!(error.post_mortem().unwrap().replace(bench.root.as_str(), "/dir"), @r"
    How it came about, the innermost section first:

    [b]
      recipe = test:none
          /dir/buildout.cfg:14

    [a]
      mode = 644
          a macro
      path = x
          /dir/buildout.cfg:8
      reads = b
          /dir/buildout.cfg:12
      recipe = test:file
          /dir/buildout.cfg:7
      secret is hidden
      text = ${:path} ${:_buildout_section_name_}
            more
          /dir/buildout.cfg:10
          → x a
            more
      location = /dir/x
          set by the recipe
    ");
}

#[test]
fn a_circle_of_references() {
    insta::assert_snapshot!(message(
        "[buildout]\nparts = a\n[a]\nrecipe = test\nx = ${b:y}\n[b]\ny = ${a:x}\n",
    ), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Getting option a:x.
      Getting section b.
      Initializing section b.
      Getting option b:y.
      Getting option a:x.
      Getting option b:y.
    Error: Circular reference in substitutions.

    error: the option y of section [b] refers to itself
      because: the way: ${b:y} → ${a:x} → ${b:y}
      ╭▸ /dir/buildout.cfg:5:5
      │
    5 │ x = ${b:y}
      ╰╴    ━━━━━━ the circle closes here
    hint: give one of these options a value of its own
    E-profile-circular
    ");
}

#[test]
fn a_recipe_that_does_not_exist() {
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[a]\nrecipe = test:flie\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Installing recipe test.
    Error: recipe `test:flie` of [a] does not exist here
    error: recipe `test:flie` of [a] does not exist here
      ╭▸ /dir/buildout.cfg:4:1
      │
    4 │ recipe = test:flie
      ╰╴━━━━━━━━━━━━━━━━━━ no such recipe
    hint: did you mean test:file?
    hint: recipes written in Python are not available in this build
    E-recipe-missing
    ");
}

#[test]
fn a_recipe_that_refuses() {
    insta::assert_snapshot!(message(
        "[buildout]\nparts = a\n[a]\nrecipe = test:file\npath = x\nfail = install\n",
    ), @r"
    While:
      Installing a.
    Error: the part refuses
    error: the part refuses
      ╭▸ /dir/buildout.cfg:6:1
      │
    6 │ fail = install
      ╰╴━━━━━━━━━━━━━━
    hint: set `fail = no`
    E-recipe-failed
    ");
}

#[test]
fn an_option_that_a_recipe_needs() {
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[a]\nrecipe = test:file\npaht = x\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
    Error: Missing option: a:path
    error: section [a] has no option `path`
      ╭▸ /dir/buildout.cfg:5:1
      │
    5 │ paht = x
      ╰╴━━━━━━━━ is this `path`?
    hint: did you mean `path` instead of `paht`?
    hint: add `path = …` to [a]
    E-profile-missing-option
    ");
}

#[test]
fn options_that_refer_to_a_wrong_one() {
    let bench = Bench::with(
        "[buildout]\nparts = a\n[a]\nrecipe = test\nx = ${b:y}\n[b]\ny = ${c:z}\n[c]\nz = ${d:nothing}\n[d]\n",
    );

    let text = bench.fail("");

    assert!(text.contains("because: while expanding ${a:x} → ${b:y} → ${c:z}\n"), "{text}");
    assert!(text.contains("/dir/buildout.cfg:9:5"), "{text}");
}

#[test]
fn references_that_are_none() {
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[a]\nrecipe = test\nx = ${home}\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Getting option a:x.
    Error: The substitution, ${home},
    doesn't contain a colon.
    error: `${home}` in section [a] is no reference to an option
      ╭▸ /dir/buildout.cfg:5:5
      │
    5 │ x = ${home}
      ╰╴    ━━━━━━━ a colon is missing: ${section:option}, or ${:option} for this section
    hint: write $${ where the text itself is meant
    E-profile-substitution
    ");
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[a]\nrecipe = test\nx = ${a:b:c}\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Getting option a:x.
    Error: The substitution, ${a:b:c},
    has too many colons.
    error: `${a:b:c}` in section [a] is no reference to an option
      ╭▸ /dir/buildout.cfg:5:5
      │
    5 │ x = ${a:b:c}
      ╰╴    ━━━━━━━━ there is more than one colon
    hint: write $${ where the text itself is meant
    E-profile-substitution
    ");
}

#[test]
fn macros_that_do_not_exist_or_never_end() {
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[base]\nx = 1\n[a]\n<= bsae\nrecipe = test\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Loading input sections for 'a'
    Error: No section named 'bsae'
    error: section [a] takes its options from [bsae], which does not exist
      ╭▸ /dir/buildout.cfg:6:4
      │
    6 │ <= bsae
      ╰╴   ━━━━ there is no such section
    hint: did you mean [base]?
    E-profile-unknown-macro
    ");
    insta::assert_snapshot!(message("[buildout]\nparts = a\n[a]\n<= b\nrecipe = test\n[b]\n<= a\n"), @r"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Loading input sections for 'a'
      Loading input sections for 'b'
    Error: Infinite extending loop 'a'
    error: section [a] takes its options from itself
      ╭▸ /dir/buildout.cfg:4:1
      │
    4 │ <= b
      ╰╴━━━━
    hint: remove one of the `<` options on the way around
    E-profile-macro-loop
    ");
}

#[test]
fn a_value_that_is_neither_true_nor_false() {
    insta::assert_snapshot!(message("[buildout]\nparts =\nnewest = maybe\n"), @r"
    While:
      Initializing.
    Error: Invalid value for 'newest' option: 'maybe'
    error: `maybe` is no value for the option newest of [buildout]
      ╭▸ /dir/buildout.cfg:3:1
      │
    3 │ newest = maybe
      ╰╴━━━━━━━━━━━━━━ true or false is expected
    hint: write true or false
    E-profile-value
    ");
}

#[test]
fn a_profile_without_parts() {
    insta::assert_snapshot!(message("[buildout]\nprats = a\n"), @r"
    While:
      Installing.
    Error: Missing option: buildout:parts
    error: section [buildout] has no option `parts`
      ╭▸ /dir/buildout.cfg:2:1
      │
    2 │ prats = a
      ╰╴━━━━━━━━━ is this `parts`?
    hint: did you mean `parts` instead of `prats`?
    hint: add `parts = …` to [buildout]
    E-profile-missing-option
    ");
}

#[test]
fn a_directory_that_cannot_be_made() {
    insta::assert_snapshot!(message("[buildout]\nparts =\nparts-directory = /proc/nowhere\n"), @r"
    While:
      Installing.
    Error: cannot make the directory /proc/nowhere: failed to create directory `/proc/nowhere`: No such file or directory (os error 2)
    error: cannot make the directory /proc/nowhere
      because: failed to create directory `/proc/nowhere`: No such file or directory (os error 2)
    hint: check the path, then run the same command again: it goes on where it stopped
    E-file
    ");
}

#[test]
fn modes_that_exclude_each_other() {
    insta::assert_snapshot!(message("[buildout]\nparts =\noffline = true\ninstall-from-cache = true\n"), @r"
    While:
      Initializing.
    Error: install-from-cache can't be used with offline mode.
    Nothing is installed, even from cache, in offline
    mode, which might better be called 'no-install mode'.

    error: install-from-cache can't be used with offline mode.
    Nothing is installed, even from cache, in offline
    mode, which might better be called 'no-install mode'.
    hint: set only one of `offline` and `install-from-cache` to true
    E-profile-value
    ");
}

#[test]
fn an_extension_that_does_not_exist() {
    insta::assert_snapshot!(message("[buildout]\nparts =\nextensions = slapos.rebootstrap mr.developer\n"), @r"
    While:
      Installing.
      Loading extensions.
    Error: the extension mr.developer does not exist here
    error: the extension mr.developer does not exist here
    hint: remove it from `extensions` in [buildout]
    E-extension-missing
    ");
}

#[test]
fn a_download_that_is_not_what_the_profile_expects() {
    let server = Server::new(&[("/app.tar.gz", &ok("<html>moved</html>"))]);
    let profile = format!(
        "[buildout]\nparts = app\n[app]\nrecipe = test:fetch\nurl = {}\nmd5sum = {}\n",
        server.url("/app.tar.gz"),
        "0".repeat(32)
    );

    insta::assert_snapshot!(message(&profile).replace(&server.url(""), "http://server"), @r"
    While:
      Installing app.
    Error: MD5 checksum mismatch downloading 'http://server/app.tar.gz'
    error: the downloaded file is not the one the profile expects
      because: md5 of http://server/app.tar.gz is 5473e78119838cb7980c607075888ce4, the profile says 00000000000000000000000000000000
      because: the server sent text/plain, 18 bytes
      ╭▸ /dir/buildout.cfg:6:1
      │
    6 │ md5sum = 00000000000000000000000000000000
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    hint: the address probably moved; open it in a browser and correct `url`
    hint: if the file changed on purpose, write 5473e78119838cb7980c607075888ce4 in the place of 00000000000000000000000000000000
    E-download-checksum
    ");
}

#[test]
fn a_condition_that_cannot_be_decided() {
    insta::assert_snapshot!(message("[buildout]\nparts =\n[a : nonsense('x', '')]\n"), @r"
    While:
      Initializing.
    Error: the condition of section [a] cannot be decided: `nonsense` is not among the names that conditions know
    error: the condition of section [a] cannot be decided
      because: `nonsense` is not among the names that conditions know
      ╭▸ /dir/buildout.cfg:3:1
      │
    3 │ [a : nonsense('x', '')]
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━ decided here
    hint: conditions know python3, linux, sys.version_info, platform.machine() and the like
    E-profile-condition
    ");
}

#[test]
fn endless_references_end() {
    let mut profile = String::from("[buildout]\nparts = s0\n");
    for number in 0..20_000 {
        let _ = write!(profile, "[s{number}]\nrecipe = test\nx = ${{s{}:x}}\n", number + 1);
    }

    assert_eq!(Bench::with(&profile).run("").result.unwrap_err().code(), "E-profile-too-deep");
}
