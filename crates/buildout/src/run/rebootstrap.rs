//! `slapos.rebootstrap`: a build that makes its own Python, and goes on with that.
//!
//! Conditions of sections depend on the Python that runs the build. So the profile is read twice: first for the Python
//! of the machine, to install the part that makes the other Python with all that it needs; then for that one, to
//! install the rest. Each reading has a record of its own, or whatever a condition changes would be built again in
//! every run; what both readings want alike is built once.

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;

use super::conducts;
use super::install::{Options, announce, make_directories, options_of};
use super::parts::Run;
use super::record::{Record, check_directory};
use super::territory::Territory;
use crate::engine::{Activity, Engine};
use crate::installed::{Installed, SIGNATURE};
use crate::plan::{Wanted, difference, plan};
use crate::{Action, BuildError, Fault, Level, Outcome, Settings, load};

const EXTENSION: &str = "slapos.rebootstrap";
/// What the record of the first reading is called, behind the name of the other.
const SUFFIX: &str = ".prerebootstrap";

/// What the first reading has left for the second.
#[derive(Default)]
pub(super) struct FirstPhase {
    /// The parts that are installed for it, with what is recorded of them.
    parts: IndexMap<String, Options>,
    /// Those that this run has made.
    made: Vec<String>,
    /// Whether the rest cannot be known, since a dry run makes no Python.
    pub(super) is_all: bool,
}

/// Makes the Python that the profile wants to go on with, and reads the profile again for it. Without the extension
/// there is nothing to do.
pub(super) fn run(engine: &mut Engine, settings: &mut Settings) -> Result<FirstPhase, BuildError> {
    let extensions = engine.buildout_option("extensions")?.unwrap_or_default();
    let section = engine.require("buildout", "python")?;
    if section == "buildout" || !extensions.split_whitespace().any(|name| name == EXTENSION) {
        return Ok(FirstPhase::default());
    }
    engine.settle_python();
    let own = engine.python()?;
    let wanted = Utf8PathBuf::from(engine.require(&section, "executable")?);
    if wanted == own {
        return Ok(FirstPhase::default());
    }
    let mut first = install_initialised(engine, settings)?;
    if host::python::find(Some(&wanted), "").is_err() {
        if engine.flag("dry-run", false)? {
            engine.log(Level::Info, None, format!("The rest depends on {wanted}, which is not there yet."));
            first.is_all = true;
            return Ok(first);
        }
        let message = format!("[{section}] says that it makes {wanted}, but that cannot be executed");
        let hint = Some(format!("look at `executable` of [{section}], which `python` of [buildout] names"));
        return Err(Fault::Refused { message, hint, code: "E-profile-value" }.into());
    }
    engine.log(Level::Debug, None, format!("The build goes on with {wanted}."));
    settings.python = Some(wanted.clone());
    engine.restart(settings);
    engine.doing(Activity::Plain("Initializing."), |engine| {
        load::load(engine, settings)?;
        load::initialise_buildout(engine, settings)
    })?;
    let again = require_python(engine)?;
    if again != wanted {
        let message = format!("with {wanted}, [{section}] wants to go on with {again}");
        let hint = Some(format!("let no condition change the options of [{section}] and what it refers to"));
        return Err(Fault::Refused { message, hint, code: "E-profile-value" }.into());
    }
    Ok(first)
}

/// The Python that the profile makes; what makes it belongs to the parts of the second reading, too.
pub(super) fn require_python(engine: &mut Engine) -> Result<Utf8PathBuf, BuildError> {
    let section = engine.require("buildout", "python")?;
    Ok(Utf8PathBuf::from(engine.require(&section, "executable")?))
}

/// Whether the profile wants the build to go on with a Python that it makes.
pub(super) fn is_wanted(engine: &mut Engine) -> Result<bool, BuildError> {
    let extensions = engine.buildout_option("extensions")?.unwrap_or_default();
    let section = engine.require("buildout", "python")?;
    Ok(section != "buildout" && extensions.split_whitespace().any(|name| name == EXTENSION))
}

