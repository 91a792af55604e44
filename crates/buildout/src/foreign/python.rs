//! Python recipes: found in the distributions that the pins name, run unmodified by the worker.

mod call;
mod find;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use self::call::Call;
use self::find::{Found, RECIPES, not_loaded, settings, split};
use super::channel::{Channel, Output};
use super::{ForeignRecipes, Moment};
use crate::eggs::Eggs;
use crate::engine::{Activity, Engine};
use crate::{
    Build, BuildError, Dialect, Downloaded, EggSettings, Level, Part, Recipe, RecipeError, Section, Uninstall,
};

/// The groups of extensions, for before and after the parts.
const EXTENSIONS: &str = "zc.buildout.extension";
const END_OF_EXTENSIONS: &str = "zc.buildout.unloadextension";

/// Every recipe that is not built in, run by one Python worker for each interpreter of the build.
#[derive(Clone, Default)]
pub struct PythonRecipes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    workers: Mutex<HashMap<Utf8PathBuf, Arc<Channel>>>,
    found: Mutex<HashMap<String, Arc<Found>>>,
    /// Files that recipes were given.
    downloads: Mutex<Vec<Downloaded>>,
}

/// The recipe object of a part; the real one is in the worker.
struct PythonPart {
    shared: Arc<Shared>,
    channel: Arc<Channel>,
    specification: String,
    section: String,
    late: bool,
}

impl ForeignRecipes for PythonRecipes {
    fn initialise(
        &self,
        specification: &str,
        section: &mut Section<'_>,
    ) -> Result<Option<Box<dyn Recipe>>, RecipeError> {
        let Some(found) = self.found(specification, section)? else { return Ok(None) };
        let name = section.name().to_owned();
        let channel = self.0.worker(&found.python, section.engine())?;
        let call = Call { shared: &self.0, channel: &channel, specification, subject: &name };
        let (requirement, entry) = split(specification);
        section.engine().doing(
            Activity::LoadingEntry(RECIPES, format!("{requirement}:{entry}")),
            |engine| {
                let request = json!({
                    "ask": "load", "entry": found.entry, "path": found.path, "directory": engine.directory(),
                });
                let loaded = call.ask(Some(engine), request).0;
                loaded.map(drop).map_err(|error| BuildError::from_recipe(&name, error))
            },
        )?;
        let request = json!({
            "ask": "init", "section": name, "entry": found.entry, "directory": section.engine().directory(),
        });
        let answer = call.ask(Some(section.engine()), request).0?;
        let hidden = answer.get("hidden").and_then(Value::as_array).into_iter().flatten();
        for option in hidden.filter_map(Value::as_str) {
            section.hide(option);
        }
        Ok(Some(Box::new(PythonPart {
            shared: Arc::clone(&self.0),
            channel,
            specification: specification.to_owned(),
            section: name,
            late: answer.get("late").and_then(Value::as_bool).unwrap_or_default(),
        })))
    }

    fn signature(&self, specification: &str, section: &mut Section<'_>) -> Result<String, RecipeError> {
        let settings = settings(section.engine())?;
        let install = |requirement: &str| section.build_itself().install_eggs(&settings, &[requirement]);
        let found = self.0.find(specification, &settings, &install)?;
        Ok(found.map(|found| found.signature.clone()).unwrap_or_default())
    }

    fn uninstall(
        &self,
        specification: &str,
        part: &Uninstall<'_>,
        build: &mut Build<'_>,
    ) -> Result<(), RecipeError> {
        let engine = build.engine();
        let Some(found) = self.found_to_uninstall(specification, engine) else { return Ok(()) };
        let Some(entry) = &found.uninstall else { return Ok(()) };
        let channel = self.0.worker(&found.python, engine)?;
        engine.log(Level::Info, None, "Running uninstall recipe.".to_owned());
        let request = json!({
            "ask": "uninstall", "part": part.part, "entry": entry, "path": found.path, "options": part.options,
            "directory": part.directory,
        });
        let call = Call { shared: &self.0, channel: &channel, specification, subject: part.part };
        call.ask(Some(engine), request).0.map(drop)
    }

