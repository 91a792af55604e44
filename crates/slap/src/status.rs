//! The one word that panel and terminal show for a service, and why.

use serde::{Deserialize, Serialize};

use crate::state::RequestedState;

/// The words, worst first: the order in which lists are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StatusWord {
    /// Its destruction was asked for and confirmed.
    Destroyed,
    /// It is stopped or refused because of the payer.
    Unpaid,
    /// Its node has not been heard of for ten minutes.
    Silent,
    /// It is being built, started, stopped or removed.
    Working,
    /// Its build or one of its promises fails.
    Failing,
    /// It has no partition yet, or its release is not installed.
    Waiting,
    /// Something below it is bad.
    Degraded,
    /// It was asked to stop and has stopped.
    Stopped,
    /// Everything that was asked is so.
    Running,
}

/// The colour that a word is shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// As it should be.
    Ok,
    /// Something is happening.
    Work,
    /// Somebody should look.
    Warn,
    /// Broken.
    Bad,
    /// Nothing is expected.
    Off,
    /// Nothing is known.
    Lost,
}

impl StatusWord {
    /// The word as it is shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Destroyed => "Destroyed",
            Self::Unpaid => "Unpaid",
            Self::Silent => "Silent",
            Self::Working => "Working",
            Self::Failing => "Failing",
            Self::Waiting => "Waiting",
            Self::Degraded => "Degraded",
            Self::Stopped => "Stopped",
            Self::Running => "Running",
        }
    }

    /// Its shape, which carries the meaning where there is no colour.
    #[must_use]
    pub fn shape(self) -> char {
        match self {
            Self::Destroyed => '×',
            Self::Unpaid => '¤',
            Self::Silent => '◌',
            Self::Working => '◐',
            Self::Failing => '◆',
            Self::Waiting => '△',
            Self::Degraded => '◈',
            Self::Stopped => '■',
            Self::Running => '●',
        }
    }

    /// Its shape on a terminal that has only ASCII.
    #[must_use]
    pub fn ascii_shape(self) -> char {
        match self {
            Self::Destroyed => 'x',
            Self::Unpaid => '$',
            Self::Silent => '?',
            Self::Working => '~',
            Self::Failing => '!',
            Self::Waiting => '-',
            Self::Degraded => '%',
            Self::Stopped => '=',
            Self::Running => '+',
        }
    }

    /// Its colour.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Destroyed | Self::Stopped => Role::Off,
            Self::Unpaid | Self::Waiting | Self::Degraded => Role::Warn,
            Self::Silent => Role::Lost,
            Self::Working => Role::Work,
            Self::Failing => Role::Bad,
            Self::Running => Role::Ok,
        }
    }
}

impl std::fmt::Display for StatusWord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A word with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The word.
    pub word: StatusWord,
    /// One line that says why.
    pub reason: String,
}

/// How far the release of an instance is on its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseProgress {
    /// It is not installed and nobody installs it at the moment.
    Wanted,
    /// It is being built; what is known of the progress: `part 3 of 12, flask`.
    Building(String),
    /// Its build failed; the first line of the error.
    Failed(String),
    /// It is installed.
    Installed,
}

/// What the node last reported of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// Nothing since the request that is in force.
    Nothing,
    /// It is being built, started, stopped or removed; the step.
    Working(String),
    /// Its build failed; the first line of the error.
    Error(String),
    /// It is in this state.
    State(RequestedState),
}

/// What is known of one promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseReport {
    /// Its name.
    pub name: String,
    /// Its message when it fails; `None` when it passes.
    pub failure: Option<String>,
    /// Whether its failure says that the service itself is broken. Others only degrade it.
    pub is_anomaly: bool,
}

/// All that the status of a service follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation<'a> {
    /// What is asked of it.
    pub requested: RequestedState,
    /// Whether it has a partition.
    pub is_placed: bool,
    /// Seconds since its node was heard of; `None` when it has never been.
    pub silent_seconds: Option<u64>,
    /// How far its release is.
    pub release: ReleaseProgress,
    /// What its node reported.
    pub reported: Reported,
    /// Its promises.
    pub promises: &'a [PromiseReport],
    /// Its children: how many are bad, of how many.
    pub children: (usize, usize),
}

/// After so many seconds without a word a node counts as silent.
pub const SILENCE_SECONDS: u64 = 600;

/// The status of a service. The first rule that applies wins.
#[must_use]
pub fn status(observation: &Observation<'_>) -> Status {
    let (word, reason) = verdict(observation);
    Status { word, reason }
}

