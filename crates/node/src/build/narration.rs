//! Telling from the lines that an engine writes what it does: the classic words of buildout are the interface.

use jiff::Timestamp;

use crate::Node;
use crate::progress::{Event, PartAction};

/// Shortest time between two lines that are passed on.
const PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_millis(200);

/// The story of one build, told to whoever listens.
pub(crate) struct Narration<'a> {
    node: &'a Node,
    subject: &'a str,
    part: Option<(String, Timestamp)>,
    told: Option<Timestamp>,
}

impl<'a> Narration<'a> {
    /// Begins the story of `subject`.
    pub(crate) fn new(node: &'a Node, subject: &'a str) -> Self {
        Self { node, subject, part: None, told: None }
    }

    /// Takes one line of output.
    pub(crate) fn line(&mut self, line: &str) {
        let now = self.node.clock.now();
        if let Some((action, part)) = part(line) {
            self.finish_part(now);
            self.node.tell(Event::PartStarted {
                subject: self.subject.to_owned(),
                part: part.to_owned(),
                action,
            });
            self.part = Some((part.to_owned(), now));
        } else if self.told.is_none_or(|told| now.duration_since(told) >= PAUSE) {
            // A compiler writes thousands of lines a second; a person reads a few.
            self.told = Some(now);
            self.node.tell(Event::Output { subject: self.subject.to_owned(), line: line.to_owned() });
        }
    }

    /// The build succeeded.
    pub(crate) fn finished(&mut self) {
        self.finish_part(self.node.clock.now());
    }

    fn finish_part(&mut self, now: Timestamp) {
        if let Some((part, since)) = self.part.take() {
            let seconds = now.duration_since(since).as_secs_f64();
            self.node.tell(Event::PartFinished { subject: self.subject.to_owned(), part, seconds });
        }
    }
}

/// The part that a line announces: `Installing app.`
fn part(line: &str) -> Option<(PartAction, &str)> {
    let words = [
        ("Installing ", PartAction::Install),
        ("Updating ", PartAction::Update),
        ("Uninstalling ", PartAction::Uninstall),
    ];
    let (rest, action) =
        words.into_iter().find_map(|(word, action)| Some((line.strip_prefix(word)?, action)))?;
    let part = rest.strip_suffix('.')?;
    (!part.is_empty() && !part.contains(char::is_whitespace)).then_some((action, part))
}

/// The stable code with which a failing engine ends its message.
pub(crate) fn code(output: &str) -> Option<&str> {
    output.lines().rev().take(10).map(str::trim).find(|line| {
        line.strip_prefix("E-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
    })
}

/// Why a failing engine says that it fails, in one line.
pub(crate) fn reason(output: &str) -> Option<&str> {
    // The fuller message comes after the classic one.
    let said = |prefix| output.lines().rev().find_map(|line: &str| line.strip_prefix(prefix));
    said("error: ").or_else(|| said("Error: ")).map(str::trim).filter(|reason| !reason.is_empty())
}

/// The first advice that a failing engine gives.
pub(crate) fn hint(output: &str) -> Option<&str> {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(20)..].iter().find_map(|line| line.strip_prefix("hint: "))
}

/// The last `count` lines of an output.
pub(crate) fn tail(output: &str, count: usize) -> Vec<String> {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_recognised_by_the_classic_words() {
        assert_eq!(part("Installing app."), Some((PartAction::Install, "app")));
        assert_eq!(part("Updating my-part."), Some((PartAction::Update, "my-part")));
        assert_eq!(part("Uninstalling app."), Some((PartAction::Uninstall, "app")));
        assert_eq!(part("Installing collected packages: flask."), None);
        assert_eq!(part("Installing ."), None);
        assert_eq!(part("  Installing app."), None);
    }

    #[test]
    fn the_code_and_the_advice_are_those_that_the_engine_ends_with() {
        let output =
            "Installing a.\nerror: it is wrong\nhint: write it otherwise\nhint: or not\nE-profile-syntax\n";

        assert_eq!(reason(output), Some("it is wrong"));
        assert_eq!(reason("Error: classic\nmore\n"), Some("classic"));
        assert_eq!(reason("nothing"), None);
        assert_eq!(code(output), Some("E-profile-syntax"));
        assert_eq!(hint(output), Some("write it otherwise"));
        assert_eq!(code("E-\nE-Mail\nall is well"), None);
        assert_eq!(tail(output, 2), ["hint: or not", "E-profile-syntax"]);
    }
}
