//! The log: classic layouts on standard error and in the log file.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Write};
use std::sync::Mutex;

use host::clock::{Clock, SystemClock};
use jiff::tz::TimeZone;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry;

use crate::command::Habit;
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Starts the log as the options ask: the console on standard error, and the log file if one is named.
pub(crate) fn start(context: &Context<'_>, habit: Habit) -> Result<(), Failure> {
    let options = &context.options;
    let ordinary = if habit == Habit::Classic { Level::INFO } else { Level::WARN };
    let console_level = match (options.quiet, options.verbose) {
        (true, _) => Level::WARN,
        (false, 0) => ordinary,
        (false, 1) => Level::DEBUG,
        (false, _) => Level::TRACE,
    };
    let file = options.log_file.as_ref().map(|path| {
        fs_err::OpenOptions::new().create(true).append(true).open(path).map(|file| file.into_parts().0)
    });
    let file = file.transpose().map_err(|error| {
        Failure::of(Kind::Failed, &error).hint("name another file with --log-file").code("E-log-file")
    })?;
    let lines = Lines {
        console_level,
        shows_time: !options.no_log_time,
        color: context.output.color,
        file: file.map(Mutex::new),
    };
    // A second subscriber in one process is a programming error that tests may commit; the first one stays.
    let _ = tracing::subscriber::set_global_default(registry().with(lines));
    Ok(())
}

/// Writes each event as one classic line.
struct Lines {
    console_level: Level,
    shows_time: bool,
    color: bool,
    file: Option<Mutex<File>>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: LayerContext<'_, S>) -> bool {
        let limit = if is_ours(metadata.target()) { self.console_level } else { Level::WARN };
        *metadata.level() <= limit
            || self.file.is_some() && is_ours(metadata.target()) && *metadata.level() <= Level::DEBUG
    }

    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let text = message.text();
        let level = *event.metadata().level();
        if level <= self.console_level {
            let _ = io::stderr().lock().write_all(self.console_line(level, &text).as_bytes());
        }
        if let Some(file) = &self.file {
            let line = format!("[{},{:03}] {:<8} {text}\n", time(), milliseconds(), name(level));
            let _ = file.lock().map(|mut file| file.write_all(line.as_bytes()));
        }
    }
}

impl Lines {
    fn console_line(&self, level: Level, text: &str) -> String {
        let mut line = String::new();
        if self.shows_time {
            let _ = write!(line, "{} ", time());
        }
        let (start, end) = match (self.color, level) {
            (false, _) => ("", ""),
            (true, Level::ERROR) => ("\x1b[31m", "\x1b[0m"),
            (true, Level::WARN) => ("\x1b[33m", "\x1b[0m"),
            (true, _) => ("\x1b[32m", "\x1b[0m"),
        };
        let _ = writeln!(line, "slapos[{}] {start}{}{end} {text}", std::process::id(), name(level));
        line
    }
}

/// Whether an event comes from one of our crates; the libraries below speak only when something is wrong.
fn is_ours(target: &str) -> bool {
    let first = target.split("::").next().unwrap_or_default();
    matches!(first, "slapos" | "slap" | "host" | "shacache" | "buildout" | "recipes" | "node" | "master")
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

fn time() -> String {
    SystemClock.now().to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn milliseconds() -> i64 {
    SystemClock.now().as_millisecond().rem_euclid(1000)
}

/// The message of an event, followed by its fields.
#[derive(Default)]
struct Message {
    message: String,
    fields: String,
}

impl Message {
    fn text(&self) -> String {
        if self.fields.is_empty() { self.message.clone() } else { format!("{}{}", self.message, self.fields) }
    }
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }
}
