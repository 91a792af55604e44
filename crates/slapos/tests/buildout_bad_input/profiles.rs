//! Profiles that are none, or that never end.

use super::*;

#[test]
fn profiles_that_extend_one_another_are_named() {
    let trial = Trial::new();
    trial.write("a.cfg", "[buildout]\nextends = b.cfg\n");
    trial.write("b.cfg", "[buildout]\nextends = a.cfg\n");

    insta::assert_snapshot!(trial.refusal("[buildout]\nextends = a.cfg\n"), @"
    While:
      Initializing.
    Error: Recursive file include ['DIRECTORY/buildout.cfg', 'DIRECTORY/a.cfg', 'DIRECTORY/b.cfg'] DIRECTORY/a.cfg
    error: the profile DIRECTORY/a.cfg extends itself
      because: the way: DIRECTORY/buildout.cfg → DIRECTORY/a.cfg → DIRECTORY/b.cfg → DIRECTORY/a.cfg
      ╭▸ DIRECTORY/b.cfg:2:11
      │
    2 │ extends = a.cfg
      ╰╴          ━━━━━ extended here
    hint: remove one of the `extends` on the way: DIRECTORY/buildout.cfg → DIRECTORY/a.cfg → DIRECTORY/b.cfg
    E-profile-extends-loop
    ");
}

#[test]
fn options_that_refer_to_one_another_are_named() {
    let trial = Trial::new();

    let told = trial.refusal("[buildout]\nparts = a\n[a]\nrecipe = x\ny = ${b:y}\n[b]\ny = ${a:y}\n");

    insta::assert_snapshot!(told, @"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Getting option a:y.
      Getting section b.
      Initializing section b.
      Getting option b:y.
      Getting option a:y.
      Getting option b:y.
    Error: Circular reference in substitutions.

    error: the option y of section [b] refers to itself
      because: the way: ${b:y} → ${a:y} → ${b:y}
      ╭▸ DIRECTORY/buildout.cfg:5:5
      │
    5 │ y = ${b:y}
      ╰╴    ━━━━━━ the circle closes here
    hint: give one of these options a value of its own
    E-profile-circular
    ");
}

#[test]
fn a_tower_of_diamonds_is_read_once_in_each_dialect() {
    const LEVELS: usize = 18;
    let trial = Trial::new();
    for level in 0..LEVELS {
        for side in ["a", "b"] {
            let next = level + 1;
            let extends = format!("[buildout]\nextends = a{next}.cfg b{next}.cfg\nlevels += {side}{level}\n");
            trial.write(&format!("{side}{level}.cfg"), extends);
        }
    }
    for side in ["a", "b"] {
        trial.write(&format!("{side}{LEVELS}.cfg"), "[buildout]\nparts =\n");
    }
    trial.write("buildout.cfg", "[buildout]\nextends = a0.cfg b0.cfg\n");

    for dialect in ["slapos", "upstream"] {
        let (code, text) = trial.run(&["--dialect", dialect, "annotate", "buildout"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("a17"), "{text}");
    }
}

#[test]
fn ten_megabytes_of_garbage_are_told_in_a_few_lines() {
    let trial = Trial::new();
    let garbage = |letters: &[u8]| -> String {
        let mut state = 1_u32;
        let mut letter = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(letters[(state >> 24) as usize % letters.len()])
        };
        std::iter::repeat_with(&mut letter).take(10_000_000).collect()
    };

    for letters in [b" \nab]=[${}:<+-#;%".as_slice(), b" \nab]=${}:<+-#;%", b"\nx"] {
        let told = trial.refusal(format!("[buildout]\nparts = app\n{}", garbage(letters)));
        assert!(told.contains("E-profile-"), "{told}");
        assert!(told.len() < 10_000, "{}", told.len());
    }
}

#[test]
fn null_characters_are_shown() {
    let trial = Trial::new();

    insta::assert_snapshot!(trial.refusal("[buildout]\nparts = app\n[app\0]\nrecipe = x\n"), @"
    While:
      Installing.
      Getting section app.
    Error: The referenced section, 'app', was not defined.
    error: section [app] does not exist
      ╭▸ DIRECTORY/buildout.cfg:2:9
      │
    2 │ parts = app
      ╰╴        ━━━ there is no [app]
    hint: did you mean [app␀]?
    E-profile-unknown-section
    ");
    let other = "[other]\nrecipe = slapos.recipe.template\noutput = a\0b\ninline = x\n";
    insta::assert_snapshot!(trial.refusal(with_part("", other)), @"
    Updating app.
    Installing other.
    While:
      Installing other.
    Error: cannot write DIRECTORY/a␀b: failed to open file `DIRECTORY/a␀b`: file name contained an unexpected NUL byte
    error: cannot write DIRECTORY/a␀b
      because: failed to open file `DIRECTORY/a␀b`: file name contained an unexpected NUL byte
      ╭▸ DIRECTORY/buildout.cfg:9:1
      │
    9 │ recipe = slapos.recipe.template
      ╰╴━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ this part
    hint: look at what is at DIRECTORY/a␀b
    E-file
    ");
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let trial = Trial::new();

    insta::assert_snapshot!(trial.refusal(b"[buildout]\nparts = app\xff\n"), @"
    While:
      Initializing.
    Error: cannot read the profile DIRECTORY/buildout.cfg: stream did not contain valid UTF-8
    error: cannot read the profile DIRECTORY/buildout.cfg
      because: stream did not contain valid UTF-8
    hint: save it as UTF-8
    E-profile-extends-missing
    ");
}

#[test]
fn references_that_double_what_they_refer_to_are_given_up() {
    let trial = Trial::new();
    let options: String =
        (1..40).map(|number| format!("a{number} = ${{:a{0}}}${{:a{0}}}\n", number - 1)).collect();

    let told = trial.refusal(format!("[buildout]\nparts = a\n[a]\nrecipe = x\na0 = 0123456789\n{options}"));

    insta::assert_snapshot!(told, @"
    While:
      Installing.
      Getting section a.
      Initializing section a.
      Getting option a:a23.
    Error: the option a23 of section [a] becomes longer than 64 MiB
    error: the option a23 of section [a] becomes longer than 64 MiB
       ╭▸ DIRECTORY/buildout.cfg:28:1
       │
    28 │ a23 = ${:a22}${:a22}
       ╰╴━━━━━━━━━━━━━━━━━━━━ this option
    hint: look for references and macros that repeat a long option many times
    E-profile-too-large
    ");
}
