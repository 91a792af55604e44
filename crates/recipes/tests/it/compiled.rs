//! Programs made from their sources: `slapos.recipe.cmmi`.

use std::time::{Duration, Instant};

use fs_err as fs;
use host::process::Program;
use insta::assert_snapshot;

use crate::trial::Trial;

const CONFIGURE: &str = "#!/bin/sh
echo \"configure $*\"
for word in \"$@\"; do case $word in --prefix=*) prefix=${word#--prefix=} ;; esac; done
echo \"prefix ?= $prefix\" > config.mk
env | grep -E '^(CFLAGS|GREETING|PERCENT|SEEN)=' | sort > variables
";
const MAKEFILE: &str = "-include config.mk
all: hello
hello: hello.c
\t$(CC) $(CFLAGS) -o hello hello.c
install: hello
\tmkdir -p $(prefix)/bin $(prefix)/share
\tcp hello $(prefix)/bin/
\tcp variables $(prefix)/share/
";
const SOURCE: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

/// An archive with a program.
fn archive(top: &str, makefile: &str) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    for (name, mode, content) in
        [("configure", 0o755, CONFIGURE), ("Makefile", 0o644, makefile), ("hello.c", 0o644, SOURCE)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        archive.append_data(&mut header, format!("{top}{name}"), content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A build of the part `hello` with these options.
fn hello(options: &str) -> Trial {
    profile(&format!("[buildout]\nparts = hello\n[hello]\nrecipe = slapos.recipe.cmmi\n{options}\n"))
}

/// A build of a profile with its archive in `source`.
fn profile(text: &str) -> Trial {
    let trial = Trial::with_profile(text);
    trial.write("source/hello.tar.gz", archive("hello-1.0/", MAKEFILE));
    trial
}

const URL: &str = "url = source/hello.tar.gz";

fn said(trial: &Trial, wanted: &str) -> bool {
    trial.log().iter().any(|line| line == wanted)
}

fn wait_for(trial: &Trial, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !trial.path(name).exists() {
        assert!(Instant::now() < deadline, "{name} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_program_is_configured_made_and_installed() {
    let trial = hello(URL);

    trial.built();

    let done = Program::new(trial.path("parts/hello/bin/hello")).run(None, &mut |_| {}).unwrap();
    assert_eq!(done.text(), "hello\n");
    assert!(!trial.path("parts/hello/.build").exists());
    let record = trial.read(".installed.cfg").replace(trial.root().as_str(), "DIRECTORY");
    assert_snapshot!(record, @r"
    [buildout]
    installed_develop_eggs = 
    parts = hello

    [hello]
    __buildout_installed__ = DIRECTORY/parts/hello
    __buildout_signature__ = native:slapos.recipe.cmmi-1
    compile-directory = DIRECTORY/parts/hello/.build
    location = DIRECTORY/parts/hello
    prefix = DIRECTORY/parts/hello
    recipe = slapos.recipe.cmmi
    url = source/hello.tar.gz
    ");
}

#[test]
fn a_second_build_changes_nothing() {
    let trial = hello(URL);
    trial.built();
    let made = || fs::metadata(trial.path("parts/hello/bin/hello")).unwrap().modified().unwrap();
    let before = made();

    let outcome = trial.built();

    assert_eq!(outcome.updated, ["hello"]);
    assert_eq!(made(), before);
}

#[test]
fn the_steps_come_in_their_order_with_their_texts_expanded() {
    let trial = hello(&format!(
        "{URL}\nlocation = @@LOCATION@@\nshare = @@LOCATION@@/share\nword = two words
configure-options =\n  --with='%(word)s'\n  --share=@@LOCATION@@/share
pre-configure = echo 1 in $PWD\n  echo 2\npre-build = echo 3\npre-install = test -x hello; echo 4
post-install = echo 5 %(compile-directory)s 100%%; cp config.mk %(share)s"
    ));

    trial.built();

    let lines: Vec<String> =
        trial.log().iter().map(|line| line.replace(trial.root().as_str(), "DIRECTORY")).collect();
    let mut lines = lines.iter().map(String::as_str).skip_while(|line| *line != ": Installing hello.");
    let lines: Vec<&str> =
        lines.by_ref().filter(|line| !line.starts_with("cc ") && !line.starts_with("cp ")).collect();
    assert_snapshot!(lines.join("\n"), @r"
    : Installing hello.
    hello: Executing pre-configure
    1 in DIRECTORY/parts/hello/.build/hello-1.0
    2
    configure --prefix=DIRECTORY/parts/hello --with=two words --share=DIRECTORY/parts/hello/share
    hello: Executing pre-build
    3
    hello: Executing pre-install
    4
    mkdir -p DIRECTORY/parts/hello/bin DIRECTORY/parts/hello/share
    hello: Executing post-install
    5 DIRECTORY/parts/hello/.build 100%
    ");
    assert!(trial.path("parts/hello/share/config.mk").is_file());
}

#[test]
fn a_configure_command_of_the_profile_gets_no_prefix_but_make_install_does() {
    let trial = hello(&format!("{URL}\nconfigure-command = touch config.mk variables; :"));

    trial.built();

    assert!(trial.path("parts/hello/bin/hello").is_file());
}

#[test]
fn variables_come_from_lines_or_from_a_section_and_see_those_of_the_build() {
    let lines = hello(&format!(
        "{URL}\nenvironment =\n  SEEN = %(PATH)s\n  PERCENT=100%%\n\n  GREETING = good = day"
    ));
    let section = profile(&format!(
        "[buildout]\nparts = hello\n[hello]\nrecipe = slapos.recipe.cmmi\n{URL}\nenvironment = variables\n\
         [variables]\nSEEN = %(PATH)s\nGREETING = good = day\nPERCENT = 100%%\n"
    ));

    lines.built();
    section.built();

    for trial in [&lines, &section] {
        assert_eq!(
            trial.read("parts/hello/share/variables"),
            "GREETING=good = day\nPERCENT=100%\nSEEN=/usr/bin:/bin\n"
        );
        assert!(said(trial, "hello: [ENV] GREETING = good = day"));
    }
    assert!(section.read(".installed.cfg").contains("native:slapos.recipe.cmmi-1 variables:"));
}

#[test]
fn patches_are_checked_and_applied_before_anything_runs() {
    let patch = "--- a/hello.c\n+++ b/hello.c\n@@ -1,2 +1,2 @@\n #include <stdio.h>\n\
                 -int main(void) { puts(\"hello\"); return 0; }\n+int main(void) { puts(\"patched\"); return 0; }\n";
    let with = |md5: &str| {
        let trial = hello(&format!("{URL}\npatch-options = -p1\npatches =\n  source/a.patch#{md5}"));
        trial.write("source/a.patch", patch);
        trial
    };
    let right = with("PLACE");
    let md5 = Program::new("/usr/bin/md5sum").arg(right.path("source/a.patch").as_str());
    let md5 = md5.run(None, &mut |_| {}).unwrap().text();
    let right = with(&md5[..32]);
    let wrong = with("00000000000000000000000000000000");

    right.built();
    let refused = wrong.refused();

    let done = Program::new(right.path("parts/hello/bin/hello")).run(None, &mut |_| {}).unwrap();
    assert_eq!(done.text(), "patched\n");
    assert!(refused.starts_with("E-download-checksum"), "{refused}");
}

#[test]
fn a_directory_of_sources_is_compiled_in_its_place() {
    let trial = hello("path = ${buildout:directory}/mine");
    for (name, content) in [("configure", CONFIGURE), ("Makefile", MAKEFILE), ("hello.c", SOURCE)] {
        trial.write(&format!("mine/{name}"), content);
    }
    Program::new("/bin/chmod")
        .args(["+x", trial.path("mine/configure").as_str()])
        .run(None, &mut |_| {})
        .unwrap();

    trial.built();

    assert!(trial.path("parts/hello/bin/hello").is_file() && trial.path("mine/hello").is_file());
    assert!(trial.read(".installed.cfg").contains(&format!("compile-directory = {}/mine\n", trial.root())));
}

#[test]
fn archives_without_a_top_directory_and_stripped_ones_are_compiled_at_their_top() {
    let flat = hello(&format!("{URL}\nkeep-compile-dir = true"));
    flat.write("source/hello.tar.gz", archive("", MAKEFILE));
    let stripped = hello(&format!("{URL}\nkeep-compile-dir = true\nstrip-top-level-dir = true"));
    let whole = hello(&format!("{URL}\nkeep-compile-dir = true"));

    flat.built();
    stripped.built();
    whole.built();

    assert!(flat.path("parts/hello/.build/hello").is_file());
    assert!(stripped.path("parts/hello/.build/hello").is_file());
    assert!(whole.path("parts/hello/.build/hello-1.0/hello").is_file());
    assert!(whole.path("parts/hello/.build/hello-1.0/slapos.recipe.build.env.sh").is_file());
}

#[test]
fn what_failed_stays_with_its_environment_and_the_next_build_begins_anew() {
    let trial =
        hello(&format!("{URL}\nenvironment = GREETING=good day\npre-install = echo $GREETING; exit 3"));

    let message = trial.refused();

    assert_snapshot!(message, @r"
    E-recipe-command: `pre-install` of the part ended with exit code 3
      because: the command was: echo $GREETING; exit 3
      hint: sources and everything compiled so far stay in DIRECTORY/parts/hello/.build/hello-1.0
      hint: to try it by hand: cd DIRECTORY/parts/hello/.build/hello-1.0 && . ./slapos.recipe.build.env.sh
      hint: the whole output of the part is in DIRECTORY/.build-log/hello.log
    ");
    assert!(said(&trial, "good day"));
    let directory = trial.path("parts/hello/.build/hello-1.0");
    let script = "cd \"$0\"; . ./slapos.recipe.build.env.sh > /dev/null; echo $GREETING";
    let shell = Program::new("/bin/sh").args(["-c", script, directory.as_str()]);
    assert_eq!(shell.run(None, &mut |_| {}).unwrap().text(), "good day\n");
    assert!(!trial.path(".installed.cfg").exists());
    trial.write("parts/hello/left", "");
    trial.write("buildout.cfg", trial.read("buildout.cfg").replace("; exit 3", ""));

    trial.built();

    assert!(trial.path("parts/hello/bin/hello").is_file());
    assert!(!trial.path("parts/hello/left").exists() && !trial.path("parts/hello/.build").exists());
}

#[test]
fn sources_that_cannot_be_had_leave_nothing() {
    let missing = hello("url = source/other.tar.gz");
    let wrong = hello(&format!("{URL}\nmd5sum = 00000000000000000000000000000000"));

    missing.refused();
    wrong.refused();

    assert!(!missing.path("parts/hello").exists() && !wrong.path("parts/hello").exists());
}

#[test]
fn promises_that_are_not_kept_are_warned_of() {
    let trial = hello(&format!("{URL}\npromises =\n  @@LOCATION@@/bin/hello\n  @@LOCATION@@/bin/other"));

    trial.built();

    let warning = format!("hello: could not find promise '{}/parts/hello/bin/other'", trial.root());
    assert!(said(&trial, &warning) && !trial.log().iter().any(|line| line.contains("bin/hello'")));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let options = [
        "",
        "url = x\npath = x",
        "url = x\nlocation = /usr",
        "url = x\nprefix = /usr\nshared = true",
        "url = x\nenvironment =\n  A=1\n  B",
        "url = x\nenvironment =\n  A=1\n  A=2",
        "url = source/hello.tar.gz\nenvironment = A=%(NONE)s",
        "url = x\npost-install = date +%Y",
        "path = nowhere",
    ];

    let refused: Vec<String> = options.iter().map(|options| hello(options).refused()).collect();

    assert_snapshot!(refused.join("\n"), @r#"
    E-recipe-failed: You must provide either "url" or "path".
      hint: add `url = …` with the address of the sources
    E-recipe-failed: You must use either "url" or "path", not both!
      hint: remove one of them
    E-recipe-failed: invalid 'location' value
      hint: remove the option; the location is DIRECTORY/parts/hello
    E-recipe-failed: When shared=true, 'prefix' can't be outside location
      hint: remove the option; the prefix is then the location
    E-recipe-failed: Line 'B' in environment is incorrect
      hint: write each variable into a line of its own: NAME = VALUE
    E-recipe-failed: Key 'A' is repeated
      hint: join the values into one line
    E-recipe-failed: variable A of the part's environment cannot be expanded
      because: there is no NONE
      hint: %(NAME)s stands for the variable NAME of the build; write %% for a percent sign
    E-recipe-failed: the names in `post-install` cannot be expanded
      because: `date +%Y`: unsupported format character 'Y'
      hint: %(name)s stands for the option `name` of the part; write %% for a percent sign
    E-recipe-failed: DIRECTORY/nowhere is no directory
      hint: `path` is a directory with sources; use `url` for an archive
    "#);
}

#[test]
fn two_programs_are_compiled_at_once_unless_one_reaches_into_the_build() {
    let outside = tempfile::tempdir().unwrap();
    let sources = outside.path().join("hello.tar.gz");
    fs::write(&sources, archive("hello-1.0/", MAKEFILE)).unwrap();
    // Each part waits for the other one, so many fiftieths of a second.
    let two = |pause: u32, other: &str| {
        let meet = format!(
            "for i in `seq {pause}`; do test -e %(location)s/../%(other)s && exit 0; sleep 0.02; done; exit 9"
        );
        profile(&format!(
            "[buildout]\nparts = one two\njobs = 2\n[base]\nrecipe = slapos.recipe.cmmi\nurl = {}\n\
             [one]\n<= base\npre-configure = touch %(location)s/../1; {meet}\nother = 2\n\
             [two]\n<= base\npre-configure = {other}touch %(location)s/../2; {meet}\nother = 1\n",
            sources.display()
        ))
    };

    two(3000, "").built();
    let refused = two(20, "test -d ${buildout:bin-directory}; ").refused();

    assert!(refused.contains("`pre-configure` of the part ended with exit code 9"), "{refused}");
}

#[test]
fn makes_of_parts_share_the_jobs_of_the_build() {
    let makefile = "all: a b\na b:\n\ttouch ../../../$@; for i in `seq 3000`; do test -e ../../../a -a -e ../../../b && exit 0; \
                    sleep 0.02; done; exit 9\ninstall:\n\techo $(MAKEFLAGS)\n";
    let trial = hello(&format!("{URL}\nconfigure-command = :"));
    trial.write("source/hello.tar.gz", archive("hello-1.0/", makefile));
    let text = trial.read("buildout.cfg").replace("parts = hello", "parts = hello\njobs = 2");
    trial.write("buildout.cfg", text);

    trial.built();

    assert!(!trial.log().iter().any(|line| line.contains("jobserver unavailable")), "{:?}", trial.log());
}

#[test]
fn a_build_that_is_killed_while_it_makes_a_part_again_leaves_no_word_of_the_part() {
    let trial = std::sync::Arc::new(hello(URL));
    trial.built();
    // The part goes, and its place is taken by a half-made one.
    fs::remove_dir_all(trial.path("parts/hello")).unwrap();
    let slow = archive(
        "hello-1.0/",
        "all:\n\ttouch ../../../../making; until test -e ../../../../go; do sleep 0.02; done\ninstall:\n",
    );
    trial.write("source/hello.tar.gz", slow);
    let building = {
        let trial = std::sync::Arc::clone(&trial);
        std::thread::spawn(move || drop(trial.build()))
    };

    wait_for(&trial, "making");

    let is_recorded = trial.path(".installed.cfg").exists();
    trial.write("go", "");
    building.join().unwrap();
    assert!(!is_recorded);
}

#[test]
fn a_part_with_a_hook_in_python_is_left_to_the_recipe_in_python() {
    let with_hook = hello(&format!("{URL}\npost-make-hook = hooks.py:hook"));
    let blank = hello(&format!("{URL}\npost-make-hook ="));

    assert!(with_hook.refused().starts_with("E-recipe-missing"), "{}", with_hook.refused());
    blank.built();
}

mod shared {
    use super::*;

    fn sharing(root: &std::path::Path, options: &str) -> Trial {
        let trial = hello(&format!("url = {}/hello.tar.gz\nshared = true\n{options}", root.display()));
        fs::write(root.join("hello.tar.gz"), archive("hello-1.0/", MAKEFILE)).unwrap();
        let root = format!("parts = hello\nshared-part-list = {}", root.display());
        trial.write("buildout.cfg", trial.read("buildout.cfg").replace("parts = hello", &root));
        trial
    }

    fn places(root: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(root.join("hello")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    }

    #[test]
    fn a_shared_program_is_made_once_and_belongs_to_nobody() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (sharing(root.path(), ""), sharing(root.path(), ""));

        one.built();
        two.built();

        let places = places(root.path());
        assert_eq!(places.len(), 1, "{places:?}");
        assert!(places[0].join("bin/hello").is_file() && !places[0].join(".build").exists());
        assert!(fs::read_to_string(places[0].join(".buildout-shared.json")).unwrap().contains("\"recipe\""));
        assert!(said(&two, "hello: shared part is already installed"));
        assert!(one.read(".installed.cfg").contains("__buildout_installed__ = \n"));
        assert!(!one.path("parts/hello").exists());
    }

    #[test]
    fn a_shared_program_that_vanished_is_made_again() {
        let root = tempfile::tempdir().unwrap();
        let trial = sharing(root.path(), "");
        trial.built();
        host::files::remove_tree(camino::Utf8Path::from_path(&places(root.path())[0]).unwrap()).unwrap();

        let outcome = trial.built();

        assert_eq!(outcome.updated, ["hello"]);
        assert!(said(&trial, "hello: shared part must be rebuilt"));
        assert!(places(root.path())[0].join("bin/hello").is_file());
    }

    #[test]
    fn what_failed_stays_without_being_taken_for_a_part() {
        let root = tempfile::tempdir().unwrap();
        let trial = sharing(root.path(), "post-install = test -e $HELP_IS_THERE; test -n \"$HELP_IS_THERE\"");

        trial.refused();

        let place = places(root.path()).remove(0);
        assert!(place.join("bin/hello").is_file() && !place.join(".buildout-shared.json").exists());
        assert!(place.join(".build/hello-1.0/slapos.recipe.build.env.sh").is_file());

        trial.build_in(&[("HELP_IS_THERE", "/")]).unwrap();

        assert!(place.join(".buildout-shared.json").is_file() && !place.join(".build").exists());
    }
}
