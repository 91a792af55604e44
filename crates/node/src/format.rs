//! `format`: this machine gets its partitions, and the master learns of them.
//!
//! What should be is worked out from a definition, from the state of the last time, or from the configuration; what is
//! to be done follows from what is there, so that a second run does nothing. Nothing is ever removed: the number of
//! partitions only grows.

mod addresses;
mod definition;
mod desired;
mod facts;
mod machine;
mod observe;
mod plan;
mod state;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use camino::Utf8PathBuf;
use host::files;
use host::process::Program;
use host::users::Account;

use crate::Node;
use crate::outcome::{Exit, Outcome, Problem};
use crate::progress::Event;

pub use definition::{DefinedPartition, Definition, DefinitionError};
pub use desired::FormatError;
use facts::Facts;
use machine::Machine;
use plan::{Action, plan};

/// What a person asks of one format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Changes nothing and tells the master nothing: the plan is all.
    pub dry_run: bool,
    /// The machine as somebody wrote it down: the content of `input_definition_file`.
    pub definition: Option<Definition>,
}

/// How a format ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// The outcome for the shell.
    pub outcome: Outcome,
    /// What was done, or would be, as commands for a person.
    pub plan: Vec<String>,
}

/// Formats this machine.
#[must_use]
pub fn pass(node: &Node, options: &Options) -> Formatted {
    let mut formatted = Formatted { outcome: Outcome::success(), plan: Vec::new() };
    if let Err(problem) = format(node, options, &mut formatted) {
        formatted.outcome = problem;
    }
    formatted
}

fn format(node: &Node, options: &Options, formatted: &mut Formatted) -> Result<(), Outcome> {
    let configuration = &node.configuration;
    let machine = desired::machine(configuration, options.definition.as_ref()).map_err(failed)?;
    let actions = plan(configuration, &machine, &observe::ThisMachine);
    formatted.plan = actions.iter().map(ToString::to_string).collect();
    let document = machine.document(configuration, &Facts::gather());
    let text = slap::wire::configuration::write_indented(&document)
        .map_err(|error| failed(FormatError::Document(error)))?;
    let state = &configuration.format.computer_xml;
    if files::read_text_if_present(state).ok().flatten().as_ref() != Some(&text) {
        formatted.plan.push(format!("write {state}"));
    }
    if options.dry_run {
        return Ok(());
    }
    for action in &actions {
        tracing::debug!("{action}");
        apply(node, action)
            .map_err(|source| failed(FormatError::Action { action: action.to_string(), source }))?;
    }
    write_state(node, &machine, &text)?;
    formatted.outcome.processed = machine.partitions.len();
    tracing::info!("Posting information to '{}'", configuration.master_url);
    if let Err(error) = node.client.load_computer_configuration(&document) {
        let mut problem = Problem::of(configuration.master_url.as_str(), &error).with_code(error.code());
        problem.hint = error.hint().map(str::to_owned);
        problem.message =
            format!("the computer is formatted, but the master was not told: {}", problem.message);
        tracing::error!("{}", problem.message);
        formatted.outcome.exit = Exit::MasterNotTold;
        formatted.outcome.problems.push(problem);
        return Ok(());
    }
    node.tell(Event::Formatted { partitions: machine.partitions.len() });
    tracing::info!("slapos successfully prepared the computer.");
    Ok(())
}

fn failed(error: FormatError) -> Outcome {
    let mut problem = Problem::of("node format", &error).with_code(error.code());
    problem.hint = error.hint();
    Outcome::stopped(Exit::Failed, problem)
}

fn write_state(node: &Node, machine: &Machine, text: &str) -> Result<(), Outcome> {
    let format = &node.configuration.format;
    let write = |path: &Utf8PathBuf, write: &dyn Fn() -> io::Result<bool>| {
        let made = path.parent().map_or(Ok(()), |parent| files::ensure_directory(parent, 0o755));
        made.and_then(|()| write())
            .map_err(|source| failed(FormatError::Action { action: format!("write {path}"), source }))
    };
    write(&format.computer_xml, &|| state::write(&format.computer_xml, text, node.clock.now()))?;
    if let Some(path) = &format.computer_json {
        let json = machine.json(&node.configuration, &Facts::gather());
        write(path, &|| files::replace_if_changed(path, &json, 0o644))?;
    }
    Ok(())
}

fn apply(node: &Node, action: &Action) -> io::Result<()> {
    match action {
        Action::Make { path, mode } => {
            files::ensure_directory(path, *mode)?;
            // The umask may have taken something away.
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(*mode))
        }
        Action::Mode { path, mode } => fs_err::set_permissions(path, std::fs::Permissions::from_mode(*mode)),
        Action::Give { path, user } => {
            let account = Account::by_name(user)?
                .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no user {user}")))?;
            files::give(path, &account)
        }
        Action::Run { words, may_fail } => run(node, words, *may_fail),
        Action::Write { path, text, mode } => files::replace(path, text, *mode),
    }
}

fn run(node: &Node, words: &[String], may_fail: bool) -> io::Result<()> {
    let [program, arguments @ ..] = words else { return Ok(()) };
    let finished = Program::new(program.as_str())
        .args(arguments)
        .envs(node.environment.variables())
        .run(Some(Duration::from_secs(60)), &mut |line| tracing::debug!("{line}"))?;
    if finished.success() || may_fail {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: {}", finished.verdict(), finished.text().trim())))
}

#[cfg(test)]
mod tests;
