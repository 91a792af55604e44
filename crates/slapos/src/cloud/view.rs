//! Showing a story while it goes on: a block that is redrawn on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use crate::cloud::story::{Step, spent};
use crate::output::Output;
use crate::terminal::shown;

/// When a step that takes long is first mentioned on something that is no terminal, and again.
const HEARTBEAT: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(30)];

/// Longest piece of a build's line that is shown.
const SAID: usize = 32;

/// The view of one `slapos up`.
pub(crate) struct View<'a> {
    output: &'a Output,
    live: Option<Live>,
    mentioned: Option<(Step, Duration)>,
}

struct Live {
    area: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl<'a> View<'a> {
    /// A view on standard error.
    pub(crate) fn new(output: &'a Output) -> Self {
        let live = output.live.then(|| Live {
            area: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
            bars: Vec::new(),
        });
        Self { output, live, mentioned: None }
    }

    /// Something is done: one line that stays.
    pub(crate) fn line(&self, text: &str) {
        match &self.live {
            _ if self.output.quiet => {}
            Some(live) => {
                // A terminal that went away is noticed elsewhere.
                let _ = live.area.println(shown(text));
            }
            None => self.output.say(text),
        }
    }

    /// What is being done at the moment.
    pub(crate) fn doing<'b>(&mut self, steps: impl Iterator<Item = &'b Step>, now: Timestamp) {
        let steps: Vec<&Step> = steps.collect();
        match &mut self.live {
            Some(live) => live.show(&steps, now),
            None => self.mention(steps.last().copied(), now),
        }
    }

    /// Removes what is redrawn; the lines stay.
    pub(crate) fn close(&mut self) {
        if let Some(live) = &mut self.live {
            live.show(&[], Timestamp::UNIX_EPOCH);
        }
    }

    fn mention(&mut self, step: Option<&Step>, now: Timestamp) {
        let Some(step) = step else { return };
        let age = age(step, now);
        let due = match &self.mentioned {
            Some((known, last)) if known.name == step.name && known.since == step.since => {
                *last + HEARTBEAT[1]
            }
            _ => HEARTBEAT[0],
        };
        if age >= due {
            self.line(&format!(
                "  {:<28}{:>13}   {}",
                step.name,
                format!("{} s …", age.as_secs()),
                shortened(&step.said)
            ));
            self.mentioned = Some((step.clone(), age));
        }
    }
}

impl Live {
    fn show(&mut self, steps: &[&Step], now: Timestamp) {
        while self.bars.len() > steps.len() {
            if let Some(bar) = self.bars.pop() {
                bar.finish_and_clear();
                self.area.remove(&bar);
            }
        }
        while self.bars.len() < steps.len() {
            let style = ProgressStyle::with_template("{spinner} {msg}").expect("the template is sound");
            let bar = self.area.add(ProgressBar::new_spinner().with_style(style.tick_chars("◐◓◑◒◐")));
            self.bars.push(bar);
        }
        for (depth, (bar, step)) in self.bars.iter().zip(steps).enumerate() {
            let time = spent(age(step, now).as_secs_f64());
            let indent = "  ".repeat(depth);
            bar.set_message(format!(
                "{indent}{:<24}{time:>13}   {}",
                step.name,
                shortened(&shown(&step.said))
            ));
            bar.tick();
        }
    }
}

fn age(step: &Step, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(step.since)).unwrap_or_default()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SAID {
        text.to_owned()
    } else {
        text.chars().take(SAID - 1).chain(['…']).collect()
    }
}
