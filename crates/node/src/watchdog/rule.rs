//! One bang for each deployment: whether the bang of a partition was sent since it was last processed with success.

use std::io;

use camino::Utf8Path;
use host::files;

/// The file that the node writes when it has processed a partition with success.
const DEPLOYED: &str = ".timestamp";

/// The file with the content that the other had when the last bang was sent.
const BANGED: &str = ".slapos_latest_bang_timestamp";

/// Whether the partition in `directory` has banged since its last deployment.
///
/// A partition that was never deployed has when it ever did. What cannot be read as a time counts as not sent: one
/// bang too many does no harm, a missing one leaves a service down.
pub(super) fn was_sent(directory: &Utf8Path) -> bool {
    let read = |name: &str| files::read_text_if_present(&directory.join(name));
    let Ok(Some(banged)) = read(BANGED) else { return false };
    let deployed = match read(DEPLOYED) {
        Ok(Some(deployed)) => deployed,
        Ok(None) => return true,
        Err(_) => return false,
    };
    match (time(&deployed), time(&banged)) {
        // Compatibility: slapproxy gives fractions of a second, on which the reference breaks.
        (Some(deployed), Some(banged)) => deployed <= banged,
        _ => false,
    }
}

/// Notes that the partition in `directory` has banged.
pub(super) fn note_sent(directory: &Utf8Path) -> io::Result<()> {
    let deployed = files::read_text_if_present(&directory.join(DEPLOYED))?;
    files::replace(&directory.join(BANGED), deployed.as_deref().unwrap_or("0"), 0o644)
}

/// A decimal number as its whole part and the digits after the point, which compare as the numbers do. Floating point
/// would take two times of the same microsecond for one.
fn time(text: &str) -> Option<(u64, &str)> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = fraction.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some((whole.parse().ok()?, fraction.trim_end_matches('0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let guard = tempfile::tempdir().unwrap();
        let path = camino::Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        (guard, path)
    }

    fn write(directory: &Utf8Path, name: &str, text: &str) {
        files::replace(&directory.join(name), text, 0o644).unwrap();
    }

    #[test]
    fn a_deployment_is_banged_once() {
        let (_guard, directory) = partition();
        write(&directory, DEPLOYED, "1795210292.0512962");

        assert!(!was_sent(&directory));
        note_sent(&directory).unwrap();
        assert!(was_sent(&directory));

        write(&directory, DEPLOYED, "1795210292.0512963");
        assert!(!was_sent(&directory));
    }

    #[test]
    fn a_partition_that_was_never_deployed_bangs_once() {
        let (_guard, directory) = partition();

        assert!(!was_sent(&directory));
        note_sent(&directory).unwrap();

        assert!(was_sent(&directory));
        assert_eq!(fs_err::read_to_string(directory.join(BANGED)).unwrap(), "0");
    }

    #[test]
    fn times_compare_as_numbers() {
        assert!(time("10") > time("9.9"));
        assert!(time("9.05") < time("9.5"));
        assert_eq!(time("9.50\n"), time("9.5"));
        assert_eq!(time("9.x"), None);
    }

    #[test]
    fn nonsense_counts_as_not_sent() {
        let (_guard, directory) = partition();
        write(&directory, DEPLOYED, "None");
        write(&directory, BANGED, "None");

        assert!(!was_sent(&directory));
    }
}
