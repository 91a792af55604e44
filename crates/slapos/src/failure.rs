//! What a person reads when a command fails: what failed, why, what to do next, and the code to look up.
//!
//! Printed once, by [`crate::application`].

use std::error::Error;
use std::fmt::Write as _;

/// What went wrong, as far as the exit code is concerned. `docs/guide/exit-codes.md` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something asked for cannot be done, or was tried and failed.
    Failed,
    /// The command line is wrong, or what it asks about is not ready.
    Usage,
    /// Everything was done, but a promise fails.
    Promise,
    /// The master cannot be reached.
    Unreachable,
    /// Not root, or an unknown command.
    NotAllowed,
    /// Another process holds the lock.
    Locked,
    /// Interrupted by the person.
    Interrupted,
}

impl Kind {
    /// The exit code of the process.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage | Self::Promise => 2,
            Self::Unreachable => 3,
            Self::NotAllowed => 5,
            Self::Locked => 10,
            Self::Interrupted => 130,
        }
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure(Box<Facts>);

#[derive(Debug)]
struct Facts {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    excerpt: Option<String>,
    hints: Vec<String>,
    code: Option<String>,
}

impl Failure {
    /// A failure with the one sentence that says what failed.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            kind,
            message: message.into(),
            causes: Vec::new(),
            excerpt: None,
            hints: Vec::new(),
            code: None,
        }))
    }

    /// A failure that says what an error says, and its sources as causes.
    pub(crate) fn of(kind: Kind, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(kind, error.to_string());
        failure.add_sources(error);
        failure
    }

    /// Adds an error, and its sources, as the causes.
    #[must_use]
    pub(crate) fn because_of(mut self, error: &(dyn Error + 'static)) -> Self {
        self.0.causes.push(error.to_string());
        self.add_sources(error);
        self
    }

    /// Adds one cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Adds lines to show between causes and hints: an excerpt of a profile or of a log.
    #[must_use]
    pub(crate) fn excerpt(mut self, excerpt: impl Into<String>) -> Self {
        self.0.excerpt = Some(excerpt.into());
        self
    }

    /// Adds what to do next. At most three are shown.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Drops the hints, for a caller that knows better ones.
    #[must_use]
    pub(crate) fn without_hints(mut self) -> Self {
        self.0.hints.clear();
        self
    }

    /// Adds how to go on once the first hint is followed.
    #[must_use]
    pub(crate) fn go_on(mut self, how: &str) -> Self {
        let (position, text) = if self.0.hints.is_empty() {
            (0, format!("correct it, then {how}"))
        } else {
            (1, format!("then {how}"))
        };
        self.0.hints.insert(position, text);
        self
    }

    /// The code, when there is one.
    pub(crate) fn stable_code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Sets the stable code, such as `E-lock-held`.
    #[must_use]
    pub(crate) fn code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The same failure with the exit code that the classic commands have for it: they know none of their own for an
    /// unreachable master.
    #[must_use]
    pub(crate) fn classic(mut self) -> Self {
        if self.0.kind == Kind::Unreachable {
            self.0.kind = Kind::Failed;
        }
        self
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        self.0.kind.exit_code()
    }

    /// The text for a person, ending in a newline.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "error: {}", self.0.message);
        for cause in &self.0.causes {
            let _ = writeln!(text, "  because: {}", indent(cause));
        }
        for line in self.0.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            let _ = writeln!(text, "  {line}");
        }
        for hint in self.0.hints.iter().take(3) {
            let _ = writeln!(text, "hint: {}", indent(hint));
        }
        if let Some(code) = &self.0.code {
            let _ = writeln!(text, "{code}");
        }
        text
    }

    /// The last failure that a child of ours printed into `output`, the form of [`Failure::text`]; `None` without one.
    pub(crate) fn printed_in(output: &str) -> Option<Self> {
        let lines: Vec<&str> = output.lines().collect();
        let start = lines.iter().rposition(|line| line.starts_with("error: "))?;
        let mut failure = Self::new(Kind::Failed, lines[start].trim_start_matches("error: "));
        let mut excerpt: Vec<&str> = Vec::new();
        for line in &lines[start + 1..] {
            if let Some(cause) = line.strip_prefix("  because: ") {
                failure.0.causes.push(cause.to_owned());
            } else if let Some(hint) = line.strip_prefix("hint: ") {
                failure.0.hints.push(hint.to_owned());
            } else if is_code(line) {
                failure.0.code = Some((*line).to_owned());
                break;
            } else {
                excerpt.push(line.strip_prefix("  ").unwrap_or(line));
            }
        }
        failure.0.excerpt = (!excerpt.is_empty()).then(|| excerpt.join("\n"));
        Some(failure)
    }

    /// The object for a program.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": self.0.message,
            "because": self.0.causes,
            "excerpt": self.0.excerpt,
            "hints": self.0.hints,
            "code": self.0.code,
            "exit-code": self.exit_code(),
        })
    }

    fn add_sources(&mut self, error: &(dyn Error + 'static)) {
        let mut source = error.source();
        while let Some(cause) = source {
            self.0.causes.push(cause.to_string());
            source = cause.source();
        }
        // A wrapper that repeats the text of what it wraps would say everything twice.
        self.0.causes.dedup();
    }
}

fn is_code(line: &str) -> bool {
    line.strip_prefix("E-").is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
    })
}

impl From<slap::client::ClientError> for Failure {
    fn from(error: slap::client::ClientError) -> Self {
        use slap::client::ClientError;
        let kind = match &error {
            ClientError::Unreachable { .. } | ClientError::Untrusted { .. } => Kind::Unreachable,
            ClientError::NotReady => Kind::Usage,
            _ => Kind::Failed,
        };
        let mut failure = Self::of(kind, &error).code(error.code());
        if let Some(hint) = error.hint() {
            failure = failure.hint(hint);
        }
        failure
    }
}

/// Aligns the further lines of a text below its first one.
fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to read the plan")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_text_has_error_causes_hints_and_code() {
        let error = Outer(std::io::Error::other("the disk is on fire"));

        let failure = Failure::of(Kind::Failed, &error).hint("put it out\nthen try again").code("E-fire");

        insta::assert_snapshot!(failure.text(), @"
        error: failed to read the plan
          because: the disk is on fire
        hint: put it out
            then try again
        E-fire
        ");
        assert_eq!(failure.exit_code(), 1);
    }

    #[test]
    fn what_a_child_printed_is_read_back() {
        let failure = Failure::new(Kind::Failed, "no such part")
            .because("it is not there")
            .excerpt("a.cfg:3\n3| parts = x")
            .hint("remove it")
            .code("E-part");
        let output = format!("error: an older one\nsome lines\n{}after it\n", failure.text());

        assert_eq!(Failure::printed_in(&output).unwrap().text(), failure.text());
        assert!(Failure::printed_in("all is well\n").is_none());
    }

    #[test]
    fn the_json_form_has_the_same_facts() {
        let failure = Failure::new(Kind::Locked, "busy").because("pid 7 holds it").code("E-lock-held");

        insta::assert_snapshot!(failure.json(), @r#"{"error":"busy","because":["pid 7 holds it"],"excerpt":null,"hints":[],"code":"E-lock-held","exit-code":10}"#);
    }
}
