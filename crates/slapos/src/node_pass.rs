//! What the node commands have in common: from the configuration to a [`Node`], and from an outcome to an exit code.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use host::clock::Clock;
use node::environment::Environment as ChildEnvironment;
use node::outcome::{Exit, Outcome, Problem};
use node::progress::{Journal, Progress};
use node::promise::{BangMaster, Runner, RunnerSettings};
use node::{Configuration, Node};
use slap::client::{Client, Endpoint};

use crate::config::node::{NodeFlags, NodeSettings, definition, load};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// How long the master may take to answer a node.
const PATIENCE: Duration = Duration::from_secs(60);

/// Promises that run at the same time.
const PARALLEL_PROMISES: usize = 4;

/// How long an interpreter that has nothing to do is kept.
const IDLE_INTERPRETER: Duration = Duration::from_secs(180);

/// Reads the configuration, checks who runs, waits the random delay that cron habits want.
pub(crate) fn begin(context: &Context<'_>, flags: &NodeFlags) -> Result<(NodeSettings, Node), Failure> {
    let settings = load(context, flags)?;
    check_user(&settings.configuration)?;
    if !settings.maximal_delay.is_zero() {
        wait_up_to(context, settings.maximal_delay);
    }
    let node = connect(context, settings.configuration.clone())?;
    Ok((settings, node))
}

/// Waits a random time.
pub(crate) fn wait_up_to(context: &Context<'_>, limit: Duration) {
    let delay = spread(context.clock.now(), limit);
    tracing::info!("Sleeping for {} seconds, so that nodes do not ask all at once.", delay.as_secs());
    context.clock.sleep(delay);
}

/// The node of a configuration; nothing is sent yet.
pub(crate) fn connect(context: &Context<'_>, configuration: Configuration) -> Result<Node, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(context.clock);
    let client = Client::new(&Endpoint {
        key_file: configuration.credentials.key_file.clone(),
        cert_file: configuration.credentials.certificate_file.clone(),
        ca_file: configuration.credentials.authority_file.clone(),
        timeout: PATIENCE,
        ..Endpoint::new(&configuration.master_url)
    })?;
    let progress: Arc<dyn Progress> = Arc::new(Journal::new(configuration.events_file(), Arc::clone(&clock)));
    Ok(Node {
        client,
        clock,
        progress,
        environment: Arc::new(ChildEnvironment::allowed(context.environment.variables.iter().cloned())),
        promises: Arc::new(promises(context, &configuration)?),
        configuration: Arc::new(configuration),
    })
}

/// Who runs the promises of a node.
fn promises(context: &Context<'_>, configuration: &Configuration) -> Result<Runner, Failure> {
    Runner::new(RunnerSettings {
        timeout: configuration.promise_timeout,
        parallel: PARALLEL_PROMISES,
        python: python(context),
        master: Some(BangMaster {
            url: configuration.master_url.clone(),
            computer_id: configuration.computer_id.to_string(),
            certificate_repository: configuration.credentials.partition_directory.clone(),
        }),
        idle: IDLE_INTERPRETER,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        clock: Arc::new(context.clock),
    })
    .map_err(|error| Failure::new(Kind::Failed, "cannot prepare to run promises").because_of(&error))
}

/// The interpreter of the machine, for plugins whose release brings none.
fn python(context: &Context<'_>) -> Option<Utf8PathBuf> {
    let directories =
        std::env::split_paths(&context.environment.path).filter_map(|path| Utf8PathBuf::try_from(path).ok());
    directories.map(|directory| directory.join("python3")).find(|path| path.is_file())
}

/// Refuses an ordinary user where the configuration wants root.
pub(crate) fn check_user(configuration: &Configuration) -> Result<(), Failure> {
    if !configuration.root_check || host::users::is_root() {
        return Ok(());
    }
    Err(Failure::new(Kind::NotAllowed, "this command must be run by root")
        .because("the configuration does not say otherwise")
        .hint("run it as root, or set root_check = false in [slapos]")
        .code("E-not-root"))
}

/// Formats a node that somebody waits for.
pub(crate) fn format(node: &Node) -> Result<(), Failure> {
    let definition = definition(&node.configuration)?;
    let formatted = node::format::pass(node, &node::format::Options { dry_run: false, definition });
    match formatted.outcome.problems.first() {
        Some(problem) => Err(failure(formatted.outcome.exit, problem)),
        None => Ok(()),
    }
}

/// Shows how a pass ended.
pub(crate) fn end(context: &Context<'_>, outcome: &Outcome) -> Result<u8, Failure> {
    if context.output.is_json() {
        context.output.json(&serde_json::json!({
            "exit-code": outcome.exit.code(),
            "processed": outcome.processed,
            "problems": outcome.problems,
        }));
    }
    let is_refused = matches!(outcome.exit, Exit::Locked | Exit::NotRoot);
    if let [problem] = outcome.problems.as_slice()
        && outcome.processed == 0
        && (is_refused || outcome.exit == Exit::Failed)
    {
        return Err(failure(outcome.exit, problem));
    }
    for line in outcome.summary() {
        tracing::error!("{line}");
    }
    for problem in &outcome.problems {
        let hint = problem.hint.as_deref().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
        let code = problem.code.as_deref().unwrap_or_default();
        if !(hint.is_empty() && code.is_empty()) {
            context.output.say(&format!("{hint}{code}"));
        }
    }
    Ok(outcome.exit.code())
}

fn failure(exit: Exit, problem: &Problem) -> Failure {
    let kind = match exit {
        Exit::Locked => Kind::Locked,
        Exit::NotRoot => Kind::NotAllowed,
        _ => Kind::Failed,
    };
    let mut failure = Failure::new(kind, problem.message.clone());
    if let Some(hint) = &problem.hint {
        failure = failure.hint(hint.clone());
    }
    if let Some(code) = &problem.code {
        failure = failure.code(code.clone());
    }
    failure
}

/// A wait between 0 and `limit` that differs from machine to machine and from time to time.
fn spread(now: jiff::Timestamp, limit: Duration) -> Duration {
    let span = limit.as_nanos().max(1);
    let seed = now.as_nanosecond().unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Duration::from_nanos(u64::try_from((seed >> 16) % span).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_stays_below_its_limit() {
        let start: jiff::Timestamp = "2026-11-20T21:31:42.123456789Z".parse().unwrap();

        for second in 0..100 {
            let delay = spread(start + Duration::from_secs(second), Duration::from_secs(10));
            assert!(delay < Duration::from_secs(10));
        }
    }
}
