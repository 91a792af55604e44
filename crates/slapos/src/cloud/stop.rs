//! Taking a cloud down: agent, services, master, and whatever was left behind by one that was killed.

use std::collections::BTreeSet;
use std::time::Duration;

use host::clock::Clock;
use host::inhabitants::Inhabitant;
use host::process::is_alive;

use crate::cloud::daemon::end;
use crate::cloud::{Cloud, processes};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// How long services may take to end, altogether.
const SERVICES_LIMIT: Duration = Duration::from_secs(75);

/// Between two looks.
const STEP: Duration = Duration::from_millis(20);

/// Stops everything that runs for the cloud; returns what it stopped.
pub(crate) fn stop(context: &Context<'_>, cloud: &Cloud) -> Result<Vec<String>, Failure> {
    let mut stopped = Vec::new();
    // The agent first, or it would start again what is stopped.
    if processes::agent(cloud, context.environment).stop(&context.clock)? {
        stopped.push("agent".to_owned());
    }
    if let Some(services) = stop_services(context, cloud) {
        let plural = if services == 1 { "" } else { "es" };
        stopped.push(format!("supervisor and {services} process{plural}"));
    }
    if processes::master(cloud, context.environment).stop(&context.clock)? {
        stopped.push("master".to_owned());
    }
    let left = end_leftovers(context, cloud)?;
    if left > 0 {
        stopped.push(format!("{left} processes left behind by an earlier end"));
    }
    Ok(stopped)
}

/// Asks the supervisor to end with everything it runs; returns how many processes ran, `None` when it did not run.
fn stop_services(context: &Context<'_>, cloud: &Cloud) -> Option<usize> {
    let client = processes::supervisor(cloud);
    let pid = client.pid().ok()?;
    let processes = client.processes().unwrap_or_default();
    // The watchdog is the supervisor itself under another name.
    let running = processes.iter().filter(|process| process.state.is_running() && process.pid != pid).count();
    if let Err(error) = client.shutdown() {
        tracing::debug!(%error, "the supervisor did not take the request to end");
        host::process::ask_to_end(pid);
    }
    let deadline = context.clock.now() + SERVICES_LIMIT;
    while is_alive(pid) && context.clock.now() < deadline {
        context.clock.sleep(STEP);
    }
    if is_alive(pid) {
        end(pid, &context.clock, &|| !is_alive(pid));
    }
    Some(running)
}

/// Ends processes that belong to the cloud although nothing that is responsible for them lives: what they were started
/// with names the cloud. A shell that merely stands in its directory is not one of them.
fn end_leftovers(context: &Context<'_>, cloud: &Cloud) -> Result<usize, Failure> {
    let mut ended = BTreeSet::new();
    // A process may start another one while it is being ended.
    for _ in 0..100 {
        let left = leftovers(cloud).map_err(|error| {
            Failure::new(Kind::Failed, "cannot look at the running processes").because_of(&error)
        })?;
        if left.is_empty() {
            return Ok(ended.len());
        }
        for pid in left {
            host::process::kill(pid);
            ended.insert(pid);
        }
        context.clock.sleep(STEP);
    }
    Err(Failure::new(Kind::Failed, "some processes of the cloud do not end")
        .because(format!("their numbers: {ended:?}"))
        .hint("look at them with ps, then try again")
        .code("E-leftover"))
}

fn leftovers(cloud: &Cloud) -> std::io::Result<Vec<u32>> {
    let marks = [
        ("SUPERVISOR_SERVER_URL", format!("unix://{}", processes::supervisor(cloud).socket())),
        ("SLAPGRID_INSTANCE_ROOT", cloud.instance_root().to_string()),
    ];
    let all = Inhabitant::all()?;
    let mut spared = BTreeSet::new();
    let mut next = std::process::id();
    while next > 0 && spared.insert(next) {
        next = all.iter().find(|process| process.pid == next).map_or(0, |process| process.parent);
    }
    let is_left = |process: &&Inhabitant| {
        !process.is_zombie
            && !spared.contains(&process.pid)
            && marks.iter().any(|(name, value)| process.variable(name).as_deref() == Some(value))
    };
    Ok(all.iter().filter(is_left).map(|process| process.pid).collect())
}
