//! The log: classic layouts on standard error and in the log file.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;
use host::clock::{Clock, SystemClock};
use jiff::tz::TimeZone;
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use tracing_subscriber::registry;

use crate::command::Habit;
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::terminal::shown;

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
    if let Some(path) = &options.log_file {
        also_to(path)?;
    }
    let lines = Lines {
        console_level,
        shows_time: !options.no_log_time,
        color: context.output.color,
        speaks_to_terminal: context.output.speaks_to_terminal,
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
    /// Whether the console is a terminal.
    speaks_to_terminal: bool,
}

/// The log file, once one is named.
static LOG_FILE: Mutex<Option<File>> = Mutex::new(None);

/// Writes the log to a file too, from here on.
pub(crate) fn also_to(path: &Utf8Path) -> Result<(), Failure> {
    let file = fs_err::OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
        Failure::of(Kind::Failed, &error).hint("name another file with --log-file").code("E-log-file")
    })?;
    *log_file() = Some(file.into_parts().0);
    Ok(())
}

fn log_file() -> MutexGuard<'static, Option<File>> {
    LOG_FILE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Subscriber> Layer<S> for Lines {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> Interest {
        // What is written changes when a log file is named by the configuration, which is read later.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: LayerContext<'_, S>) -> bool {
        let limit = if is_ours(metadata.target()) { self.console_level } else { Level::WARN };
        *metadata.level() <= limit
            || log_file().is_some() && is_ours(metadata.target()) && *metadata.level() <= Level::DEBUG
    }

    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let text = message.text();
        let level = *event.metadata().level();
        if level <= self.console_level {
            let line = self.console_line(level, &text);
            let line = if self.speaks_to_terminal { shown(&line) } else { line.into() };
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
        if let Some(file) = log_file().as_mut() {
            let line = format!("[{},{:03}] {:<8} {text}\n", time(), milliseconds(), name(level));
            let _ = file.write_all(line.as_bytes());
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
