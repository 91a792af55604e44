//! Python recipes: found in the distributions that the pins name, run unmodified by the worker.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::channel::{Channel, Output, WorkerError};
use super::serve::{self, Collected};
use super::{ForeignRecipes, Moment, WORKER_LOST};
use crate::eggs::{EggError, Eggs, ProjectName, WorkingSet};
use crate::engine::{Activity, Engine};
use crate::nearest::nearest;
use crate::{
    Build, BuildError, Dialect, Downloaded, EggSettings, Event, Level, Part, Recipe, RecipeError, Section,
    Uninstall,
};

/// The group of entry points that recipes are in.
const RECIPES: &str = "zc.buildout";
/// The group of what undoes parts.
const UNINSTALL: &str = "zc.buildout.uninstall";
/// The groups of extensions, for before and after the parts.
const EXTENSIONS: &str = "zc.buildout.extension";
const END_OF_EXTENSIONS: &str = "zc.buildout.unloadextension";
/// The setuptools that recipes get when nothing is said about it: later ones lack what zc.buildout imports of it.
const SETUPTOOLS: (&str, &str) = ("setuptools", "<80");
/// As many recipes of a distribution are listed in a hint; of more only those with a similar name.
const FEW: usize = 6;
/// The distribution that recipes in files derive from, when it is installed.
const COOKBOOK: &str = "slapos.cookbook";

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

/// Where the code of a recipe is.
struct Found {
    python: Utf8PathBuf,
    path: Vec<Utf8PathBuf>,
    entry: Value,
    uninstall: Option<Value>,
    signature: String,
}

/// The recipe object of a part; the real one is in the worker.
struct PythonPart {
    shared: Arc<Shared>,
    channel: Arc<Channel>,
    specification: String,
    section: String,
    late: bool,
}

/// Installs the distribution of a recipe.
type Install<'a> = &'a dyn Fn(&str) -> Result<WorkingSet, EggError>;

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

/// One request to the worker on behalf of a part.
struct Call<'a> {
    shared: &'a Shared,
    channel: &'a Channel,
    specification: &'a str,
    subject: &'a str,
}

impl Call<'_> {
    /// Asks, and answers what the worker asks meanwhile. Also gives the paths that the recipe created, whatever came
    /// of it.
    fn ask(
        &self,
        mut engine: Option<&mut Engine>,
        mut request: Value,
    ) -> (Result<Value, RecipeError>, Vec<Utf8PathBuf>) {
        if let Some(engine) = &engine {
            request["environment"] = self.channel.environment_changes(&engine.environment);
        }
        let mut collected = Collected::default();
        let answer = self.converse(&mut engine, &request, &mut collected);
        locked(&self.shared.downloads).append(&mut collected.downloads);
        (answer, collected.created)
    }

    fn converse(
        &self,
        engine: &mut Option<&mut Engine>,
        request: &Value,
        collected: &mut Collected,
    ) -> Result<Value, RecipeError> {
        self.channel.send(request).map_err(|error| self.lost(error))?;
        loop {
            let message = self
                .channel
                .receive(&mut |line| self.print(engine.as_deref(), line))
                .map_err(|error| self.lost(error))?;
            if message.get("ask").is_some() {
                let reply = self.serve(engine, &message, collected);
                self.channel.send(&reply).map_err(|error| self.lost(error))?;
                continue;
            }
            if let (Some(engine), Some(changes)) = (engine.as_deref_mut(), message.get("environment")) {
                self.channel.take_environment(changes, &mut engine.environment);
            }
            return match message.get("error") {
                Some(error) => Err(self.failed(error)),
                None => Ok(message.get("answer").cloned().unwrap_or_default()),
            };
        }
    }

    /// Passes on a line that a recipe, or a program that it has started, wrote.
    fn print(&self, engine: Option<&Engine>, line: &str) {
        match engine {
            Some(engine) => {
                let (part, line) = (self.subject.to_owned(), line.to_owned());
                engine.sink().event(Event::PartOutput { part, line });
            }
            // An option that is worked out when somebody asks has no listener of its own.
            None => tracing::info!(part = self.subject, line, "a recipe printed"),
        }
    }

    fn serve(&self, engine: &mut Option<&mut Engine>, question: &Value, collected: &mut Collected) -> Value {
        let Some(engine) = engine else {
            // While a part is removed there is no section to ask about; a log line is all that may come.
            return json!({"answer": null});
        };
        match serve::answer(engine, question, collected) {
            Ok(answer) => json!({"answer": answer}),
            Err(refusal) => {
                let mut error = json!({"type": refusal.class(), "text": refusal.text()});
                if let serve::Refusal::Engine(own) = refusal {
                    error["number"] = json!(self.channel.keep_error(own));
                }
                json!({"error": error})
            }
        }
    }

    /// What the worker says of an exception, as an error of the part.
    fn failed(&self, error: &Value) -> RecipeError {
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let number =
            error.get("number").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        if let Some(own) = number.and_then(|number| self.channel.take_error(number)) {
            return own.into();
        }
        if error.get("user").and_then(Value::as_bool).unwrap_or_default() {
            return RecipeError::new(text("text"));
        }
        let mut failure = RecipeError::new(format!(
            "recipe `{}` of [{}] failed with {}: {}",
            self.specification,
            self.subject,
            text("type"),
            text("text")
        ));
        if !text("place").is_empty() {
            failure = failure.because(format!("it was raised at {}", text("place")));
        }
        failure.trace(text("traceback")).code("E-recipe-python")
    }

    fn lost(&self, error: WorkerError) -> RecipeError {
        RecipeError::new(format!(
            "the Python worker was lost while it ran recipe `{}` of [{}]",
            self.specification, self.subject
        ))
        .because(error)
        .code(WORKER_LOST)
        .hint("a recipe that ends its process or exhausts the memory does this; look at the lines above")
    }
}

