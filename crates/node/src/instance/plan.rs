//! What an instance pass does with each partition, decided from what is wanted and what is there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use slap::{Partition, PartitionId, RequestedState};

use crate::outcome::Problem;

/// What a person, or the agent, asks of one instance pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Processes partitions that are up to date.
    pub force: bool,
    /// Installs started partitions but stops their services instead of starting them. The services stay stopped until
    /// something about the instance changes.
    pub force_stop: bool,
    /// Only these partitions; all when empty.
    pub only: Vec<PartitionId>,
    /// Gives the terminal to the builds, which then run one after the other.
    pub debug: bool,
    /// Leaves a partition alone whose release is not complete, instead of reporting an error. The agent does so: it
    /// comes back as soon as the release is there.
    pub wait_for_releases: bool,
    /// Partitions that are left alone in this pass: the agent waits before it tries them again.
    pub skip: Vec<PartitionId>,
    /// How long the promises of a partition that was just started may take to hold; services need a moment.
    pub grace: Duration,
}

/// What is there of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// Whether its directory exists.
    pub(crate) exists: bool,
    /// The master's timestamp of the last success, and when that was.
    pub(crate) success: Option<(String, Timestamp)>,
    /// How often its release wants it to be processed, in seconds.
    pub(crate) periodicity: Option<i64>,
    /// Whether its release is complete.
    pub(crate) is_release_complete: bool,
}

/// What to do with one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Its directory is missing: tell the master.
    Missing,
    /// It is free: clean what is left of the last instance.
    Free,
    /// Not asked for.
    NotSelected,
    /// It waits for its release.
    Waiting,
    /// Nothing changed: look at its promises.
    UpToDate,
    /// Process it.
    Process {
        /// Whether the note of the last success is deleted first, so that a failure is tried again.
        forget: bool,
    },
}

/// Decides about one partition.
pub(crate) fn decide(
    partition: &Partition,
    observed: &Observed,
    options: &Options,
    maximum_periodicity: i64,
    now: Timestamp,
) -> Decision {
    if !observed.exists {
        return Decision::Missing;
    }
    if partition.requested_state == RequestedState::Destroyed && partition.release.is_none() {
        return Decision::Free;
    }
    let is_selected = options.only.is_empty() || options.only.contains(&partition.id);
    if !is_selected || options.skip.contains(&partition.id) {
        return Decision::NotSelected;
    }
    if is_up_to_date(partition, observed, options, maximum_periodicity, now) {
        return Decision::UpToDate;
    }
    if options.wait_for_releases
        && !observed.is_release_complete
        && partition.requested_state != RequestedState::Destroyed
    {
        return Decision::Waiting;
    }
    Decision::Process { forget: observed.success.is_some() }
}

fn is_up_to_date(
    partition: &Partition,
    observed: &Observed,
    options: &Options,
    maximum_periodicity: i64,
    now: Timestamp,
) -> bool {
    let periodicity = observed.periodicity.unwrap_or(maximum_periodicity);
    let must_process = options.force
        || periodicity == 0
        || (options.force_stop && partition.requested_state == RequestedState::Started);
    let (Some(wanted), Some((text, since)), false) = (&partition.timestamp, &observed.success, must_process)
    else {
        return false;
    };
    // Any difference counts, an older timestamp included: the master says what is current.
    text == wanted
        && (periodicity < 0 || now.duration_since(*since) <= SignedDuration::from_secs(periodicity))
}

