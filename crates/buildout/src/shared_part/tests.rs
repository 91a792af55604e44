//! Shared parts of a tiny recipe that knows the text it is to write.

use std::sync::{Arc, Barrier, Mutex};

use super::*;
use crate::{CommandLine, Event, OptionDoc, Outcome, Recipe, RecipeKind, Settings, Sink};

/// Writes `text` into its location; fails after that when `text` is `fail`.
struct Kind;

struct Writer {
    shared: SharedPart,
    text: String,
}

impl RecipeKind for Kind {
    fn names(&self) -> &'static [&'static str] {
        &["slapos.recipe.build"]
    }

    fn summary(&self) -> &'static str {
        "write a text"
    }

    fn options(&self) -> &'static [OptionDoc] {
        &[]
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let text = section.require("install")?;
        let shared = section.shared_part()?;
        section.set("location", shared.location().as_str());
        Ok(Box::new(Writer { shared, text }))
    }
}

impl Writer {
    fn build(&self) -> Result<(), RecipeError> {
        let path = self.shared.location().join("built");
        // Two builders at once would find the file of the other.
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| refused("".into(), error))?;
        host::clock::Clock::sleep(&host::clock::SystemClock, std::time::Duration::from_millis(100));
        match self.text.as_str() {
            "fail" => Err(RecipeError::new("it failed")),
            "vanish" => {
                files::remove_tree(self.shared.location()).unwrap();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Recipe for Writer {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.shared.install(part, |_| self.build())
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.shared.update(part, |_| self.build())
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Sink for Log {
    fn event(&self, event: Event) {
        if let Event::Log { logger: Some(logger), message, .. } = event {
            self.0.lock().unwrap().push(format!("{logger}: {message}"));
        }
    }
}

struct Trial {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

const PYTHON: &str = "import os\n  os.makedirs(location)";

impl Trial {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().canonicalize().unwrap()).unwrap();
        fs::create_dir(root.join("shared")).unwrap();
        Self { _guard: guard, root }
    }

    /// Builds a release of that name whose part `p` has these options.
    fn build(&self, release: &str, options: &str) -> (Result<Outcome, BuildError>, Vec<String>) {
        self.build_with(release, options, "", "")
    }

    fn build_with(
        &self,
        release: &str,
        options: &str,
        more: &str,
        words: &str,
    ) -> (Result<Outcome, BuildError>, Vec<String>) {
        let directory = self.root.join(release);
        fs::create_dir_all(&directory).unwrap();
        let root = &self.root;
        let profile = format!(
            "[buildout]\nparts = p\nshared-part-list =\n  {root}/absent\n  {root}/shared/\n\
             [p]\nrecipe = slapos.recipe.build\nshared = true\n{options}\n{more}"
        );
        fs::write(directory.join("buildout.cfg"), profile).unwrap();
        let line = CommandLine::parse(words.split_whitespace()).unwrap();
        let log = Arc::new(Log::default());
        let settings = Settings {
            registry: &[&Kind],
            sink: log.clone(),
            dialect: line.dialect,
            ..Settings::new(line, &*directory)
        };
        let result = crate::run(settings);
        let lines = log.0.lock().unwrap().iter().map(|line| line.replace(root.as_str(), "ROOT")).collect();
        (result, lines)
    }

    /// The directories of shared builds of `p`, without their root.
    fn places(&self) -> Vec<Utf8PathBuf> {
        let Ok(entries) = self.root.join("shared/p").read_dir_utf8() else { return Vec::new() };
        entries.map(|entry| entry.unwrap().into_path()).collect()
    }
}

#[test]
fn what_a_part_is_made_of_is_written_as_python_writes_it() {
    let trial = Trial::new();

    let (result, log) = trial.build_with("one", &format!("install =\n  {PYTHON}"), "", "--dialect upstream");

    result.unwrap();
    let place = trial.root.join("shared/p/b672b4b52ea41db18778744e8d2d2f7b");
    assert_eq!(
        fs::read_to_string(place.join(MARKER)).unwrap(),
        "{\n  \"install\": \"import os\\nos.makedirs(location)\",\n  \"recipe\": \"slapos.recipe.build\",\n  \
         \"shared\": \"true\"\n}"
    );
    assert_eq!(log, ["p: will be shared at ROOT/shared/p/b672b4b52ea41db18778744e8d2d2f7b (needs to build)"]);
}

#[test]
fn a_second_release_uses_what_the_first_has_built() {
    let trial = Trial::new();
    trial.build("one", "install = x").0.unwrap();
    let place = trial.places().remove(0);

    let (result, log) = trial.build("two", "install = x");

    result.unwrap();
    let there = place.as_str().replace(trial.root.as_str(), "ROOT");
    assert_eq!(
        log,
        [format!("p: shared at {there} (already built)"), "p: shared part is already installed".to_owned()]
    );
    assert_eq!(trial.places(), std::slice::from_ref(&place));
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(place.join("built")).unwrap());
    assert_eq!(mode & 0o222, 0);
    let record = fs::read_to_string(trial.root.join("two/.installed.cfg")).unwrap();
    assert!(record.contains("__buildout_installed__ = \n"), "{record}");
}

#[test]
fn a_part_that_is_not_wanted_any_more_stays_for_others() {
    let trial = Trial::new();
    trial.build("one", "install = x").0.unwrap();

    trial.build("one", "install = y").0.unwrap();

    assert_eq!(trial.places().len(), 2);
}

#[test]
fn where_the_profile_comes_from_makes_no_difference() {
    let trial = Trial::new();
    let options = "install = ${:_profile_base_location_}/patch\nuses = ${q:x}";
    let more = "[q]\nx = ${:_profile_base_location_}/other";
    trial.build_with("one", options, more, "").0.unwrap();

    trial.build_with("two", options, more, "").0.unwrap();

    assert_eq!(trial.places().len(), 1);
    let made_of = fs::read_to_string(trial.places()[0].join(MARKER)).unwrap();
    assert!(made_of.contains("\"install\": \"${:_profile_base_location_}/patch\""), "{made_of}");
    assert!(made_of.contains("\"__buildout_signature__\": \"native:slapos.recipe.build-1 q:"), "{made_of}");
}

#[test]
fn a_changed_dependency_makes_another_part() {
    let trial = Trial::new();
    trial.build_with("one", "install = x\nuses = ${q:recipe}", "[q]\nrecipe =\nx = 1", "").0.unwrap();

    trial.build_with("two", "install = x\nuses = ${q:recipe}", "[q]\nrecipe =\nx = 2", "").0.unwrap();

    assert_eq!(trial.places().len(), 2);
}

#[test]
fn a_failed_build_leaves_nothing_that_counts() {
    let trial = Trial::new();

    let (failed, _) = trial.build("one", "install = fail");
    let (vanished, _) = trial.build("two", "install = vanish");

    assert_eq!(failed.unwrap_err().to_string(), "it failed");
    assert!(vanished.unwrap_err().to_string().ends_with("was not created"));
    assert!(trial.places().iter().all(|place| !place.join(MARKER).exists() && !place.is_dir()));
}

#[test]
fn what_a_killed_builder_left_is_built_again() {
    let trial = Trial::new();
    trial.build("one", "install = x").0.unwrap();
    let place = trial.places().remove(0);
    files::remove_tree(&place).unwrap();
    fs::create_dir(&place).unwrap();
    fs::write(place.join("built"), "half").unwrap();

    let (updated, log) = trial.build("one", "install = x");

    updated.unwrap();
    assert_eq!(log[1..], ["p: shared part must be rebuilt"]);
    assert_eq!(fs::read_to_string(place.join("built")).unwrap(), "");
    assert!(is_built(&place));
}

#[test]
fn without_a_root_that_can_be_written_the_part_is_private() {
    let trial = Trial::new();
    files::remove_tree(&trial.root.join("shared")).unwrap();

    let (result, log) = trial.build("one", "install = x");
    result.unwrap();

    assert!(trial.root.join("one/parts/p/built").exists());
    let told = "p: not shared: no directory of `shared-part-list` is there and can be written";
    assert!(log.iter().any(|line| line == told), "{log:?}");
}

#[test]
fn of_two_builds_at_once_the_second_uses_what_the_first_makes() {
    let trial = Trial::new();
    let (start, logs) = (Barrier::new(2), Mutex::new(Vec::new()));

    std::thread::scope(|scope| {
        for release in ["one", "two"] {
            let (trial, start, logs) = (&trial, &start, &logs);
            scope.spawn(move || {
                start.wait();
                let (result, log) = trial.build(release, "install = x");
                result.unwrap();
                logs.lock().unwrap().extend(log);
            });
        }
    });

    let logs = logs.into_inner().unwrap();
    assert!(logs.iter().any(|line| line == "p: shared part is already installed"), "{logs:?}");
    assert_eq!(trial.places().len(), 1);
}

/// Recipes that know nothing of locks, as those in Python.
struct Elsewhere(Utf8PathBuf);

struct Careless(Utf8PathBuf);

impl crate::ForeignRecipes for Elsewhere {
    fn initialise(&self, _: &str, section: &mut Section<'_>) -> Result<Option<Box<dyn Recipe>>, RecipeError> {
        let location = self.0.join("p").join("0".repeat(32));
        section.set("location", location.as_str());
        Ok(Some(Box::new(Careless(location))))
    }

    fn signature(&self, _: &str, _: &mut Section<'_>) -> Result<String, RecipeError> {
        Ok(String::new())
    }

    fn uninstall(
        &self,
        _: &str,
        _: &crate::Uninstall<'_>,
        _: &mut crate::Build<'_>,
    ) -> Result<(), RecipeError> {
        Ok(())
    }

    fn extend(
        &self,
        _: &[String],
        _: crate::foreign::Moment,
        _: &mut crate::Build<'_>,
    ) -> Result<(), RecipeError> {
        Ok(())
    }
}

impl Recipe for Careless {
    fn install(&mut self, _: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        if !is_built(&self.0) {
            files::remove_tree(&self.0).unwrap();
            fs::create_dir_all(&self.0).unwrap();
            host::clock::Clock::sleep(&host::clock::SystemClock, std::time::Duration::from_millis(100));
            fs::OpenOptions::new().write(true).create_new(true).open(self.0.join("built")).unwrap();
            fs::write(self.0.join(MARKER), "{}").unwrap();
        }
        Ok(Vec::new())
    }
}

#[test]
fn recipes_that_know_nothing_of_locks_are_kept_apart() {
    let trial = Trial::new();
    let start = Barrier::new(2);

    std::thread::scope(|scope| {
        for release in ["one", "two"] {
            let (trial, start) = (&trial, &start);
            scope.spawn(move || {
                let directory = trial.root.join(release);
                fs::create_dir(&directory).unwrap();
                let shared = trial.root.join("shared");
                let profile = format!(
                    "[buildout]\nparts = p\nshared-part-list = {shared}\n[p]\nrecipe = careless\nshared = true\n"
                );
                fs::write(directory.join("buildout.cfg"), profile).unwrap();
                let line = CommandLine::parse(std::iter::empty::<&str>()).unwrap();
                let settings = Settings {
                    foreign: Some(Arc::new(Elsewhere(shared))),
                    ..Settings::new(line, &*directory)
                };
                start.wait();
                crate::run(settings).unwrap();
            });
        }
    });

    assert_eq!(trial.places().len(), 1);
}
