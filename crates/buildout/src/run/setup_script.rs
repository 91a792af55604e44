//! Setup scripts of source directories, run by the Python of the build with its setuptools.

use camino::{Utf8Path, Utf8PathBuf};
use host::process::Program;

use crate::eggs::ProjectName;
use crate::engine::Engine;
use crate::{BuildError, Fault, Level};

const DRIVER: &str = include_str!("../../../../python/slapos_bridge/setup_script.py");
/// The code with which the driver ends when the interpreter has no setuptools.
const NO_SETUPTOOLS: i32 = 96;
/// The distribution that setup scripts need.
const SETUPTOOLS: &str = "setuptools";

/// What to do with a setup script.
pub(super) enum Purpose<'a> {
    /// Run it with these arguments.
    Run(&'a [String]),
    /// Install its directory in development mode; the link goes into this directory.
    Develop(&'a Utf8Path),
}

/// Runs a setup script in its directory; its output is the build's.
///
/// # Errors
/// It fails, or there is no setuptools.
pub(super) fn run(engine: &mut Engine, script: &Utf8Path, purpose: &Purpose<'_>) -> Result<(), BuildError> {
    let pinned = engine.versions()?.keys().any(|name| ProjectName::new(name).as_str() == SETUPTOOLS);
    let mut path = if pinned { install(engine)? } else { Vec::new() };
    loop {
        let program = program(engine, script, purpose, &path)?;
        let command = program.command_line();
        let status = program
            .run_attached()
            .map_err(|source| BuildError::file(format!("cannot run {}", program.path()), source))?;
        if status.success() {
            return Ok(());
        }
        if status.code() == Some(NO_SETUPTOOLS) && path.is_empty() {
            path = install(engine)?;
            continue;
        }
        let how = match status.code() {
            Some(code) => format!("exit code {code}"),
            None => status.to_string(),
        };
        tracing::debug!(command, how, "a setup script failed");
        let message = format!("the setup script {script} failed with {how}");
        let hint = Some("the lines above are what it printed".to_owned());
        return Err(Fault::Refused { message, hint, code: "E-develop" }.into());
    }
}

/// The places of setuptools and of what it needs.
fn install(engine: &mut Engine) -> Result<Vec<Utf8PathBuf>, BuildError> {
    let settings = engine.egg_settings()?;
    let set = engine
        .install_eggs(&settings, &[SETUPTOOLS])
        .map_err(|error| BuildError::from_recipe("buildout", error.into()))?;
    Ok(set.path())
}

fn program(
    engine: &mut Engine,
    script: &Utf8Path,
    purpose: &Purpose<'_>,
    setuptools: &[Utf8PathBuf],
) -> Result<Program, BuildError> {
    let python = engine.python()?;
    let environment = &engine.environment;
    let inherited = ["PYTHONEXTRAPATH", "PYTHONPATH"].map(|name| environment.get(name));
    let path: Vec<&str> = setuptools
        .iter()
        .map(|place| place.as_str())
        .chain(inherited.into_iter().flatten().map(String::as_str))
        .filter(|place| !place.is_empty())
        .collect();
    let mut program = Program::new(python).envs(environment).args(["-c", DRIVER]);
    if !path.is_empty() {
        program = program.env("PYTHONPATH", path.join(":"));
    }
    Ok(match purpose {
        Purpose::Run(arguments) => program.args(["run", script.as_str()]).args(arguments.iter()),
        Purpose::Develop(target) => {
            // As much is said as with the Python engine at each of its levels.
            let quiet = if engine.log_threshold() == 0 { &[][..] } else { &["-q"] };
            if engine.is_verbose() {
                let mut words = vec![program.path().as_str(), script.as_str()];
                words.extend(quiet);
                words.extend(["develop", "-mN", "-d", target.as_str()]);
                let message = format!("in: '{}'\n{}", script.parent().unwrap_or(script), words.join(" "));
                engine.log(Level::Debug, None, message);
            }
            program.args(["develop", script.as_str(), target.as_str()]).args(quiet.iter().copied())
        }
    })
}
