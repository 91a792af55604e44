//! Asking for an instance and following what becomes of it, until it runs and its promises pass, or something failed.

use std::time::Duration;

use host::clock::Clock;
use host::signals::Interruptions;
use node::agent::Attempt;
use node::progress::Follower;
use slap::client::{Client, ClientError};
use slap::{ComputerId, Instance, InstanceRequest, InstanceTitle, SoftwareState, SoftwareUrl, Value};

use crate::cloud::instances::{self, InstanceView, fallen, is_service};
use crate::cloud::story::{Awaited, Story, Trouble};
use crate::cloud::view::View;
use crate::cloud::wish::Wish;
use crate::cloud::{Cloud, processes, rebuild, settings, start};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Between two reads of what happens.
const STEP: Duration = Duration::from_millis(50);

/// Between two looks at the whole when nothing happens.
const LOOK: Duration = Duration::from_secs(1);

/// A service that has run so long, in seconds, did not exit at once.
const STABLE: i64 = 1;

/// How a deployment ended, when it did not fail.
pub(crate) enum Ending {
    /// It runs, and its promises pass.
    Running(Box<InstanceView>, Box<Instance>),
    /// The person interrupted.
    Interrupted,
}

/// Somebody who waits for an instance.
pub(crate) struct Deployment<'a> {
    /// The surroundings.
    pub(crate) context: &'a Context<'a>,
    /// The cloud.
    pub(crate) cloud: &'a Cloud,
    /// Its master.
    pub(crate) client: &'a Client,
    /// Who interrupts.
    pub(crate) interruptions: &'a Interruptions,
    /// How long promises may fail, and services be down, before that is the result.
    pub(crate) patience: Duration,
}