/// The file with the record of the first reading; none when the profile wants no record.
fn record_path(engine: &mut Engine) -> Result<Option<Utf8PathBuf>, BuildError> {
    let path = engine.require("buildout", "installed")?;
    Ok((!path.is_empty()).then(|| Utf8PathBuf::from(format!("{path}{SUFFIX}"))))
}

/// What the first reading of the last build has recorded; nothing when there is no such reading.
pub(super) fn recorded(engine: &mut Engine) -> Result<Installed, BuildError> {
    match record_path(engine)? {
        Some(path) if is_wanted(engine)? => Ok(Installed::load(&path)?.0),
        _ => Ok(Installed::default()),
    }
}

/// Without making anything: lets the engine begin again with the Python that the profile makes, if that is there
/// already. Says whether it did.
pub(super) fn look(engine: &mut Engine, settings: &mut Settings) -> Result<bool, BuildError> {
    if !is_wanted(engine)? {
        return Ok(false);
    }
    let wanted = require_python(engine)?;
    if host::python::find(Some(&wanted), "").is_err() {
        return Ok(false);
    }
    settings.python = Some(wanted);
    engine.restart(settings);
    Ok(true)
}

/// Installs the parts whose sections are initialised, if one of them is not as it should be.
fn install_initialised(engine: &mut Engine, settings: &mut Settings) -> Result<FirstPhase, BuildError> {
    let parts = options_of(engine, engine.order.clone())?;
    let path = record_path(engine)?;
    check_directory(path.as_deref())?;
    let mut record = Record::load(path, &*settings.clock)?;
    record.confine(Territory::of(engine)?);
    let check_signatures = engine.flag("check-signature", true)?;
    let wanted = Wanted { parts: &parts, keep_others: false, check_signatures };
    let directory = engine.directory().to_owned();
    let plan = plan(&record.installed(), &wanted, &|path| directory.join(path).exists());
    let mut made = Vec::new();
    if !plan.removals.is_empty() || plan.steps.iter().any(|(_, action)| *action == Action::Install) {
        let is_dry = engine.flag("dry-run", false)?;
        announce(engine, &plan, is_dry);
        if is_dry {
            return Ok(FirstPhase::default());
        }
        make_directories(engine)?;
        // The callers' hooks are for the whole build.
        let hooks = std::mem::take(&mut settings.hooks);
        let mut run = Run { engine, settings, record, outcome: Outcome::default() };
        let done = run.apply(plan, &parts);
        let saved = run.record.save();
        let path = run.engine.require("buildout", "installed")?;
        if !path.is_empty() {
            conducts::remember_more(run.engine, Utf8Path::new(&path), &run.record.installed().parts);
        }
        (record, made) = (run.record, run.outcome.installed);
        settings.hooks = hooks;
        done.and(saved)?;
    }
    Ok(FirstPhase { parts: record.installed().parts, made, is_all: false })
}

impl FirstPhase {
    /// Enters into the record what the first reading has installed and the second wants alike.
    pub(super) fn hand_over(&self, record: &mut Record, parts: &IndexMap<String, Options>) {
        let is_news =
            |part: &str| self.made.iter().any(|made| made == part) || record.recorded(part).is_none();
        for (part, options) in wanted_alike(&self.parts, parts, &is_news) {
            record.inherit(&part, options);
        }
    }
}

/// Those of the parts of the first reading that `is_news` is true of and the second reading wants alike, as the second
/// is to record them.
pub(super) fn wanted_alike(
    first: &IndexMap<String, Options>,
    parts: &IndexMap<String, Options>,
    is_news: &dyn Fn(&str) -> bool,
) -> Vec<(String, Options)> {
    let mut alike = Vec::new();
    for (part, installed) in first {
        let Some(wanted) = parts.get(part) else { continue };
        if is_news(part) && difference(installed, wanted, false).is_none() {
            let mut options = installed.clone();
            // What the part depends on may be said otherwise this time; it was built from it all the same.
            options.extend(wanted.get(SIGNATURE).map(|text| (SIGNATURE.to_owned(), text.clone())));
            alike.push((part.clone(), options));
        }
    }
    alike
}
