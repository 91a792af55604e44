//! What the words of the command line mean.

use super::*;

fn parse(line: &str) -> Result<CommandLine, String> {
    CommandLine::parse(line.split_whitespace()).map_err(|error| error.to_string())
}

fn assignments(line: &str) -> Vec<String> {
    let line = parse(line).unwrap();
    line.assignments
        .into_iter()
        .map(|assignment| {
            let CommandLineAssignment { section, option, value, operator } = assignment;
            format!("{section}:{option} {operator:?} {value}")
        })
        .collect()
}

#[test]
fn options_and_assignments_mix_and_short_options_combine() {
    assert_eq!(
        assignments("-UNo a:x=1 parts+=b -vvq y-=z=1"),
        [
            "buildout:newest Set false",
            "buildout:offline Set true",
            "a:x Set 1",
            "buildout:parts Add b",
            "buildout:y Remove z=1",
            "buildout:verbosity Set 10",
        ]
    );
}

#[test]
fn the_first_other_word_is_the_command() {
    let line = parse("-U -c x.cfg install a b=c").unwrap();

    assert_eq!(
        (line.profile.as_str(), line.command, line.use_user_defaults),
        ("x.cfg", Command::Install, false)
    );
    assert_eq!(line.arguments, ["a", "b=c"]);
    assert_eq!(parse("-cx.cfg").unwrap().profile, "x.cfg");
    assert_eq!(parse("--version nonsense").unwrap().command, Command::Version);
}

#[test]
fn the_dialect_is_slapos_unless_the_other_is_named() {
    assert_eq!(parse("-U").unwrap().dialect, Dialect::Slapos);
    assert_eq!(parse("--dialect upstream install").unwrap().dialect, Dialect::Upstream);
    assert_eq!(parse("--dialect=upstream").unwrap().dialect, Dialect::Upstream);
    assert_eq!(parse("--dialect english").unwrap_err(), "Invalid dialect: english, it is slapos or upstream");
}

#[test]
fn the_directory_is_that_of_the_profile_unless_another_is_named() {
    let directory = |line: &str| parse(line).unwrap().directory(Utf8Path::new("/here")).into_string();

    assert_eq!(directory(""), "/here");
    assert_eq!(directory("-c ../there/x.cfg"), "/there");
    assert_eq!(directory("-c https://example.org/x.cfg"), "/here");
    assert_eq!(directory("-c /a/x.cfg directory=b"), "/here/b");
}

#[test]
fn a_command_is_asked_for_its_help() {
    let line = parse("why --help").unwrap();
    assert_eq!((line.command, line.arguments), (Command::Help, vec!["why".to_owned()]));
    assert_eq!(parse("setup x --help").unwrap().command, Command::Setup);
    assert_eq!(parse("--help").unwrap().arguments, [""; 0]);
}

#[test]
fn root_may_be_told_as_whom_to_build() {
    assert_eq!(parse("--user=me").unwrap().user.as_deref(), Some("me"));
    assert_eq!(parse("--user me --allow-root").unwrap().user.as_deref(), Some("me"));
    assert!(parse("--allow-root install").unwrap().allow_root);
    assert_eq!(parse("--user").unwrap_err(), "No user specified for option --user");
}

#[test]
fn nonsense_is_refused_in_known_words() {
    assert_eq!(parse("foo").unwrap_err(), "invalid command: foo");
    assert_eq!(parse("-z").unwrap_err(), "Invalid option -z");
    assert_eq!(parse("-Nc").unwrap_err(), "No file name specified for option -Nc");
    assert_eq!(parse("-t x").unwrap_err(), "Timeout value must be numeric -t");
    for word in ["a:b:c=1", "=1", "a:=1", "a:+=1"] {
        assert_eq!(parse(word).unwrap_err(), format!("Invalid option: {word}"));
    }
}

#[test]
fn nothing_behind_help_or_version_is_looked_at() {
    assert_eq!(parse("--help --version -z").unwrap().command, Command::Help);
    assert_eq!(parse("--version -h").unwrap().command, Command::Version);
}
