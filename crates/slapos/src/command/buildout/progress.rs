//! What a build prints, and, on a terminal, a last line that says what is being worked on and for how long.
//!
//! Standard output has the classic text, whatever else is shown: the line is on standard error, and away while text is
//! printed. Where nothing can be redrawn, a long silence is broken by a line now and then.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use buildout::{Action, Event, Sink};
use host::clock::Clock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use jiff::Timestamp;

use crate::cloud::story::spent;
use crate::output::Output;
use crate::terminal::shown;

/// How long something takes before it is worth a line.
const PATIENCE: f64 = 1.0;
/// How long nothing is printed before that is explained, where nothing can be redrawn.
const SILENCE: Duration = Duration::from_secs(60);
const REDRAWN_EACH: Duration = Duration::from_millis(250);
/// So many of the parts that are worked on are named.
const NAMED: usize = 3;

/// Prints what a build tells in the classic form.
pub(super) struct Progress {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    bar: Option<ProgressBar>,
    /// Woken when the build is over.
    over: Condvar,
    /// Whether standard output is for the answer to a question, and has nothing else.
    answers: bool,
    /// Whether standard output, and standard error, is a terminal.
    terminals: (bool, bool),
}

/// Ends the progress when it goes.
struct End<'p>(&'p Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What is known of the build.
struct State {
    /// How many parts there are to work on; none before that is known.
    parts: Option<usize>,
    done: usize,
    /// What is worked on, since when.
    running: Vec<(String, Timestamp)>,
    since: Timestamp,
    spoken: Timestamp,
    is_over: bool,
}

impl Progress {
    /// Begins to show the progress of a build, or of what `answers` a question about it.
    pub(super) fn new(output: &Output, clock: Arc<dyn Clock>, answers: bool) -> Arc<Self> {
        let now = clock.now();
        let state =
            State { parts: None, done: 0, running: Vec::new(), since: now, spoken: now, is_over: false };
        let state = Arc::new(Mutex::new(state));
        let bar = output.live.then(|| bar(Arc::clone(&state), Arc::clone(&clock)));
        let terminals = (output.answers_to_terminal, output.speaks_to_terminal);
        Arc::new(Self { state, clock, bar, over: Condvar::new(), answers, terminals })
    }

