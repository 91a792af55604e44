//! Lines of the log in the form that `log-format` of `[buildout]` says, in the notation of Python's module `logging`.

use std::sync::Arc;

use host::clock::Clock;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Event, Level, Sink};

/// The name of the engine's own lines.
const ENGINE: &str = "zc.buildout";

/// Writes the lines of the log in a form, and passes everything on.
pub(super) struct Formatted {
    format: String,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
}

impl Formatted {
    pub(super) fn new(format: String, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        Self { format, sink, clock }
    }
}

impl Sink for Formatted {
    fn event(&self, event: Event) {
        self.sink.event(match event {
            Event::Log { level, logger, message } => {
                let message = line(&self.format, level, logger.as_deref(), &message, self.clock.now());
                Event::Log { level, logger: None, message }
            }
            other => other,
        });
    }
}

/// A line: `%(name)s` and the like replaced, `%%` a percent sign. What is not known stays as it is.
fn line(format: &str, level: Level, logger: Option<&str>, message: &str, now: Timestamp) -> String {
    let (number, name) = match level {
        Level::Debug => ("10", "DEBUG"),
        Level::Info => ("20", "INFO"),
        Level::Warning => ("30", "WARNING"),
        Level::Error => ("40", "ERROR"),
    };
    let field = |field: &str| -> Option<String> {
        Some(match field {
            "message" => message.to_owned(),
            "name" => logger.unwrap_or(ENGINE).to_owned(),
            "levelname" => name.to_owned(),
            "levelno" => number.to_owned(),
            "asctime" => now.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S,%3f").to_string(),
            "process" => std::process::id().to_string(),
            _ => return None,
        })
    };
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            text.push('%');
            rest = behind;
            continue;
        }
        rest = behind;
        let Some((inner, after)) = behind.strip_prefix('(').and_then(|inner| inner.split_once(')')) else {
            text.push('%');
            continue;
        };
        // `-10s` and the like: how wide, and on which side.
        let end = after.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (Some(value), Some(_)) = (field(inner), after.get(end..=end)) else {
            text.push('%');
            continue;
        };
        text.push_str(&padded(&value, &after[..end]));
        rest = &after[end + 1..];
    }
    text.push_str(rest);
    text
}

fn padded(value: &str, width: &str) -> String {
    let left = width.starts_with('-');
    let width: usize = width.trim_start_matches('-').parse().unwrap_or_default();
    // Nobody reads wider lines.
    let width = width.min(200);
    if left { format!("{value:<width$}") } else { format!("{value:>width$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: &str) -> String {
        line(format, Level::Warning, Some("part"), "hello", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn fields_are_replaced_and_padded() {
        assert_eq!(written("%(levelname)s %(message)s"), "WARNING hello");
        assert_eq!(written("[%(name)-6s|%(levelno)5d] 100%%"), "[part  |   30] 100%");
        assert_eq!(line("%(name)s", Level::Info, None, "", Timestamp::UNIX_EPOCH), "zc.buildout");
    }

    #[test]
    fn what_is_no_field_stays() {
        for format in ["%(nothing)s", "%", "100% of %(message", "%(message)", "%s"] {
            assert_eq!(written(format), format);
        }
    }
}
