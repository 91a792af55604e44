//! What happens while a cloud brings an instance up, told in the order of the events: a pure account of what is being
//! done, what is done and what failed. How it is shown is another matter.

use std::collections::BTreeMap;

use jiff::Timestamp;
use node::progress::{Entry, Event, PartAction};

/// What somebody waits for.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    /// Address of the release.
    pub(crate) url: String,
    /// The partition of the instance.
    pub(crate) partition: String,
}

/// Something being done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// What it is: a part, a release, a partition.
    pub(crate) name: String,
    /// Since when.
    pub(crate) since: Timestamp,
    /// The last thing that was heard of it.
    pub(crate) said: String,
}

/// The last word of one of the two builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Whether the build went well and only a promise fails.
    pub(crate) is_promise: bool,
    /// Whether it was the release that could not be built.
    pub(crate) is_release: bool,
    /// Why, for a person.
    pub(crate) message: String,
    /// Stable code.
    pub(crate) code: Option<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// The last lines of the build.
    pub(crate) tail: Vec<String>,
    /// The part that was being built.
    pub(crate) part: Option<String>,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// The story so far.
#[derive(Debug)]
pub(crate) struct Story {
    awaited: Awaited,
    /// The whole that is being done: the release or the partition.
    whole: Option<Step>,
    /// The part of it, and what is done to it.
    part: Option<(Step, PartAction)>,
    /// Parts that were removed, with the seconds that it took: most are made again, and are then told of once.
    removed: Vec<(String, f64)>,
    /// The last failure, as long as nothing better was heard.
    trouble: Option<Trouble>,
    /// Whether each promise passes.
    promises: BTreeMap<String, bool>,
    /// Whether something failed that had begun before anybody listened.
    missed: bool,
}

impl Story {
    /// Nothing has happened yet.
    pub(crate) fn new(awaited: Awaited) -> Self {
        Self {
            awaited,
            whole: None,
            part: None,
            removed: Vec::new(),
            trouble: None,
            promises: BTreeMap::new(),
            missed: false,
        }
    }

    /// What is waited for.
    pub(crate) fn awaited(&self) -> &Awaited {
        &self.awaited
    }