impl Deployment<'_> {
    /// Supplies the release and asks for the instance; returns the request, and its answer. From here on `follower`
    /// tells what happens.
    pub(crate) fn ask(
        &self,
        title: &str,
        wish: &Wish,
        follower: &mut Follower,
    ) -> Result<(InstanceRequest, Instance), Failure> {
        // What began while the master did not run yet may fail for that reason alone.
        let _ = follower.read();
        let refused = |error: slap::InvalidId| Failure::of(Kind::Usage, &error).code("E-usage");
        let release: SoftwareUrl = wish.url.parse().map_err(refused)?;
        let title: InstanceTitle = title.parse().map_err(refused)?;
        let computer = computer();
        let known = self.client.computer(&computer)?;
        if rebuild::is_outdated(self.cloud, &release) {
            rebuild::forget(self.cloud, &release, &known)
                .map_err(|error| start::unwritable(self.cloud, &error))?;
        }
        if !known.releases.iter().any(|known| known.url == release && known.state == SoftwareState::Available)
        {
            self.client.supply(&release, &computer, SoftwareState::Available)?;
        }
        let parameters =
            wish.parameters.iter().map(|(name, value)| (name.clone(), Value::Text(value.clone()))).collect();
        let request = InstanceRequest { parameters, ..InstanceRequest::new(release, title) };
        let answer = match self.client.request(&request) {
            Ok(answer) => answer,
            Err(ClientError::NotFound { .. }) => {
                return Err(Failure::new(
                    Kind::Failed,
                    format!("there is no free partition for `{}`", request.title),
                )
                .because(format!("all {} partitions of this cloud are taken", known.partitions.len()))
                .hint("have one removed: slapos request TITLE URL --state destroyed")
                .code("E-place-no-node"));
            }
            Err(error) => return Err(error.into()),
        };
        self.poke();
        Ok((request, answer))
    }

    /// Makes the agent look at once: what failed earlier would be tried again some minutes later only.
    fn poke(&self) {
        if let Err(error) = node::agent::poke(&processes::configuration(self.cloud)) {
            tracing::debug!(%error, "the agent was not poked");
        }
    }

    /// Follows the instance until it runs, or something failed.
    pub(crate) fn follow(
        &self,
        request: &InstanceRequest,
        answer: &Instance,
        follower: &mut Follower,
        view: &mut View<'_>,
    ) -> Result<Ending, Failure> {
        let Some((_, partition)) = &answer.place else {
            return Err(
                Failure::new(Kind::Failed, "the master placed the instance nowhere").code("E-master-answer")
            );
        };
        let mut story =
            Story::new(Awaited { url: request.software.to_string(), partition: partition.to_string() });
        let started = self.context.clock.now();
        let mut next_look = started;
        loop {
            for entry in follower.read().unwrap_or_default() {
                for line in story.take(&entry) {
                    view.line(&line);
                }
                next_look = entry.at.min(next_look);
            }
            if story.take_missed() {
                self.poke();
            }
            let now = self.context.clock.now();
            view.doing(story.steps(), now);
            if now >= next_look {
                next_look = now + LOOK;
                let found = self.look(partition.as_str())?;
                if found.as_ref().is_some_and(is_fine) {
                    let instance = self.client.request(request)?;
                    let found = found.expect("checked just above");
                    return Ok(Ending::Running(Box::new(found), Box::new(instance)));
                }
                self.check(&story, found.as_ref(), started)?;
            }
            if self.interruptions.wait(STEP).unwrap_or(false) {
                return Ok(Ending::Interrupted);
            }
        }
    }

    fn look(&self, partition: &str) -> Result<Option<InstanceView>, Failure> {
        let known = self.client.computer(&computer())?;
        Ok(instances::look(self.cloud, &known)
            .into_iter()
            .find(|view| view.partition.id.as_str() == partition))
    }

    /// Fails when what was heard or seen is a result.
    fn check(
        &self,
        story: &Story,
        found: Option<&InstanceView>,
        started: jiff::Timestamp,
    ) -> Result<(), Failure> {
        let now = self.context.clock.now();
        let agent = processes::agent(self.cloud, self.context.environment);
        if agent.running()?.is_none() {
            return Err(agent.failed("ended", 0));
        }
        if let Some(trouble) = story.trouble() {
            if !trouble.is_promise {
                return Err(self.build_failure(trouble));
            }
            if now > trouble.since + self.patience {
                return Err(self.promise_failure(found, Some(trouble)));
            }
        }
        // What failed before anybody listened is not heard of again soon; while something is being done, it is waited for.
        if now > started + self.patience && story.steps().next().is_none() {
            match found {
                Some(found) if found.failing().next().is_some() || found.fallen().next().is_some() => {
                    return Err(self.promise_failure(Some(found), None));
                }
                _ => self.check_attempts(story)?,
            }
        }
        Ok(())
    }

    /// Fails when the agent waits with trying again: what happened may have happened before anybody listened.
    fn check_attempts(&self, story: &Story) -> Result<(), Failure> {
        let Ok(status) = node::agent::status(&processes::configuration(self.cloud)) else { return Ok(()) };
        let awaited = story.awaited();
        let is_ours =
            |attempt: &&Attempt| attempt.subject == awaited.url || attempt.subject == awaited.partition;
        let Some(attempt) = status.failed_releases.iter().chain(&status.failed_partitions).find(is_ours)
        else {
            return Ok(());
        };
        Err(Failure::new(Kind::Failed, attempt.message.clone())
            .because(format!("it failed {} times in a row", attempt.failures))
            .hint("run slapos up again to have it tried at once: what is built is kept")
            .hint(format!("the whole log: {}", self.cloud.log("agent")))
            .code("E-build-failed"))
    }

    fn build_failure(&self, trouble: &Trouble) -> Failure {
        let what = if trouble.is_release { "release" } else { "instance" };
        let tail = trouble.tail.join("\n");
        let again = "run slapos up again: it goes on from here, what is built is kept";
        let log = format!("the whole log: {}", self.cloud.log("agent"));
        if let Some(printed) = Failure::printed_in(&tail) {
            return printed.go_on(again).hint(log);
        }
        let message = match &trouble.part {
            Some(part) => format!("part `{part}` of the {what} failed"),
            None => format!("the {what} could not be built"),
        };
        let mut failure = Failure::new(Kind::Failed, message).because(trouble.message.clone());
        if !tail.is_empty() {
            failure = failure.excerpt(tail);
        }
        if let Some(hint) = &trouble.hint {
            failure = failure.hint(hint.clone());
        }
        failure
            .go_on(again)
            .hint(log)
            .code(trouble.code.clone().unwrap_or_else(|| "E-build-failed".to_owned()))
    }

    /// The failure for an instance that was built but does not do what it promises.
    fn promise_failure(&self, found: Option<&InstanceView>, trouble: Option<&Trouble>) -> Failure {
        let Some(found) = found else {
            let message = trouble.map_or("a promise fails", |trouble| trouble.message.as_str());
            return Failure::new(Kind::Promise, message)
                .hint("slapos status shows how it is")
                .code("E-promise-failed");
        };
        let title = found.title();
        let failing = found.failing().count();
        let down = found.fallen().next();
        let message = match (failing, down) {
            (0, Some(_)) => format!("`{title}` was built, but a service of it does not run"),
            (0, None) => format!("`{title}` was built, but it is not well: {}", found.status.reason),
            _ => format!("`{title}` was built, but {failing} of {} promises fail", found.promises.len()),
        };
        let mut failure = Failure::new(Kind::Promise, message);
        for promise in found.failing() {
            failure = failure.because(format!("{}: {}", promise.name, promise.message));
        }
        if let Some(process) = down {
            failure = failure.because(fallen(process));
            let log = fs_err::read_to_string(&process.stdout_log).unwrap_or_default();
            let mut lines: Vec<&str> = log.lines().collect();
            // One that is restarted says the same again and again.
            lines.dedup();
            if !lines.is_empty() {
                failure = failure.excerpt(lines[lines.len().saturating_sub(10)..].join("\n"));
            }
        }
        failure
            .hint(format!("what it writes: slapos logs {title}"))
            .hint("it is looked at again by itself: slapos status")
            .code(if failing == 0 { "E-service-down" } else { "E-promise-failed" })
    }
}

/// Whether everything that was asked is so, and lasts.
fn is_fine(view: &InstanceView) -> bool {
    let is_stable = |process: &node::supervisor::ProcessInfo| {
        !is_service(process) || process.now - process.start >= STABLE
    };
    view.is_current
        && view.failing().next().is_none()
        && view.fallen().next().is_none()
        && view.processes.iter().all(is_stable)
}

/// The one computer of a cloud.
pub(crate) fn computer() -> ComputerId {
    settings::COMPUTER.parse().expect("the constant is an id")
}
