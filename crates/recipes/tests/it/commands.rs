//! Shell text.

use insta::assert_snapshot;

use crate::trial::Trial;

const PROFILE: &str = "[buildout]\nparts = command\n[command]\nrecipe = plone.recipe.command\n\
     command = echo \"$PWD\" > where; echo shown\nupdate-command = echo again >> where\n";

#[test]
fn commands_run_in_the_buildout_directory_and_their_output_is_followed() {
    let trial = Trial::with_profile(PROFILE);

    trial.built();

    assert_eq!(trial.read("where").trim_end(), trial.root());
    assert!(trial.log().iter().any(|line| line == "shown"));
}

#[test]
fn later_builds_run_the_update_command() {
    let trial = Trial::with_profile(PROFILE);
    trial.built();

    trial.built();

    assert!(trial.read("where").ends_with("again\n"));
}

#[test]
fn a_command_that_fails_ends_the_build_only_when_asked() {
    let profile = "[buildout]\nparts = command\n[command]\nrecipe = plone.recipe.command\ncommand = exit 3\n";
    let lenient = Trial::with_profile(profile);
    let strict = Trial::with_profile(&format!("{profile}stop-on-error = true\n"));

    lenient.built();

    assert_snapshot!(strict.refused(), @r"
    E-recipe-failed: Non zero exit code (3) while running command.
      hint: the output of the command is above; the same text can be run in a shell to try it
    ");
    assert!(lenient.log().iter().any(|line| line.contains("Non zero exit code (3) while running command.")));
}

#[test]
fn a_part_without_command_is_refused() {
    let trial =
        Trial::with_profile("[buildout]\nparts = command\n[command]\nrecipe = plone.recipe.command\n");

    assert_snapshot!(trial.refused(), @r"
    E-recipe-failed: No command specified
      hint: add `command = …` with the shell text to run
    ");
}

#[test]
fn what_a_command_made_is_removed_with_its_part() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = command\n[command]\nrecipe = plone.recipe.command\ncommand = mkdir made\n\
         location = ${buildout:directory}/made\n",
    );
    trial.built();
    trial.write("buildout.cfg", "[buildout]\nparts =\n");

    trial.built();

    assert!(!trial.path("made").exists());
}
