//! What the command itself prints: help, refusals, configuration errors. No cloud is started.

use testkit::cloud::{Cloud, Run};

fn cloud() -> Cloud {
    Cloud::new(env!("CARGO_BIN_EXE_slapos"))
}

fn run(words: &[&str]) -> String {
    let cloud = cloud();
    text(&cloud, &cloud.run(words))
}

fn text(cloud: &Cloud, run: &Run) -> String {
    cloud.scrub(&run.text())
}

#[test]
fn without_arguments_the_help_is_printed() {
    insta::assert_snapshot!(run(&[]), @"
    exit code 0
    ── stdout
    slapos 0.1.0: a decentralised cloud operating system in one program

      slapos up examples/flask    build, run and check a profile on this machine
      slapos status               what runs here, and whether its promises pass
      slapos down                 stop it; with --destroy, remove it too

    First hour  up, down, status, logs, lint
    Client      request, service list|info, supply, remove, computer list|info
    Node        node format|software|instance|promise|report|agent|status|start|
                stop|restart|tail|supervisorctl|supervisord
    Other       proxy start, buildout, complete, help

    Options, anywhere on the line:
      -v, -q              say more (repeatable), or only warnings
      --output FORM       table, json or plain
      --log-file FILE     log there too; --log-time: no times on the console
      -h, --version       help of a command, or the version
    slapos help COMMAND shows its arguments, examples and exit codes.
    ── stderr
    ");
}

#[test]
fn help_of_a_command_is_the_same_by_both_ways() {
    let cloud = cloud();

    let by_word = cloud.run(&["help", "node", "software"]).success();
    let by_option = cloud.run(&["node", "software", "-h"]).success();

    assert_eq!(by_word, by_option);
    assert!(
        by_word.stdout.contains("--only-sr") && by_word.stdout.contains("Exit codes"),
        "{}",
        by_word.stdout
    );
    assert_eq!(by_word.stderr, "");
}

#[test]
fn an_unknown_command_exits_5_with_a_suggestion() {
    insta::assert_snapshot!(run(&["stauts"]), @"
    exit code 5
    ── stdout
    ── stderr
    error: there is no command `slapos stauts`
      because: the commands are: up, down, status, logs, lint, request, service list, service info, supply, remove, computer list, computer info, node format, node software, node instance, node promise, node report, node agent, node status, node start, node stop, node restart, node tail, node supervisorctl, node supervisord, proxy start, buildout, complete, help
    hint: did you mean slapos status?
    hint: slapos help shows what each does
    E-unknown-command
    ");
    insta::assert_snapshot!(run(&["node", "sofware"]), @"
    exit code 5
    ── stdout
    ── stderr
    error: there is no command `slapos node sofware`
      because: the commands are: node format, node software, node instance, node promise, node report, node agent, node status, node start, node stop, node restart, node tail, node supervisorctl, node supervisord
    hint: did you mean slapos node software?
    hint: slapos help shows what each does
    E-unknown-command
    ");
}

#[test]
fn an_option_before_the_command_that_none_has_exits_5() {
    insta::assert_snapshot!(run(&["--nothing", "status"]), @"
    exit code 5
    ── stdout
    ── stderr
    error: `--nothing` is not an option that may stand before the command
    hint: slapos --help lists options and commands
    E-usage
    ");
}

#[test]
fn wrong_arguments_exit_2() {
    insta::assert_snapshot!(run(&["supply", "only-one"]), @"
    exit code 2
    ── stdout
    ── stderr
    error: the following required arguments were not provided:
      <NODE>
    hint: slapos help supply shows its arguments
    E-usage
    ");
    insta::assert_snapshot!(run(&["node", "software", "--only-srr", "x"]), @"
    exit code 2
    ── stdout
    ── stderr
    error: unexpected argument '--only-srr' found
    hint: a similar argument exists: '--only-sr'
    hint: slapos help node software shows its arguments
    E-usage
    ");
    insta::assert_snapshot!(run(&["node", "instance", "--all", "--only-cp", "x"]), @"
    exit code 2
    ── stdout
    ── stderr
    error: the argument '--all' cannot be used with '--only-cp <LIST>'
    hint: slapos help node instance shows its arguments
    E-usage
    ");
    insta::assert_snapshot!(run(&["request", "a", "b", "-q", "--parameters", "x=1", "x=2"]), @"
    exit code 2
    ── stdout
    ── stderr
    error: --parameters: there is more than one value for `x`
    hint: give one of them
    E-usage
    ");
}

#[test]
fn options_of_the_top_level_may_come_last_and_failures_be_json() {
    let cloud = cloud();

    let run = cloud.run(&["supply", "a", "b", "--cfg", "nowhere.cfg", "--quiet", "--output", "json"]);

    insta::assert_snapshot!(text(&cloud, &run), @r#"
    exit code 1
    ── stdout
    ── stderr
    {"error":"cannot read the configuration TEST/nowhere.cfg","because":["there is no such file"],"excerpt":null,"hints":["name another with --cfg FILE"],"code":"E-configuration","exit-code":1}
    "#);
}

#[test]
fn a_missing_configuration_is_told_with_where_it_was_looked_for() {
    insta::assert_snapshot!(run(&["node", "software", "--cfg", "nowhere.cfg"]), @"
    exit code 1
    ── stdout
    ── stderr
    error: cannot read the configuration TEST/nowhere.cfg
      because: there is no such file
    hint: name another with --cfg FILE
    E-configuration
    ");
}

#[test]
fn a_configuration_that_is_none_is_shown_with_its_line() {
    let cloud = cloud();
    cloud.write_release(".", &[("bad.cfg", "[slapos]\ncomputer_id = x\nthis is nothing\n")]);

    insta::assert_snapshot!(text(&cloud, &cloud.run(&["node", "software", "--cfg", "bad.cfg"])), @"
    exit code 1
    ── stdout
    ── stderr
    error: this line is neither a [section] nor an `option = value`
      TEST/bad.cfg:3
        3| this is nothing
    hint: correct the line
    E-configuration-syntax
    ");
}

#[test]
fn missing_options_are_told_all_at_once() {
    let cloud = cloud();
    cloud.write_release(".", &[("empty.cfg", "[slapos]\nmaster_url = http://127.0.0.1:1/\n")]);

    insta::assert_snapshot!(text(&cloud, &cloud.run(&["node", "instance", "--cfg", "empty.cfg"])), @"
    exit code 1
    ── stdout
    ── stderr
    error: mandatory options are missing: computer_id, instance_root, software_root
      because: neither TEST/empty.cfg nor the command line sets them
    hint: add them to section [slapos]
    E-configuration-missing-option
    ");
}

#[test]
fn a_value_of_the_wrong_kind_is_shown_with_its_line() {
    let cloud = cloud();
    let text_of = "[slapos]\ncomputer_id = x\nmaster_url = http://127.0.0.1:1/\nsoftware_root = s\ninstance_root = i\n\
                   root_check = perhaps\n";
    cloud.write_release(".", &[("bad.cfg", text_of)]);

    insta::assert_snapshot!(text(&cloud, &cloud.run(&["node", "software", "--cfg", "bad.cfg"])), @"
    exit code 1
    ── stdout
    ── stderr
    error: `perhaps` is neither true nor false
      TEST/bad.cfg:6
        6| root_check = perhaps
    hint: correct the line
    E-configuration-syntax
    ");
}

#[test]
fn status_and_down_without_a_cloud_say_so() {
    let cloud = cloud();

    insta::assert_snapshot!(text(&cloud, &cloud.here(&["status"])), @"
    exit code 3
    ── stdout
    ── stderr
    error: there is no cloud in ROOT
    hint: start one: slapos up PROFILE
    hint: or name its directory: --root DIR
    E-cloud-missing
    ");
    insta::assert_snapshot!(text(&cloud, &cloud.here(&["down"])), @"
    exit code 0
    ── stdout
    ── stderr
    There is no cloud in ROOT.
    ");
}

#[test]
fn lint_names_the_corrections_of_the_tutorial() {
    let cloud = cloud();
    let tutorial = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/tutorial");

    let found = cloud.run(&["lint", &format!("{tutorial}/as-written"), "--json"]);

    assert_eq!(found.code, 1);
    let found = found.json();
    let codes: Vec<&str> =
        found.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"L-wrapper-not-started") && codes.contains(&"L-release-directory"), "{codes:?}");
    let _ = cloud.run(&["lint", tutorial]).success();
}

#[test]
fn lint_of_a_directory_leaves_the_record_of_its_build_alone() {
    let cloud = cloud();
    let wrong = "[buildout]\nparts = a\n[a]\nrecipe = slapos.cookbook:mkdirectory\nx = ${nowhere:x}\n";
    let release =
        cloud.write_release("built", &[("software.cfg", "[buildout]\nparts =\n"), (".installed.cfg", wrong)]);

    let lint = cloud.run(&["lint", release.as_str()]).success();

    assert!(lint.text().contains("Nothing to correct"), "{}", lint.text());
}

#[test]
fn completion_knows_every_first_word() {
    let cloud = cloud();

    let words = cloud.run(&["complete", "--shell", "none"]).success().stdout;

    assert!(words.lines().next().unwrap().contains("up down status logs"), "{words}");
}

#[test]
fn standard_output_has_the_answer_of_a_build_that_is_only_looked_at_and_nothing_else() {
    let cloud = cloud();
    let parts =
        "optional-extends = nowhere.cfg\nparts = a\nshared-part-list = ${buildout:directory}/shared\n";
    let part = "[a]\nrecipe = slapos.recipe.cmmi\npath = /\nshared = true\n";
    let release = cloud.write_release("looked", &[("software.cfg", &format!("[buildout]\n{parts}{part}"))]);
    let profile = release.join("software.cfg");

    for words in [["plan"].as_slice(), &["why", "a"], &["annotate", "a"]] {
        let start = ["buildout", "-v", "-c", profile.as_str()];
        let looked = cloud.run(&[&start, words, &["--output", "json"]].concat()).success();

        assert!(looked.json().is_object() || looked.json().is_array(), "{}", looked.stdout);
        assert!(looked.stderr.contains("optional-extends file not found: nowhere.cfg"), "{}", looked.stderr);
    }
}