impl Shared {
    /// Finds a recipe by its specification; `None` when no such distribution exists.
    fn find(
        &self,
        specification: &str,
        settings: &EggSettings,
        install: Install<'_>,
    ) -> Result<Option<Arc<Found>>, RecipeError> {
        // What one Python has, another may lack.
        let key = format!("{} {specification}", settings.python);
        let known = locked(&self.found).get(&key).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let found = if is_file(specification) {
            Some(find_file(specification, settings)?)
        } else {
            find_distribution(specification, install)?
        };
        let found = found.map(Arc::new);
        if let Some(found) = &found {
            locked(&self.found).insert(key, Arc::clone(found));
        }
        Ok(found)
    }

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

/// What the profile says about distributions, and what it need not say for recipes.
fn settings(engine: &mut Engine) -> Result<EggSettings, BuildError> {
    let mut settings = engine.egg_settings()?;
    let pinned = settings.pins.keys().any(|name| ProjectName::new(name).as_str() == SETUPTOOLS.0);
    if settings.allow_picked_versions && !pinned {
        let (project, versions) = SETUPTOOLS;
        settings.pins.insert(project.to_owned(), versions.to_owned());
    }
    Ok(settings)
}

/// The distribution and the entry point that a specification names.
fn split(specification: &str) -> (&str, &str) {
    specification.split_once(':').unwrap_or((specification, "default"))
}

/// Whether a specification names a file with a class `Recipe`.
fn is_file(specification: &str) -> bool {
    specification.ends_with(".py") && specification.contains('/') || specification.starts_with('/')
}

fn find_file(specification: &str, settings: &EggSettings) -> Result<Found, RecipeError> {
    let file = settings.directory.join(specification);
    let missing = || {
        RecipeError::new(format!("the recipe file {file} does not exist"))
            .code("E-recipe-missing")
            .option("recipe")
    };
    let content = files::read_if_present(&file)
        .map_err(|error| RecipeError::new(format!("the recipe file {file} cannot be read")).because(error))?
        .ok_or_else(missing)?;
    // Such recipes may derive from those of the cookbook; nothing is fetched for that.
    let offline = EggSettings { offline: true, allow_picked_versions: true, ..settings.clone() };
    let path = Eggs::new(&offline, &|_, _| {}).install(&[COOKBOOK]).map(|set| set.path()).unwrap_or_default();
    let digest: String = Md5::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Found {
        python: settings.python.clone(),
        path,
        entry: json!({"file": file, "attribute": "Recipe"}),
        uninstall: None,
        signature: format!("{}-{digest}", file.file_name().unwrap_or_default()),
    })
}

fn find_distribution(specification: &str, install: Install<'_>) -> Result<Option<Found>, RecipeError> {
    let (requirement, name) = split(specification);
    let set = match install(requirement) {
        Ok(set) => set,
        // Nobody knows such a project: the name is wrong, not its version.
        Err(EggError::Missing(missing))
            if missing.chain.is_empty() && missing.pin.is_none() && missing.nearest.is_empty() =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let entry =
        entry_point(&set, requirement, RECIPES, name)?.ok_or_else(|| no_entry(&set, requirement, name))?;
    Ok(Some(Found {
        python: set.python().to_owned(),
        path: set.path(),
        entry,
        uninstall: entry_point(&set, requirement, UNINSTALL, name)?,
        signature: set.signature()?.join(" "),
    }))
}

/// An error of finding a recipe, as one of the part that names it.
fn not_loaded(specification: &str, part: &str, error: RecipeError) -> RecipeError {
    let (code, hints) = (error.error_code(), error.hints().to_vec());
    let message = format!("recipe `{specification}` of [{part}] is not built in and could not be loaded");
    let words = error.classic_words();
    let words = words.0.map(|message| (message.to_owned(), words.1.map(str::to_owned)));
    let mut failure = RecipeError::new(message).because(error).code(code).option("recipe");
    if let Some((message, doing)) = words {
        failure = failure.in_classic_words(message, doing);
    }
    hints.into_iter().fold(failure, RecipeError::hint)
}

/// A distribution that has no recipe of that name, as an error that tells which it has.
fn no_entry(set: &WorkingSet, requirement: &str, name: &str) -> RecipeError {
    let points = set.entry_points(requirement, RECIPES).unwrap_or_default();
    let known: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
    let near = if known.len() <= FEW { known.join(", ") } else { nearest(name, known).join(", ") };
    let error = RecipeError::new(format!("`{requirement}` has no recipe `{name}`")).code("E-recipe-missing");
    if near.is_empty() { error } else { error.hint(format!("it has {near}")) }
}

fn entry_point(
    set: &WorkingSet,
    requirement: &str,
    group: &str,
    name: &str,
) -> Result<Option<Value>, EggError> {
    let points = set.entry_points(requirement, group)?;
    let point = points.into_iter().find(|point| point.name == name);
    Ok(point.map(|point| json!({"module": point.module, "attribute": point.attribute})))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