/// Refuses names that are no partitions of this computer.
pub(crate) fn check_selection(partitions: &[Partition], only: &[PartitionId]) -> Result<(), Problem> {
    let mut unknown: Vec<&str> = only
        .iter()
        .filter(|id| partitions.iter().all(|partition| partition.id != **id))
        .map(PartitionId::as_str)
        .collect();
    unknown.sort_unstable();
    let message = match unknown.as_slice() {
        [] => return Ok(()),
        [one] => format!("Unknown partition: {one}"),
        several => format!("Unknown partitions: {}", several.join(", ")),
    };
    Err(Problem::new("node instance", message)
        .with_code("E-partition-unknown")
        .with_hint("slapos computer info lists the partitions that the master knows"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn partition(state: RequestedState) -> Partition {
        Partition {
            requested_state: state,
            release: Some("http://release".parse().unwrap()),
            timestamp: Some("10.5".to_owned()),
            ..Partition::free("COMP-1".parse().unwrap(), "slappart0".parse().unwrap())
        }
    }

    fn observed(text: &str, seconds_ago: i64) -> Observed {
        Observed {
            exists: true,
            success: Some((text.to_owned(), now() - SignedDuration::from_secs(seconds_ago))),
            periodicity: None,
            is_release_complete: true,
        }
    }

    fn decided(partition: &Partition, observed: &Observed, options: &Options) -> Decision {
        decide(partition, observed, options, 100, now())
    }

    #[test]
    fn the_same_timestamp_is_up_to_date_until_its_period_ends() {
        let started = partition(RequestedState::Started);
        let options = Options::default();

        assert_eq!(decided(&started, &observed("10.5", 100), &options), Decision::UpToDate);
        assert_eq!(decided(&started, &observed("10.5", 101), &options), Decision::Process { forget: true });
        let never = Observed { periodicity: Some(-1), ..observed("10.5", 1_000_000) };
        assert_eq!(decided(&started, &never, &options), Decision::UpToDate);
        let always = Observed { periodicity: Some(0), ..observed("10.5", 1) };
        assert_eq!(decided(&started, &always, &options), Decision::Process { forget: true });
    }

    #[test]
    fn any_other_timestamp_is_processed_older_ones_included() {
        let started = partition(RequestedState::Started);

        for text in ["10", "9", "11", "10.50"] {
            let decision = decided(&started, &observed(text, 1), &Options::default());
            assert_eq!(decision, Decision::Process { forget: true }, "{text}");
        }
        let never = Observed { success: None, ..observed("", 0) };
        assert_eq!(decided(&started, &never, &Options::default()), Decision::Process { forget: false });
        let unknown = Partition { timestamp: None, ..started };
        assert_eq!(
            decided(&unknown, &observed("10.5", 1), &Options::default()),
            Decision::Process { forget: true }
        );
    }

    #[test]
    fn force_stop_concerns_started_partitions_only() {
        let options = Options { force_stop: true, ..Options::default() };

        let started = decided(&partition(RequestedState::Started), &observed("10.5", 1), &options);
        let stopped = decided(&partition(RequestedState::Stopped), &observed("10.5", 1), &options);

        assert_eq!(started, Decision::Process { forget: true });
        assert_eq!(stopped, Decision::UpToDate);
    }

    #[test]
    fn a_free_partition_is_cleaned_and_a_missing_one_reported() {
        let free = Partition::free("COMP-1".parse().unwrap(), "slappart0".parse().unwrap());

        assert_eq!(decided(&free, &observed("1", 1), &Options::default()), Decision::Free);
        assert_eq!(decided(&free, &Observed::default(), &Options::default()), Decision::Missing);
        let destroyed = partition(RequestedState::Destroyed);
        assert_eq!(
            decided(&destroyed, &observed("1", 1), &Options::default()),
            Decision::Process { forget: true }
        );
    }

    #[test]
    fn only_who_asks_to_waits_for_a_release() {
        let started = partition(RequestedState::Started);
        let missing = Observed { is_release_complete: false, success: None, ..observed("1", 1) };
        let waits = Options { wait_for_releases: true, ..Options::default() };

        assert_eq!(decided(&started, &missing, &waits), Decision::Waiting);
        assert_eq!(decided(&started, &missing, &Options::default()), Decision::Process { forget: false });
        let destroyed = partition(RequestedState::Destroyed);
        assert_eq!(decided(&destroyed, &missing, &waits), Decision::Process { forget: false });
    }

    #[test]
    fn unknown_partitions_are_named_in_order() {
        let partitions = [partition(RequestedState::Started)];
        let only =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<PartitionId>>();

        assert!(check_selection(&partitions, &only(&["slappart0"])).is_ok());
        let one = check_selection(&partitions, &only(&["x"])).unwrap_err();
        assert_eq!(one.message, "Unknown partition: x");
        let two = check_selection(&partitions, &only(&["y", "slappart0", "x"])).unwrap_err();
        assert_eq!(two.message, "Unknown partitions: x, y");
    }
}
