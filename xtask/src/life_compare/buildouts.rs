//! Two directories in which the same story happens.

use std::fmt::{Debug, Write as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use host::process::Program;

use super::observe;
use super::story::Stage;
use crate::cases::Verdict;
use crate::step::{Failure, program, step, top};

/// No build of a story takes as long.
const LIMIT: Duration = Duration::from_secs(120);

/// Where stories happen.
pub(super) struct Buildouts {
    place: tempfile::TempDir,
    recipe: Utf8PathBuf,
}

/// Makes the recipe known as a distribution under development.
pub(super) fn prepare_recipe() -> Result<Utf8PathBuf, Failure> {
    let recipe = top().join("target/trial_recipe");
    let failed = |error: std::io::Error| error.to_string();
    fs::create_dir_all(&recipe).map_err(failed)?;
    for name in ["setup.py", "trial_recipe.py"] {
        fs::copy(top().join("tests/peer/trial_recipe").join(name), recipe.join(name)).map_err(failed)?;
    }
    let python = top().join("target/peer/venv/bin/python");
    let describe = program(python.as_str()).args(["-W", "ignore", "setup.py", "--quiet", "egg_info"]);
    step("the recipe", &describe.directory(&recipe))?;
    Ok(recipe)
}

/// What one build showed and left.
struct Seen {
    end: String,
    printed: String,
    files: std::collections::BTreeMap<String, Option<String>>,
    record: Vec<(String, Vec<String>)>,
}

impl Buildouts {
    pub(super) fn new(recipe: &Utf8Path) -> Result<Self, Failure> {
        let place = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Self { place, recipe: recipe.to_owned() })
    }

    /// Lets the story happen in both; it ends where they differ.
    pub(super) fn live(&self, story: &[Stage]) -> Result<Verdict, Failure> {
        let python = Program::new(top().join("target/peer/venv/bin/buildout"));
        let ours =
            Program::new(top().join("target/debug/slapos")).args(["buildout", "--dialect", "upstream"]);
        let engines = [("python", python), ("ours", ours)];
        for (name, _) in &engines {
            self.begin(name)?;
        }
        let mut failures = 0;
        for (number, stage) in story.iter().enumerate() {
            let [python, ours] =
                [&engines[0], &engines[1]].map(|(name, engine)| self.build(name, engine, stage));
            let (python, ours) = (python?, ours?);
            let difference = difference(&python, &ours);
            if !difference.is_empty() {
                let words = stage.words;
                return Ok(Verdict::Different(format!(
                    "build {number}, with the words {words:?} and the profile\n{}\n{difference}",
                    stage.profile
                )));
            }
            failures += usize::from(python.end != "exit code 0");
        }
        Ok(Verdict::Same(format!("{} builds, of which {failures} failed", story.len())))
    }

    fn directory(&self, name: &str) -> Result<Utf8PathBuf, Failure> {
        Utf8PathBuf::try_from(self.place.path().join(name)).map_err(|error| error.to_string())
    }

    fn begin(&self, name: &str) -> Result<(), Failure> {
        let directory = self.directory(name)?;
        let failed = |error: std::io::Error| error.to_string();
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(failed)?;
        }
        for made in ["develop-eggs", "dir"] {
            fs::create_dir_all(directory.join(made)).map_err(failed)?;
        }
        let link = directory.join("develop-eggs/trial_recipe.egg-link");
        fs::write(link, format!("{}\n.", self.recipe)).map_err(failed)
    }

    fn build(&self, name: &str, engine: &Program, stage: &Stage) -> Result<Seen, Failure> {
        let directory = self.directory(name)?;
        fs::write(directory.join("buildout.cfg"), &stage.profile).map_err(|error| error.to_string())?;
        let finished = engine
            .clone()
            .arg("-N")
            .args(stage.words.iter().copied())
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/nonexistent")
            .env("PYTHONWARNINGS", "ignore")
            .env("PYTHONUNBUFFERED", "1")
            .env("SLAPOS_CACHE", self.directory("cache")?)
            .directory(&directory)
            .run(Some(LIMIT), &mut |_| {})
            .map_err(|error| format!("{} cannot be run: {error}", engine.path()))?;
        Ok(Seen {
            end: finished.verdict(),
            printed: observe::printed(&finished.text(), &directory),
            files: observe::files(&directory)?,
            record: observe::record(&directory)?,
        })
    }
}

fn difference(python: &Seen, ours: &Seen) -> String {
    let mut text = String::new();
    let mut compare = |what: &str, python: &dyn Debug, ours: &dyn Debug, are_alike: bool| {
        if !are_alike {
            let _ = write!(text, "── {what} of Python\n{python:#?}\n── {what} of ours\n{ours:#?}\n");
        }
    };
    compare("end", &python.end, &ours.end, python.end == ours.end);
    compare("output", &Lines(&python.printed), &Lines(&ours.printed), python.printed == ours.printed);
    compare("files", &python.files, &ours.files, python.files == ours.files);
    compare("record", &python.record, &ours.record, python.record == ours.record);
    text
}

/// A text that is shown as it is.
struct Lines<'a>(&'a str);

impl Debug for Lines<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}