    /// What is being done, the whole before its part.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.whole.iter().chain(self.part.as_ref().map(|(step, _)| step))
    }

    /// Whether something failed that had begun before anybody listened, since this was last asked. It may have failed
    /// for a reason that is gone, such as a master that did not run, and says nothing of what is asked for here.
    pub(crate) fn take_missed(&mut self) -> bool {
        std::mem::take(&mut self.missed)
    }

    /// The last failure, as long as nothing better was heard.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Takes one entry; returns the lines that say what is done by it.
    pub(crate) fn take(&mut self, entry: &Entry) -> Vec<String> {
        let at = entry.at;
        match &entry.event {
            Event::ReleaseStarted { url } if *url == self.awaited.url => {
                self.begin("release", at);
                vec!["release     building".to_owned()]
            }
            Event::ReleaseFinished { url, seconds } if *url == self.awaited.url => {
                self.trouble = None;
                let mut lines = self.end();
                lines.push(format!("release     installed{:>22}", spent(*seconds)));
                lines
            }
            Event::ReleaseFailed { url, message, code, hint, tail } if *url == self.awaited.url => {
                let trouble = Trouble {
                    is_promise: false,
                    is_release: true,
                    message: message.clone(),
                    code: code.clone(),
                    hint: hint.clone(),
                    tail: tail.clone(),
                    part: None,
                    since: at,
                };
                self.fail("release", trouble)
            }
            Event::PartStarted { subject, part, action } if self.concerns(subject) => {
                let name = match action {
                    PartAction::Install => part.clone(),
                    PartAction::Update => format!("{part} (update)"),
                    PartAction::Uninstall => format!("{part} (remove)"),
                };
                self.part = Some((Step { name, since: at, said: String::new() }, *action));
                if let Some(whole) = &mut self.whole {
                    whole.said.clear();
                }
                Vec::new()
            }
            Event::PartFinished { subject, part, seconds } if self.concerns(subject) => {
                let action = self.part.take().map(|(_, action)| action);
                self.part_done(part, action, *seconds)
            }
            Event::Output { subject, line } if self.concerns(subject) => {
                if let Some(step) = self.part.as_mut().map(|(step, _)| step).or(self.whole.as_mut()) {
                    step.said.clone_from(line);
                }
                Vec::new()
            }
            other => self.take_of_partition(other, at),
        }
    }

    fn take_of_partition(&mut self, event: &Event, at: Timestamp) -> Vec<String> {
        let own = self.awaited.partition.clone();
        match event {
            Event::PartitionStarted { partition, .. } if *partition == own => {
                self.begin(&format!("instance {own}"), at);
                vec![format!("instance    deploying in {own}")]
            }
            Event::PartitionFinished { partition, state, seconds } if *partition == own => {
                self.trouble = None;
                let what = format!("{state} in {own}");
                let mut lines = self.end();
                lines.push(format!("instance    {what:<18}{:>13}", spent(*seconds)));
                lines
            }
            Event::PartitionFailed { partition, is_promise, message, code, hint, tail }
                if *partition == own =>
            {
                let since = match &self.trouble {
                    // The same promise failing again is one failure that lasts.
                    Some(known) if known.is_promise && *is_promise => known.since,
                    _ => at,
                };
                let trouble = Trouble {
                    is_promise: *is_promise,
                    is_release: false,
                    message: message.clone(),
                    code: code.clone(),
                    hint: hint.clone(),
                    tail: tail.clone(),
                    part: None,
                    since,
                };
                self.fail("instance", trouble)
            }
            Event::PromiseChecked { partition, promise, failed, message } if *partition == own => {
                let passes = !failed;
                if self.promises.insert(promise.clone(), passes) == Some(passes) {
                    return Vec::new();
                }
                let mut line = format!("  promise {promise:<20} {}", if passes { "passes" } else { "fails" });
                if let (false, Some(first)) = (passes, message.lines().next()) {
                    line.push_str(": ");
                    line.push_str(first);
                }
                vec![line]
            }
            Event::ProcessExited { partition, process, status } if *partition == own => {
                vec![format!("  service {process:<20} ended with {status}")]
            }
            Event::MasterLost { reason } => vec![format!("master      does not answer: {reason}")],
            _ => Vec::new(),
        }
    }

    fn concerns(&self, subject: &str) -> bool {
        subject == self.awaited.url || subject == self.awaited.partition
    }

    fn begin(&mut self, name: &str, at: Timestamp) {
        self.whole = Some(Step { name: name.to_owned(), since: at, said: String::new() });
        self.part = None;
        self.removed.clear();
    }

    /// The line of a part on which the work ended: one for each part, which says what happened unless it was just made.
    fn part_done(&mut self, part: &str, action: Option<PartAction>, seconds: f64) -> Vec<String> {
        let known = self.removed.iter().position(|(name, _)| name == part);
        match (action, known) {
            (Some(PartAction::Uninstall), None) => {
                self.removed.push((part.to_owned(), seconds));
                Vec::new()
            }
            (_, Some(known)) => {
                let (_, before) = self.removed.remove(known);
                vec![part_line(part, before + seconds, "made again")]
            }
            (Some(PartAction::Update), None) => vec![part_line(part, seconds, "updated")],
            (Some(PartAction::Install) | None, None) => vec![part_line(part, seconds, "")],
        }
    }

    /// The whole is over; returns the lines of the parts that were removed for good.
    fn end(&mut self) -> Vec<String> {
        self.whole = None;
        self.part = None;
        self.removed.drain(..).map(|(part, seconds)| part_line(&part, seconds, "removed")).collect()
    }

    fn fail(&mut self, what: &str, mut trouble: Trouble) -> Vec<String> {
        if self.whole.is_none() && !trouble.is_promise {
            self.part = None;
            self.missed = true;
            return Vec::new();
        }
        trouble.part = self.part.take().map(|(step, _)| step.name);
        let mut lines = self.end();
        let is_known = self.trouble.as_ref().is_some_and(|known| known.message == trouble.message);
        // Why a build failed is told at the end, with everything else about it.
        let reason = if trouble.is_promise { trouble.message.lines().next() } else { None };
        let line = format!(
            "{what:<12}failed{}{}",
            if reason.is_some() { ": " } else { "" },
            reason.unwrap_or_default()
        );
        self.trouble = Some(trouble);
        if !is_known {
            lines.push(line);
        }
        lines
    }
}

/// The line of a part: its name, how long it took, and what happened to it, if that is to be said.
fn part_line(part: &str, seconds: f64, what: &str) -> String {
    format!("  {part:<28}{:>13}   {what}", spent(seconds)).trim_end().to_owned()
}

