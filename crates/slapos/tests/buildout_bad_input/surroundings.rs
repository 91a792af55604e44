//! What lies around a build: pipes in the place of files, limits of the process, readers that go away.

use super::*;

/// Runs commands of the shell in the directory of a trial, `$SLAPOS` being the program.
fn shell(trial: &Trial, script: &str) -> (Option<i32>, String) {
    let finished = Program::new("/bin/sh")
        .args(["-c", script])
        .env("PATH", "/usr/bin:/bin")
        .env("SLAPOS", env!("CARGO_BIN_EXE_slapos"))
        .env("SLAPOS_ALLOW_ROOT", "1")
        .directory(trial.scratch.path())
        .run(Some(LIMIT), &mut |_| {})
        .unwrap();
    assert!(!finished.timed_out, "{}", finished.text());
    (finished.status.code(), finished.text())
}

#[test]
fn pipes_that_nobody_writes_to_are_refused() {
    let trial = Trial::new();
    assert_eq!(shell(&trial, "mkfifo pipe").0, Some(0));

    for profile in [
        extends("pipe"),
        with_part("", "[other]\nrecipe = slapos.recipe.build:download\nurl = ${buildout:directory}/pipe\n"),
        with_part("installed = pipe", "[other]\n"),
    ] {
        let told = trial.refusal(profile);
        assert!(told.contains("it is a pipe or a device, not a file"), "{told}");
    }
    assert!(shell(&trial, "$SLAPOS lint pipe").1.contains("it is a pipe or a device, not a file"));
}

#[test]
fn a_profile_may_come_through_a_descriptor() {
    let trial = Trial::new();

    let (code, text) =
        shell(&trial, "printf '[buildout]\\nparts =\\nx = 1\\n' | $SLAPOS buildout -c /dev/stdin query x");

    assert_eq!((code, text.lines().last()), (Some(0), Some("1")), "{text}");
}

#[test]
fn a_file_larger_than_the_process_may_write_is_an_error_like_any_other() {
    let mut trial = Trial::new();
    trial.before = "ulimit -f 0".to_owned();
    trial.write("buildout.cfg", GOOD.replace("good", "better"));

    let (code, text) = trial.run(&[]);

    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("File too large"), "{text}");
    trial.before = "true".to_owned();
    trial.goes_on();
}

#[test]
fn options_that_are_too_long_together_are_refused() {
    let options: String = (0..100).map(|number| format!("x{number} = ${{:long}}\n")).collect();
    let trial = Trial::new();

    let told = trial.refusal(format!("{GOOD}long = {}\n{options}", "y".repeat(8 << 20)));

    assert!(told.contains("all options together become longer than 256 MiB"), "{told}");
    assert!(told.contains("of section [app]"), "{told}");
}

#[test]
fn a_reader_that_goes_away_ends_nothing_badly() {
    let trial = Trial::new();

    let (_, text) =
        shell(&trial, "$SLAPOS buildout -c good.cfg annotate | head -n 2; $SLAPOS buildout -x 2>&-");

    assert_eq!(text.trim(), "Annotated sections");
}

#[test]
fn a_directory_that_is_gone_is_no_other_directory() {
    let trial = Trial::new();

    let (code, text) = shell(&trial, "mkdir gone && cd gone && rmdir ../gone && $SLAPOS buildout");

    assert_eq!(code, Some(1));
    assert!(text.contains("Couldn't open /proc/self/cwd/buildout.cfg"), "{text}");
}

#[test]
fn wrong_words_are_told_in_the_classic_form_first() {
    let trial = Trial::new();

    let (code, text) = shell(&trial, "$SLAPOS buildout bogus; $SLAPOS buildout --dialect upstream bogus");

    assert_eq!(code, Some(1));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        (lines.first(), lines.last()),
        (Some(&"Error: invalid command: bogus"), Some(&"Error: invalid command: bogus"))
    );
}