    fn extend(
        &self,
        extensions: &[String],
        moment: Moment,
        build: &mut Build<'_>,
    ) -> Result<(), RecipeError> {
        let engine = build.engine();
        let settings = settings(engine)?;
        let set = engine.install_eggs(&settings, extensions)?;
        let group = match moment {
            Moment::Load => EXTENSIONS,
            Moment::Unload => END_OF_EXTENSIONS,
        };
        let projects: Vec<String> = set.versions().map(|(project, _)| project.to_owned()).collect();
        for project in projects {
            for point in set.entry_points(&project, group)? {
                let channel = self.0.worker(set.python(), engine)?;
                let request = json!({
                    "ask": "extend", "entry": {"module": point.module, "attribute": point.attribute},
                    "path": set.path(), "directory": engine.directory(),
                });
                let specification = format!("{project}:{}", point.name);
                let call = Call {
                    shared: &self.0,
                    channel: &channel,
                    specification: &specification,
                    subject: "buildout",
                };
                call.ask(Some(engine), request).0?;
            }
        }
        Ok(())
    }
}

impl PythonRecipes {
    /// Finds the recipe of a section, and installs its distribution.
    fn found(
        &self,
        specification: &str,
        section: &mut Section<'_>,
    ) -> Result<Option<Arc<Found>>, BuildError> {
        let name = section.name().to_owned();
        let activity = Activity::InstallingRecipe(split(specification).0.to_owned());
        section.engine().doing(activity, |engine| {
            let settings = settings(engine)?;
            let install = |requirement: &str| engine.install_eggs(&settings, &[requirement]);
            let found = self.0.find(specification, &settings, &install);
            found.map_err(|error| BuildError::from_recipe(&name, not_loaded(specification, &name, error)))
        })
    }

    /// Finds the recipe of a part that is to be removed. Nothing is fetched for that, and a recipe that is gone keeps
    /// no part from being removed.
    fn found_to_uninstall(&self, specification: &str, engine: &mut Engine) -> Option<Arc<Found>> {
        let found = engine.egg_settings().map_err(RecipeError::from).and_then(|settings| {
            let settings = EggSettings { offline: true, allow_picked_versions: true, ..settings };
            let install = |requirement: &str| Eggs::new(&settings, &|_, _| {}).install(&[requirement]);
            self.0.find(specification, &settings, &install)
        });
        found.unwrap_or_else(|error| {
            tracing::debug!(specification, %error, "the recipe is gone, its uninstall step is left out");
            None
        })
    }
}

impl Recipe for PythonPart {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.run("install", part)
    }

    fn update(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        self.run("update", part)
    }

    fn late_option(&mut self, option: &str) -> Result<Option<String>, RecipeError> {
        if !self.late {
            return Ok(None);
        }
        let request = json!({"ask": "late", "section": self.section, "option": option});
        Ok(self.call().ask(None, request).0?.as_str().map(str::to_owned))
    }
}

impl PythonPart {
    fn run(&self, phase: &str, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let directory = part.directory().to_owned();
        let request = json!({"ask": "run", "section": self.section, "phase": phase, "directory": directory});
        let engine = part.build("run Python")?;
        let jobs = Arc::clone(&engine.jobs);
        // Parts in order do not wait for a token: all that comes after them would wait with them.
        let _presence = jobs.without_token();
        let (answer, created) = self.call().ask(Some(engine), request);
        for path in created {
            part.created(path);
        }
        let answer = answer?;
        let paths = answer.as_array().into_iter().flatten();
        // They are recorded as the recipe gives them; the relative ones start from the buildout directory.
        Ok(paths.filter_map(Value::as_str).map(Utf8PathBuf::from).collect())
    }

    fn call(&self) -> Call<'_> {
        let (shared, channel) = (&self.shared, &self.channel);
        Call { shared, channel, specification: &self.specification, subject: &self.section }
    }
}

impl Shared {
    /// The worker of an interpreter, which is started when it is first needed.
    fn worker(&self, python: &Utf8Path, engine: &mut Engine) -> Result<Arc<Channel>, RecipeError> {
        if let Some(running) = locked(&self.workers).get(python) {
            return Ok(Arc::clone(running));
        }
        engine.settle_jobs()?;
        let (output, jobs) = match engine.dialect() {
            Dialect::Slapos => (Output::Followed, Some(&*engine.jobs)),
            Dialect::Upstream => (Output::Passed, None),
        };
        let channel = Channel::start(python, &engine.environment, engine.directory(), output, jobs);
        let channel = channel.map_err(|error| {
            RecipeError::new(format!("recipes cannot be run by `{python}`"))
                .because(error)
                .code("E-bridge-python-failed")
        })?;
        let channel = Arc::new(channel);
        locked(&self.workers).insert(python.to_owned(), Arc::clone(&channel));
        Ok(channel)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