/// A time that was taken, as people say it.
pub(crate) fn spent(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "times are small and positive"
        )]
        let whole = seconds.round() as u64;
        format!("{} min {:02}", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story() -> Story {
        Story::new(Awaited { url: "/p/software.cfg".to_owned(), partition: "slappart0".to_owned() })
    }

    fn entry(second: i64, event: Event) -> Entry {
        Entry { at: Timestamp::from_second(1_795_210_000 + second).unwrap(), event }
    }

    fn part_started(part: &str) -> Event {
        Event::PartStarted {
            subject: "/p/software.cfg".to_owned(),
            part: part.to_owned(),
            action: PartAction::Install,
        }
    }

    fn promise_failed(message: &str) -> Event {
        Event::PartitionFailed {
            partition: "slappart0".to_owned(),
            is_promise: true,
            message: message.to_owned(),
            code: None,
            hint: None,
            tail: Vec::new(),
        }
    }

    #[test]
    fn a_release_is_told_part_by_part() {
        let mut story = story();
        let url = "/p/software.cfg".to_owned();

        let mut lines = story.take(&entry(0, Event::ReleaseStarted { url: url.clone() }));
        lines.extend(story.take(&entry(1, part_started("flask"))));
        let doing: Vec<String> = story.steps().map(|step| step.name.clone()).collect();
        lines.extend(story.take(&entry(
            9,
            Event::PartFinished { subject: url.clone(), part: "flask".to_owned(), seconds: 8.04 },
        )));
        lines.extend(story.take(&entry(90, Event::ReleaseFinished { url, seconds: 90.0 })));

        assert_eq!(doing, ["release", "flask"]);
        insta::assert_snapshot!(lines.join("\n"), @r"
        release     building
          flask                               8.0 s
        release     installed              1 min 30
        ");
        assert_eq!(story.steps().count(), 0);
    }

    #[test]
    fn a_part_that_is_removed_to_be_made_again_is_told_of_once() {
        let subject = || "slappart0".to_owned();
        let mut story = story();
        let mut lines = Vec::new();
        let started =
            Event::PartitionStarted { partition: subject(), title: None, state: "started".to_owned() };
        lines.extend(story.take(&entry(0, started)));
        for (part, action, seconds) in [
            ("old", PartAction::Uninstall, 0.2),
            ("page", PartAction::Uninstall, 0.1),
            ("web", PartAction::Update, 0.0),
            ("page", PartAction::Install, 1.0),
            ("new", PartAction::Install, 0.5),
        ] {
            let part = part.to_owned();
            let started = Event::PartStarted { subject: subject(), part: part.clone(), action };
            lines.extend(story.take(&entry(1, started)));
            lines.extend(story.take(&entry(1, Event::PartFinished { subject: subject(), part, seconds })));
        }
        let finished =
            Event::PartitionFinished { partition: subject(), state: "started".to_owned(), seconds: 2.0 };
        lines.extend(story.take(&entry(2, finished)));

        insta::assert_snapshot!(lines.join("\n"), @r"
        instance    deploying in slappart0
          web                                 0.0 s   updated
          page                                1.1 s   made again
          new                                 0.5 s
          old                                 0.2 s   removed
        instance    started in slappart0        2.0 s
        ");
    }

    #[test]
    fn a_failure_names_the_part_and_lasts_until_something_better_is_heard() {
        let mut story = story();
        story.take(&entry(0, Event::ReleaseStarted { url: "/p/software.cfg".to_owned() }));
        story.take(&entry(0, part_started("flask")));

        story.take(&entry(
            1,
            Event::ReleaseFailed {
                url: "/p/software.cfg".to_owned(),
                message: "it broke".to_owned(),
                code: None,
                hint: None,
                tail: Vec::new(),
            },
        ));

        assert_eq!(story.trouble().unwrap().part.as_deref(), Some("flask"));
        story.take(&entry(2, Event::ReleaseFinished { url: "/p/software.cfg".to_owned(), seconds: 1.0 }));
        assert!(story.trouble().is_none());
    }

    #[test]
    fn a_failure_of_what_had_begun_before_is_missed() {
        let mut story = story();
        let failed = Event::ReleaseFailed {
            url: "/p/software.cfg".to_owned(),
            message: "it broke".to_owned(),
            code: None,
            hint: None,
            tail: Vec::new(),
        };

        assert!(story.take(&entry(0, failed)).is_empty());

        assert!(story.trouble().is_none());
        assert!(story.take_missed());
        assert!(!story.take_missed());
    }

    #[test]
    fn a_promise_that_fails_again_is_one_failure_since_its_first_time() {
        let mut story = story();

        let first = story.take(&entry(0, promise_failed("port closed")));
        let second = story.take(&entry(7, promise_failed("port closed")));

        assert_eq!(first, ["instance    failed: port closed"]);
        assert!(second.is_empty());
        assert_eq!(story.trouble().unwrap().since, entry(0, Event::MasterFound).at);
    }

    #[test]
    fn others_are_not_told_of() {
        let event = Event::PartitionFinished {
            partition: "slappart1".to_owned(),
            state: "started".to_owned(),
            seconds: 1.0,
        };

        assert!(story().take(&entry(0, event)).is_empty());
    }
}
