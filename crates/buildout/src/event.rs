//! What a build tells while it runs.

use serde::{Deserialize, Serialize};

/// How important a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For who looks for a fault in the engine or in a recipe.
    Debug,
    /// What happens.
    Info,
    /// What may be a mistake.
    Warning,
    /// What failed.
    Error,
}

impl Level {
    /// The number of the classic log level.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
        }
    }
}

/// What is done with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is built from nothing.
    Install,
    /// It is there already and looked after.
    Update,
    /// Its files are removed.
    Uninstall,
}

/// Something that happened. Beginnings and ends of parts come when they happen; what parts say comes part by part, in
/// the order of the parts, also when several are worked on at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A line of the log that passed the log level of the build. Lines of the engine itself have no logger name and
    /// are printed bare; others as `name: message`.
    Log {
        /// Its importance.
        level: Level,
        /// Name of the part or component that speaks, none for the engine.
        logger: Option<String>,
        /// The text, possibly of several lines.
        message: String,
    },
    /// Text that was asked for, to be printed as it is, line breaks included.
    Text {
        /// The text.
        text: String,
    },
    /// What the build is going to do.
    Plan {
        /// Parts to build, in order.
        install: Vec<String>,
        /// Parts to look after, in order.
        update: Vec<String>,
        /// Parts to remove, in order.
        uninstall: Vec<String>,
    },
    /// Work on a part begins.
    PartStarted {
        /// Name of the part.
        part: String,
        /// What is done with it.
        action: Action,
    },
    /// A child process of a part wrote a line.
    PartOutput {
        /// Name of the part.
        part: String,
        /// The line, without its end.
        line: String,
    },
    /// Work on a part ended well.
    PartFinished {
        /// Name of the part.
        part: String,
        /// What was done with it.
        action: Action,
        /// How long it took.
        seconds: f64,
    },
    /// Work on a part failed; the build ends.
    PartFailed {
        /// Name of the part.
        part: String,
        /// What was being done with it.
        action: Action,
        /// How long it took.
        seconds: f64,
    },
    /// The build ended well.
    Done,
}

/// Takes what a build tells: prints it, draws it, or keeps it for a test.
pub trait Sink: Send + Sync {
    /// Takes one event. Must not fail; what cannot be shown is dropped.
    fn event(&self, event: Event);
}

impl<S: Sink + ?Sized> Sink for std::sync::Arc<S> {
    fn event(&self, event: Event) {
        (**self).event(event);
    }
}

/// A sink that drops everything.
impl Sink for () {
    fn event(&self, _: Event) {}
}
