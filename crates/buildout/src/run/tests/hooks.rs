//! What a caller can do around the parts of a build.

use super::*;
use crate::{Build, BuildHook};

/// Gives a section values before the parts, and shows another one after them.
struct Parameters;

impl BuildHook for Parameters {
    fn before_parts(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        assert_eq!(build.raw("missing")?, None);
        assert_eq!(build.raw("parameter")?.unwrap()["port"], "80");
        build.set("parameter", "port", "8080");
        build.set("parameter", "url", "http://${:host}:${:port}/");
        build.set("made", "by", "hook");
        Ok(())
    }

    fn before_install(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        build.section("publish")?;
        Ok(())
    }

    fn after_parts(&mut self, build: &mut Build<'_>) -> Result<(), RecipeError> {
        let url = build.get("publish", "url")?.unwrap();
        build.log(crate::Level::Info, format!("Published {url}"));
        Ok(())
    }
}

/// Refuses everything.
struct Refuse;

impl BuildHook for Refuse {
    fn after_parts(&mut self, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Err(RecipeError::new("the master is gone").code("E-master-unreachable"))
    }
}

const PROFILE: &str = "[buildout]\nparts =\n[parameter]\nhost = h\nport = 80\n\
    [publish]\nurl = ${parameter:url}\nfile = ${file:location}\nby = ${made:by}\n\
    [file]\nrecipe = test:file\npath = x\n";

fn run(bench: &Bench, hook: Box<dyn BuildHook>) -> Done {
    let listener = Arc::new(Listener::default());
    let mut settings = Settings::new(CommandLine::default(), &*bench.root);
    settings.registry = RECIPES;
    settings.sink = listener.clone();
    settings.hooks = vec![hook];
    let result = crate::run(settings);
    let log = listener.log.lock().unwrap().clone();
    Done { log, result }
}

#[test]
fn a_hook_sets_options_and_its_section_pulls_parts_in() {
    let bench = Bench::with(PROFILE);

    let done = run(&bench, Box::new(Parameters));

    assert_eq!(done.result.unwrap().installed, ["file"]);
    assert!(done.log.ends_with("Installing file.\nPublished http://h:8080/\n"), "{}", done.log);
}

#[test]
fn a_hook_that_fails_fails_the_build_and_the_parts_stay() {
    let bench = Bench::with("[buildout]\nparts = file\n[file]\nrecipe = test:file\npath = x\n");

    let error = run(&bench, Box::new(Refuse)).result.unwrap_err();

    assert_eq!(error.code(), "E-master-unreachable");
    assert!(bench.read(".installed.cfg").contains("parts = file\n"));
}
