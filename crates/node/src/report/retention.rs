//! How long an instance is kept after its destruction was asked.

use std::io;

use camino::Utf8Path;
use host::files;
use jiff::Timestamp;

const DELAY: &str = ".slapos-retention-lock-delay";
const DATE: &str = ".slapos-retention-lock-date";
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// What the rule says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    /// It may be destroyed.
    Allowed,
    /// It is kept until that moment, in seconds since 1970.
    Kept(f64),
    /// It is kept from now on, until that moment, which is written down.
    Begins(f64),
}

/// Decides from the delay in days that was noted at the first deployment, and the end that was noted at the first
/// attempt to destroy.
fn decide(delay: Option<f64>, date: Option<f64>, now: f64) -> Verdict {
    match (delay, date) {
        (_, Some(date)) if date <= now => Verdict::Allowed,
        (_, Some(date)) => Verdict::Kept(date),
        (Some(delay), None) if delay > 0.0 => Verdict::Begins(now + delay * SECONDS_OF_A_DAY),
        (_, None) => Verdict::Allowed,
    }
}

/// Whether the instance in `directory` may be destroyed; notes the end of its retention at the first time.
///
/// # Errors
/// The notes cannot be read or written.
pub(crate) fn allows(directory: &Utf8Path, now: Timestamp) -> io::Result<bool> {
    let number = |name: &str| -> io::Result<Option<f64>> {
        let text = files::read_text_if_present(&directory.join(name))?;
        Ok(text.and_then(|text| text.trim().parse().ok()).filter(|number: &f64| number.is_finite()))
    };
    match decide(number(DELAY)?, number(DATE)?, now.as_duration().as_secs_f64()) {
        Verdict::Allowed => Ok(true),
        Verdict::Kept(_) => Ok(false),
        Verdict::Begins(date) => {
            files::replace(&directory.join(DATE), format!("{date:?}"), 0o644)?;
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_rules_and_the_delay_only_begins_it() {
        assert_eq!(decide(None, None, 100.0), Verdict::Allowed);
        assert_eq!(decide(Some(0.0), None, 100.0), Verdict::Allowed);
        assert_eq!(decide(Some(-1.0), None, 100.0), Verdict::Allowed);
        assert_eq!(decide(Some(1.0), None, 100.0), Verdict::Begins(86_500.0));
        assert_eq!(decide(Some(9.0), Some(100.0), 100.0), Verdict::Allowed);
        assert_eq!(decide(Some(0.0), Some(101.0), 100.0), Verdict::Kept(101.0));
    }
}