fn verdict(observation: &Observation<'_>) -> (StatusWord, String) {
    use StatusWord::{Degraded, Destroyed, Failing, Running, Silent, Stopped, Waiting, Working};
    let requested = observation.requested;
    let confirmed = observation.reported == Reported::State(requested);
    if requested == RequestedState::Destroyed && (confirmed || !observation.is_placed) {
        return (Destroyed, "its data is removed".to_owned());
    }
    if let Some(seconds) =
        observation.silent_seconds.filter(|&s| observation.is_placed && s >= SILENCE_SECONDS)
    {
        return (Silent, format!("last contact {} min ago; what runs there keeps running", seconds / 60));
    }
    match (&observation.release, &observation.reported) {
        (ReleaseProgress::Building(step), _) => return (Working, format!("building its release: {step}")),
        (_, Reported::Working(step)) => return (Working, step.clone()),
        _ => {}
    }
    if let ReleaseProgress::Failed(error) = &observation.release {
        return (Failing, format!("its release cannot be built: {error}"));
    }
    if let Reported::Error(error) = &observation.reported {
        return (Failing, error.clone());
    }
    let failing = |anomaly| move |p: &&PromiseReport| p.failure.is_some() && p.is_anomaly == anomaly;
    let runs = requested == RequestedState::Started;
    if let Some(promise) = observation.promises.iter().find(failing(true)).filter(|_| runs) {
        return (Failing, format!("{}: {}", promise.name, promise.failure.as_deref().unwrap_or_default()));
    }
    if !observation.is_placed {
        return (Waiting, "no partition yet".to_owned());
    }
    if observation.release == ReleaseProgress::Wanted {
        return (Waiting, "its release is not installed yet".to_owned());
    }
    if !confirmed {
        return (Working, format!("its node has not reported that it is {requested}"));
    }
    let passing = observation.promises.iter().filter(|p| p.failure.is_none()).count();
    let promises = observation.promises.len();
    let (bad_children, children) = observation.children;
    match requested {
        RequestedState::Stopped => (Stopped, "stopped as asked".to_owned()),
        RequestedState::Destroyed => (Destroyed, "its data is removed".to_owned()),
        RequestedState::Started if bad_children > 0 => {
            (Degraded, format!("{bad_children} of {children} instances below it are not well"))
        }
        RequestedState::Started if passing < promises => {
            (Degraded, format!("{passing} of {promises} promises pass"))
        }
        RequestedState::Started => (Running, format!("{passing} of {promises} promises pass")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Observation<'static> {
        Observation {
            requested: RequestedState::Started,
            is_placed: true,
            silent_seconds: Some(5),
            release: ReleaseProgress::Installed,
            reported: Reported::State(RequestedState::Started),
            promises: &[],
            children: (0, 0),
        }
    }

    fn promise(name: &str, failure: Option<&str>, is_anomaly: bool) -> PromiseReport {
        PromiseReport { name: name.to_owned(), failure: failure.map(str::to_owned), is_anomaly }
    }

    fn line(observation: &Observation<'_>) -> String {
        let Status { word, reason } = status(observation);
        format!("{word}: {reason}")
    }

    #[test]
    fn each_word_has_its_rule() {
        let failed = [promise("port", Some("refused"), true), promise("page", None, true)];
        let weak = [promise("disk", Some("nearly full"), false), promise("page", None, true)];
        let lines = [
            line(&running()),
            line(&Observation { promises: &failed, ..running() }),
            line(&Observation { promises: &weak, ..running() }),
            line(&Observation { children: (1, 3), ..running() }),
            line(&Observation { is_placed: false, reported: Reported::Nothing, ..running() }),
            line(&Observation { release: ReleaseProgress::Wanted, reported: Reported::Nothing, ..running() }),
            line(&Observation {
                release: ReleaseProgress::Building("part 3 of 12, flask".to_owned()),
                ..running()
            }),
            line(&Observation { release: ReleaseProgress::Failed("no such pin".to_owned()), ..running() }),
            line(&Observation { reported: Reported::Nothing, ..running() }),
            line(&Observation { silent_seconds: Some(720), ..running() }),
            line(&Observation {
                requested: RequestedState::Stopped,
                reported: Reported::State(RequestedState::Stopped),
                promises: &failed,
                ..running()
            }),
            line(&Observation { requested: RequestedState::Destroyed, is_placed: false, ..running() }),
        ];

        insta::assert_snapshot!(lines.join("\n"), @r"
        Running: 0 of 0 promises pass
        Failing: port: refused
        Degraded: 1 of 2 promises pass
        Degraded: 1 of 3 instances below it are not well
        Waiting: no partition yet
        Waiting: its release is not installed yet
        Working: building its release: part 3 of 12, flask
        Failing: its release cannot be built: no such pin
        Working: its node has not reported that it is started
        Silent: last contact 12 min ago; what runs there keeps running
        Stopped: stopped as asked
        Destroyed: its data is removed
        ");
    }
}