    /// Does the work of the build; breaks its silence meanwhile.
    pub(super) fn during<T>(&self, says: bool, output: &Output, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            if says && self.bar.is_none() && !output.quiet {
                scope.spawn(|| self.break_silence(output));
            }
            // Also when the work panics: the thread above must not wait for ever.
            let _end = End(self);
            work()
        })
    }

    fn end(&self) {
        self.state().is_over = true;
        self.over.notify_all();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn break_silence(&self, output: &Output) {
        let mut state = self.state();
        while !state.is_over {
            let now = self.clock.now();
            let silent = Duration::try_from(now.duration_since(state.spoken)).unwrap_or_default();
            if silent >= SILENCE {
                output.say(&format!("still at work: {}", state.text(now)));
                state.spoken = now;
            }
            let left = SILENCE.saturating_sub(silent).max(Duration::from_secs(1));
            state = self.over.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Prints a text; what a program has printed is raw, and passed on as it is.
    fn print(&self, text: &str, is_answer: bool, is_raw: bool) {
        let write = || {
            let (mut stream, is_terminal): (Box<dyn std::io::Write>, bool) = match is_answer || !self.answers
            {
                true => (Box::new(std::io::stdout().lock()), self.terminals.0),
                false => (Box::new(std::io::stderr().lock()), self.terminals.1),
            };
            let text = if is_terminal && !is_raw { shown(text) } else { text.into() };
            // A reader that went away has what it wanted.
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.flush();
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Progress {
    fn event(&self, event: Event) {
        let now = self.clock.now();
        let is_answer = matches!(event, Event::Text { .. });
        let is_raw = matches!(event, Event::PartOutput { .. });
        let text = match event {
            Event::Log { logger: Some(logger), message, .. } => format!("{logger}: {message}\n"),
            Event::Log { logger: None, message, .. } => format!("{message}\n"),
            Event::Text { text } => text,
            Event::PartOutput { line, .. } => format!("{line}\n"),
            event => {
                self.state().note(&event, now);
                return;
            }
        };
        self.state().spoken = now;
        self.print(&text, is_answer, is_raw);
    }
}

impl State {
    fn note(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::Plan { install, update, .. } => self.parts = Some(install.len() + update.len()),
            Event::PartStarted { part, action } => {
                let what =
                    if *action == Action::Uninstall { format!("removing {part}") } else { part.clone() };
                self.running.push((what, now));
            }
            Event::PartFinished { part, action, .. } | Event::PartFailed { part, action, .. } => {
                self.running.retain(|(what, _)| what.strip_prefix("removing ").unwrap_or(what) != part);
                self.done += usize::from(*action != Action::Uninstall);
            }
            _ => {}
        }
    }

    /// What is being done, for how long: `3 of 10 parts: openssl 72 s, curl 3 s`.
    fn text(&self, now: Timestamp) -> String {
        let age = |since: Timestamp| now.duration_since(since).as_secs_f64();
        let Some(parts) = self.parts else {
            return format!("reading profiles, {}", spent(age(self.since)));
        };
        let mut text = format!("{} of {parts} parts", self.done);
        for (index, (part, since)) in self.running.iter().take(NAMED).enumerate() {
            let sign = if index == 0 { ':' } else { ',' };
            let _ = write!(text, "{sign} {part} {}", spent(age(*since)));
        }
        if self.running.len() > NAMED {
            let _ = write!(text, " and {} more", self.running.len() - NAMED);
        }
        text
    }

    /// The line for a terminal; nothing while nothing takes long.
    fn line(&self, now: Timestamp) -> String {
        let begun = self.running.first().map_or(self.since, |(_, since)| *since);
        if self.is_over || now.duration_since(begun).as_secs_f64() < PATIENCE {
            return String::new();
        }
        let signs = ['◐', '◓', '◑', '◒'];
        let turn = usize::try_from(now.as_millisecond() / 250).unwrap_or_default();
        format!("{} {}", signs[turn % signs.len()], self.text(now))
    }
}

fn bar(state: Arc<Mutex<State>>, clock: Arc<dyn Clock>) -> ProgressBar {
    let write = move |_: &ProgressState, line: &mut dyn std::fmt::Write| {
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = line.write_str(&shown(&state.line(clock.now())));
    };
    let style =
        ProgressStyle::with_template("{doing}").expect("the template is sound").with_key("doing", write);
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(None, target).with_style(style);
    bar.enable_steady_tick(REDRAWN_EACH);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn started(part: &str) -> Event {
        Event::PartStarted { part: part.to_owned(), action: Action::Install }
    }

    #[test]
    fn the_line_says_what_is_worked_on_and_for_how_long() {
        let mut state =
            State { parts: None, done: 0, running: Vec::new(), since: at(0), spoken: at(0), is_over: false };
        assert_eq!(state.line(at(0)), "");
        assert_eq!(state.text(at(3)), format!("reading profiles, {}", spent(3.0)));

        let install = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        state.note(&Event::Plan { install, update: Vec::new(), uninstall: Vec::new() }, at(3));
        for (part, second) in [("a", 3), ("b", 4), ("c", 5), ("d", 6)] {
            state.note(&started(part), at(second));
        }
        let text = state.text(at(10));
        assert!(text.starts_with("0 of 4 parts: a ") && text.ends_with(" and 1 more"), "{text}");

        let finished = Event::PartFinished { part: "a".to_owned(), action: Action::Install, seconds: 1.0 };
        state.note(&finished, at(10));
        assert!(state.text(at(10)).starts_with("1 of 4 parts: b "));
        assert!(state.line(at(10)).contains("1 of 4"));
        state.is_over = true;
        assert_eq!(state.line(at(10)), "");
    }
}
