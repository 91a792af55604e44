//! Moments as the master stores and shows them: microseconds of UTC.

use host::clock::Clock;
use jiff::Timestamp;

/// The present moment.
pub(crate) fn now(clock: &dyn Clock) -> i64 {
    clock.now().as_microsecond()
}

/// The text by which a node recognises that it must process an instance again: seconds, as Python prints a float.
pub(crate) fn as_timestamp(microseconds: i64) -> String {
    // Present times have 51 bits of microseconds, which a float holds exactly; the quotient is rounded once.
    #[expect(clippy::cast_precision_loss, reason = "explained just above")]
    let seconds = microseconds as f64 / 1e6;
    let text = seconds.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

/// As in the headers of mail and HTTP: `Fri, 20 Nov 2026 21:24:59 GMT`.
pub(crate) fn as_date(microseconds: i64) -> String {
    let moment = Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_moments_have_different_timestamps() {
        assert_eq!(as_timestamp(1_795_210_007_374_203), "1795210007.374203");
        assert_eq!(as_timestamp(1_795_210_007_374_204), "1795210007.374204");
        assert_eq!(as_timestamp(1_795_210_007_000_000), "1795210007.0");
    }

    #[test]
    fn dates_are_those_of_mail() {
        assert_eq!(as_date(1_795_209_899_000_000), "Fri, 20 Nov 2026 21:24:59 GMT");
    }
}
