//! What is told of profiles as files: that are not there, extend themselves, or hold something else.

use super::*;

#[test]
fn a_line_that_is_no_profile_language() {
    insta::assert_snapshot!(message("[buildout]\nparts =\napp\n"), @r"
    While:
      Initializing.
    Error: File contains parsing errors: /dir/buildout.cfg
    	[line  3]: 'app\n'
    error: this line is neither an option, a section nor a continuation
      ╭▸ /dir/buildout.cfg:3:1
      │
    3 │ app
      ╰╴━━━
    hint: a value that goes on must be indented: put at least one blank before “app”
    E-profile-syntax
    ");
}

#[test]
fn nothing_before_the_first_section() {
    insta::assert_snapshot!(message("# comment\nparts = a\n"), @r"
    While:
      Initializing.
    Error: File contains no section headers.
    file: /dir/buildout.cfg, line: 2
    'parts = a\n'
    error: the profile does not start with a section
      ╭▸ /dir/buildout.cfg:2:1
      │
    2 │ parts = a
      ╰╴━━━━━━━━━
    hint: begin the profile with `[buildout]`
    E-profile-syntax
    ");
}

#[test]
fn a_profile_that_cannot_be_read() {
    let bench = Bench::with("[buildout]\nextends =\n  base.cfg\n");
    bench.write("base.cfg", "[buildout]\nextends = sub/missing.cfg\n");

    insta::assert_snapshot!(bench.fail(""), @r"
    While:
      Initializing.
    Error: cannot read the profile /dir/sub/missing.cfg: failed to open file `/dir/sub/missing.cfg`: No such file or directory (os error 2)
    error: cannot read the profile /dir/sub/missing.cfg
      because: the way there: /dir/buildout.cfg → /dir/base.cfg
      because: failed to open file `/dir/sub/missing.cfg`: No such file or directory (os error 2)
      ╭▸ /dir/base.cfg:2:11
      │
    2 │ extends = sub/missing.cfg
      ╰╴          ━━━━━━━━━━━━━━━ extended here
    hint: paths in `extends` start from the directory of the profile that has it
    E-profile-extends-missing
    ");
}

#[test]
fn a_profile_that_extends_itself() {
    let bench = Bench::with("[buildout]\nextends = base.cfg\n");
    bench.write("base.cfg", "[buildout]\nextends = ./buildout.cfg\n");

    insta::assert_snapshot!(bench.fail(""), @r"
    While:
      Initializing.
    Error: Recursive file include ['/dir/buildout.cfg', '/dir/base.cfg'] /dir/buildout.cfg
    error: the profile /dir/buildout.cfg extends itself
      because: the way: /dir/buildout.cfg → /dir/base.cfg → /dir/buildout.cfg
      ╭▸ /dir/base.cfg:2:11
      │
    2 │ extends = ./buildout.cfg
      ╰╴          ━━━━━━━━━━━━━━ extended here
    hint: remove one of the `extends` on the way: /dir/buildout.cfg → /dir/base.cfg
    E-profile-extends-loop
    ");
}

#[test]
fn a_profile_whose_name_is_nearly_right() {
    let bench = Bench::with("[buildout]\nextends = bsae.cfg\n");
    bench.write("base.cfg", "");

    assert!(bench.fail("").contains("hint: did you mean base.cfg?\n"));
    assert!(bench.fail("-c buildou.cfg").contains("hint: did you mean -c buildout.cfg?\n"));
}

#[test]
fn no_profile_at_all() {
    insta::assert_snapshot!(Bench::new().fail(""), @r"
    While:
      Initializing.
    Error: Couldn't open /dir/buildout.cfg
    error: the profile /dir/buildout.cfg does not exist
    hint: name the profile with -c, or write a first one with `buildout init`
    E-profile-missing
    ");
}

#[test]
fn a_large_file_of_garbage_is_reported_with_its_first_lines() {
    let garbage = format!("[buildout]\n{}", "\u{0}\u{1}what is this?\n".repeat(200_000));

    let message = message(&garbage);

    assert!(message.ends_with("E-profile-syntax\n"));
    assert_eq!(message.matches("buildout.cfg:").count(), 5);
}

#[test]
fn a_header_without_its_end_and_a_changed_local_file_have_their_own_hints() {
    assert!(message("[buildout\nparts =\n").contains("hint: begin the profile with `[buildout]`"));
    assert!(message("[buildout]\nparts =\n[a\n").contains("hint: close the name of the section with `]`"));

    let bench = Bench::with(&format!(
        "[buildout]\nparts = a\n[a]\nrecipe = test:fetch\nurl = file\nmd5sum = {}\n",
        "0".repeat(32)
    ));
    bench.write("file", "hello");
    let told = bench.fail("");
    assert!(told.contains("hint: if the file was changed on purpose, write 5d41402a"), "{told}");
    assert!(!told.contains("browser"), "{told}");
}

#[test]
fn the_checksum_that_is_wrong_is_shown_wherever_it_is_said() {
    let (ones, twos) = ("1".repeat(32), "2".repeat(32));
    let start = "[buildout]\nparts = a\n[a]\nrecipe = test:fetch\nurl = file\n";
    let bench = Bench::with(&format!("{start}md5sum = {ones}\n"));
    bench.write("file", "hello");

    let told = bench.fail(&format!("a:md5sum={twos}"));
    assert!(told.contains("recipe = test:fetch\n") && !told.contains(&ones), "{told}");

    bench.write("buildout.cfg", &format!("{start}patches = x#{ones}\nmd5sum = ${{:sum}}\nsum = {twos}\n"));
    let told = bench.fail("");
    assert!(told.contains(&format!("│ sum = {twos}\n")), "{told}");
    assert!(!told.contains(&ones), "{told}");
}
