//! How a pass ended, and the exit code that stands for it.

use serde::{Deserialize, Serialize};

/// The documented exit codes of node commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// Everything is as it should be.
    Success,
    /// Everything was processed, but a promise fails.
    PromiseFailed,
    /// `format`: the machine is ready, but the master could not be told.
    MasterNotTold,
    /// The master could not be reached; what was configured has been started.
    Offline,
    /// A release or a partition failed, or something unexpected happened.
    Failed,
    /// The command must be run by root.
    NotRoot,
    /// Another process does the same.
    Locked,
}

impl Exit {
    /// The number given to the shell.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::PromiseFailed | Self::MasterNotTold => 2,
            Self::Offline => 3,
            Self::NotRoot => 5,
            Self::Locked => 10,
        }
    }
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What to tell the shell.
    pub exit: Exit,
    /// What went wrong, in the order in which it was met.
    pub problems: Vec<Problem>,
    /// Releases or partitions on which something was done, failed ones included.
    pub processed: usize,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The release's address, the partition's name, or the file concerned.
    pub subject: String,
    /// Software type of the instance; `None` for a release, and for an instance that was not ready.
    pub software_type: Option<Box<str>>,
    /// Whether only a promise failed.
    pub is_promise: bool,
    /// What a person reads, with its causes.
    pub message: String,
    /// Stable code such as `E-disk-full`, when there is one.
    pub code: Option<String>,
    /// What to do next, when there is something to say.
    pub hint: Option<String>,
}

impl Problem {
    /// A failure with all its causes in one line.
    #[must_use]
    pub fn of(subject: impl Into<String>, error: &dyn std::error::Error) -> Self {
        Self::new(subject, with_causes(error))
    }

    /// A failure in a person's words.
    #[must_use]
    pub fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            software_type: None,
            is_promise: false,
            message: message.into(),
            code: None,
            hint: None,
        }
    }

    /// Adds the stable code.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// Adds the advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What failed, and after each colon why.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let because = error.to_string();
        // Some libraries repeat their cause; once is enough.
        if !text.ends_with(&because) {
            text.push_str(": ");
            text.push_str(&because);
        }
        cause = error.source();
    }
    text
}

impl Outcome {
    /// Nothing was to be done.
    #[must_use]
    pub fn success() -> Self {
        Self { exit: Exit::Success, problems: Vec::new(), processed: 0 }
    }

    /// The end of a pass that met `problems`: a failure of processing weighs more than one of a promise.
    #[must_use]
    pub fn of(problems: Vec<Problem>, processed: usize) -> Self {
        let exit = match () {
            () if problems.iter().any(|problem| !problem.is_promise) => Exit::Failed,
            () if problems.is_empty() => Exit::Success,
            () => Exit::PromiseFailed,
        };
        Self { exit, problems, processed }
    }

    /// A pass that ended with one problem before it could look at anything.
    #[must_use]
    pub fn stopped(exit: Exit, problem: Problem) -> Self {
        Self { exit, problems: vec![problem], processed: 0 }
    }

    /// The closing summary: first what failed to be processed, then what fails its promises.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let (promises, processing): (Vec<_>, Vec<_>) =
            self.problems.iter().partition(|problem| problem.is_promise);
        let mut lines = Vec::new();
        for (title, problems) in [
            ("Error while processing the following partitions:", processing),
            ("Error with promises for the following partitions:", promises),
        ] {
            if problems.is_empty() {
                continue;
            }
            lines.push(title.to_owned());
            lines.extend(problems.iter().map(|problem| {
                let software_type = problem.software_type.as_deref().unwrap_or("(not ready)");
                format!("  {}[{software_type}]: {}", problem.subject, problem.message)
            }));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(subject: &str, is_promise: bool) -> Problem {
        Problem {
            subject: subject.to_owned(),
            software_type: (!is_promise).then(|| "default".into()),
            is_promise,
            message: "it failed".to_owned(),
            code: None,
            hint: None,
        }
    }

    #[test]
    fn a_failure_of_processing_weighs_more_than_one_of_a_promise() {
        assert_eq!(Outcome::of(vec![], 3).exit.code(), 0);
        assert_eq!(Outcome::of(vec![problem("a", true)], 3).exit.code(), 2);
        assert_eq!(Outcome::of(vec![problem("a", true), problem("b", false)], 3).exit.code(), 1);
    }

    #[test]
    fn the_summary_lists_processing_before_promises() {
        let summary = Outcome::of(vec![problem("a", true), problem("b", false)], 3).summary();

        insta::assert_snapshot!(summary.join("\n"), @r"
Error while processing the following partitions:
  b[default]: it failed
Error with promises for the following partitions:
  a[(not ready)]: it failed
");
    }
}
