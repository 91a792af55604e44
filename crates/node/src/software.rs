//! The software pass: every release that the master wants on this node is installed once, every other removed.
//!
//! A release is complete when the master has been told so and `.completed` is written; it is never looked at again
//! unless forced. Whatever fails is reported with the whole output, and the other releases go on.

mod install;
mod plan;
mod profile;

use std::collections::BTreeSet;
use std::sync::Arc;

use host::files;
use jiff::tz::TimeZone;
use slap::client::ClientError;
use slap::{Computer, Release, SoftwareUrl};

use crate::Node;
use crate::build::{Failure, tail};
use crate::intended;
use crate::outcome::{Exit, Outcome, Problem, with_causes};
use crate::pid_file::PidFile;
use crate::progress::Event;

pub use install::InstallError;
pub use plan::Options;
use plan::{Action, plan};

/// Fetches what the master wants and makes it so, unless another software pass does.
#[must_use]
pub fn pass(node: &Node, options: &Options) -> Outcome {
    tracing::info!("Processing software releases...");
    let outcome = alone(node, options, || intended::fetch(node).map(Arc::new));
    tracing::info!("Finished software releases.");
    outcome
}

/// As [`pass`], for an answer of the master that is known already.
pub(crate) fn pass_for(node: &Node, computer: &Arc<Computer>, options: &Options) -> Outcome {
    alone(node, options, || Ok(Arc::clone(computer)))
}

fn alone(
    node: &Node,
    options: &Options,
    wanted: impl FnOnce() -> Result<Arc<Computer>, ClientError>,
) -> Outcome {
    let configuration = &node.configuration;
    let _pid_file = match PidFile::take(&configuration.pid_files.software) {
        Ok(file) => file,
        Err(error) => return error.into(),
    };
    if let Err(problem) =
        plan::check_options(options).and_then(|()| install::check_root(&configuration.software_root))
    {
        return Outcome::stopped(Exit::Failed, problem);
    }
    // For whoever starts the supervisor next; this pass needs none.
    if configuration.instance_root.is_dir()
        && let Err(error) = node.supervisor().write_configuration(Some(&node.watchdog()))
    {
        tracing::warn!("{}", with_causes(&error));
    }
    match wanted() {
        Ok(computer) => process(node, &computer, options),
        Err(error) => Outcome::stopped(Exit::Failed, intended::problem(node, &error)),
    }
}

/// Makes the releases of this machine those that `computer` wants.
fn process(node: &Node, computer: &Computer, options: &Options) -> Outcome {
    let is_completed = |url: &SoftwareUrl| is_available(node, url);
    let actions = plan(&computer.releases, options, &is_completed);
    let mut problems = Vec::new();
    for action in &actions {
        let result = match action {
            Action::Install(url) => install(node, url, options),
            Action::Remove(url) => remove(node, url),
        };
        problems.extend(result.err());
    }
    if options.garbage_collect {
        problems.extend(collect_garbage(node, &computer.releases).err());
    }
    Outcome::of(problems, actions.len())
}

/// Whether a release is complete on this machine.
#[must_use]
pub fn is_available(node: &Node, url: &SoftwareUrl) -> bool {
    node.configuration.release_directory(url).join(".completed").exists()
}

fn install(node: &Node, url: &SoftwareUrl, options: &Options) -> Result<(), Problem> {
    let started = node.clock.now();
    tracing::info!(software.url = %url, "Installing software release {url} ...");
    node.tell(Event::ReleaseStarted { url: url.to_string() });
    // Only informs: a master that is away must not keep a release from being built.
    if let Err(error) = node.client.building_release(&node.configuration.computer_id, url) {
        tracing::debug!(%error, "the master was not told that {url} is being built");
    }
    let result = install::install(node, url, options).and_then(|()| {
        node.client
            .available_release(&node.configuration.computer_id, url)
            .map_err(|source| InstallError::NotTold { url: url.clone(), source })?;
        let local = node.clock.now().to_zoned(TimeZone::system());
        let path = node.configuration.release_directory(url).join(".completed");
        files::replace(&path, local.strftime("%a %b %e %H:%M:%S %Y").to_string(), 0o644)
            .map_err(|source| InstallError::Prepare { path, source })
    });
    match result {
        Ok(()) => {
            let seconds = node.clock.now().duration_since(started).as_secs_f64();
            node.tell(Event::ReleaseFinished { url: url.to_string(), seconds });
            Ok(())
        }
        Err(error) => Err(report(node, url, &error)),
    }
}

/// Tells the log, the master and whoever listens of a release that could not be installed.
fn report(node: &Node, url: &SoftwareUrl, error: &InstallError) -> Problem {
    let mut problem = Problem::of(url.as_str(), error).with_code(error.code());
    problem.message = error.for_people();
    problem.hint = error.hint();
    if host::process::is_ending() {
        // The build was ended with this process; that says nothing about the release.
        return problem;
    }
    tracing::error!(software.url = %url, code = error.code(), "{}", problem.message);
    let log = error.for_master();
    if let Err(error) = node.client.release_error(&node.configuration.computer_id, url, &log) {
        tracing::warn!(%error, "the master was not told that {url} failed");
    }
    node.tell(Event::ReleaseFailed {
        url: url.to_string(),
        message: problem.message.clone(),
        code: problem.code.clone(),
        hint: problem.hint.clone(),
        tail: tail(error.output(), 20),
    });
    problem
}

fn remove(node: &Node, url: &SoftwareUrl) -> Result<(), Problem> {
    let path = node.configuration.release_directory(url);
    tracing::info!(software.url = %url, "Destroying software release {url} ...");
    files::remove_tree(&path)
        .map_err(|source| report(node, url, &InstallError::Remove { path: path.clone(), source }))?;
    match node.client.destroyed_release(&node.configuration.computer_id, url) {
        Ok(()) => {}
        Err(error) if intended::is_unknown(&error) => {}
        Err(source) => return Err(report(node, url, &InstallError::NotTold { url: url.clone(), source })),
    }
    node.tell(Event::ReleaseRemoved { url: url.to_string() });
    Ok(())
}

/// Removes the directories of releases that nobody wants.
fn collect_garbage(node: &Node, releases: &[Release]) -> Result<(), Problem> {
    let root = &node.configuration.software_root;
    let failed = |source| {
        let error = InstallError::Prepare { path: root.clone(), source };
        Problem::of(root.as_str(), &error).with_code(error.code())
    };
    let mut found = BTreeSet::new();
    for entry in root.read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().join("buildout.cfg").exists() {
            found.insert(entry.file_name().to_owned());
        }
    }
    for name in plan::garbage(releases, &found) {
        tracing::info!("Removing {name}, which no supplied release uses.");
        let path = root.join(&name);
        files::remove_tree(&path).map_err(|source| {
            let error = InstallError::Remove { path: path.clone(), source };
            Problem::of(path.as_str(), &error).with_code(error.code())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
