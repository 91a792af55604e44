//! Trials of recipes that fail: what is told, and by whom.

use super::*;

#[test]
fn errors_carry_the_message_of_python() {
    let recipe = "
import zc.buildout
class Recipe:
    def __init__(self, buildout, name, options):
        self.how = options['how']
    def install(self):
        if self.how == 'user':
            raise zc.buildout.UserError('set the colour')
        {}['missing']
";
    let mut place = place(recipe, &[("user", &[FILE, ("how", "user")]), ("bug", &[FILE, ("how", "bug")])]);

    assert_eq!(place.run("user").unwrap_err().to_string(), "set the colour");
    let bug = place.run("bug").unwrap_err();

    let root = &place.root;
    assert_eq!(
        bug.to_string(),
        format!("recipe `{root}/recipe.py` of [bug] failed with KeyError: no such key: missing")
    );
    assert_eq!(bug.error_code(), "E-recipe-python");
    let trace = bug.foreign_trace().unwrap();
    let frames: Vec<_> = trace.lines().filter(|line| line.trim_start().starts_with("File ")).collect();
    assert!(frames.len() == 1 && frames[0].ends_with("recipe.py\", line 9, in install"), "{trace}");
    let place = std::error::Error::source(&bug).unwrap().to_string();
    assert!(place.ends_with("recipe.py:9 in install"), "{place}");
}

#[test]
fn an_error_of_the_engine_stays_itself_unless_python_catches_it() {
    let recipe = "
from zc.buildout.buildout import MissingOption, MissingSection
class Recipe:
    def __init__(self, buildout, name, options):
        for error, act in ((MissingOption, lambda: options['none']), (MissingSection, lambda: buildout['none']),
                           (KeyError, lambda: options['none'])):
            try:
                act()
            except error:
                pass
            else:
                raise AssertionError(error)
        buildout[options['ask']]
    def install(self):
        return ()
";
    let mut place = place(recipe, &[("part", &[FILE, ("ask", "nowhere")])]);

    let error = place.run("part").unwrap_err();

    assert_eq!(
        error.error_code(),
        BuildError::from(crate::Fault::UnknownSection {
            section: "nowhere".to_owned(),
            reference: None,
            near: Vec::new(),
        })
        .code()
    );
}

#[test]
fn a_worker_that_dies_fails_the_part_and_the_paths_are_known() {
    let recipe = "
import os
class Recipe:
    def __init__(self, buildout, name, options):
        self.options = options
    def install(self):
        self.options.created('half')
        os._exit(7)
";
    let mut place = place(recipe, &[("part", &[FILE])]);

    let error = place.run("part").unwrap_err();

    assert_eq!(error.error_code(), "E-bridge-worker-lost");
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "the Python worker ended with exit code 7"
    );
}

#[test]
fn a_recipe_that_nobody_has_is_unknown() {
    let mut place = place("", &[("part", &[("recipe", "no.such.recipe")])]);

    let error = place.run("part").unwrap_err();

    assert_eq!(error.to_string(), "recipe `no.such.recipe` of [part] does not exist here");
}

#[test]
fn a_recipe_whose_pin_does_not_exist_names_the_pin() {
    let mut place =
        place("", &[("part", &[("recipe", "some.recipe")]), ("versions", &[("some.recipe", "2.0")])]);
    wheel_for_trials(&place.root.join("index"), "some.recipe", "1.0", &[]);

    let error = place.run("part").unwrap_err();

    assert_eq!(error.to_string(), "recipe `some.recipe` of [part] is not built in and could not be loaded");
    assert_eq!(error.error_code(), "E-eggs-missing");
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let causes = causes.join("\n");
    assert!(
        causes.contains(
            "Couldn't find a distribution for 'some.recipe==2.0'.\n[versions] sets some.recipe = 2.0"
        ),
        "{causes}"
    );
}
