//! Whether a promise has to run, and what its silence means. Decisions only.

use super::Mode;
use super::cache::Cache;
use super::result::{Kind, PromiseResult};

/// What to do about one promise.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    Run,
    /// It is not due, or does not want to run in this mode.
    Skip,
    /// It is not due, and failed when it ran last.
    StillFails(Box<PromiseResult>),
}

/// Decides about a promise at `now`, in seconds since 1970, from what is known of its last run.
pub(super) fn decide(
    cache: Option<&Cache>,
    last: impl FnOnce() -> Option<PromiseResult>,
    (mode, force): (Mode, bool),
    now: f64,
) -> Decision {
    let Some(cache) = cache else { return Decision::Run };
    let is_wanted = match mode {
        Mode::Test => cache.is_tested,
        Mode::Anomaly => cache.is_anomaly_detected,
    };
    if !is_wanted && (cache.is_tested || cache.is_anomaly_detected) {
        return Decision::Skip;
    }
    if force || now >= cache.next_run_after {
        return Decision::Run;
    }
    match last() {
        Some(result) if result.failed => Decision::StillFails(Box::new(result)),
        _ => Decision::Skip,
    }
}

/// The kind of result and whether it fails, for a promise that gave none: it crashed, or was out of time.
///
/// While nothing has changed, the first time is tolerated: the machine may just have been busy.
pub(super) fn judge_silence(mode: Mode, previous: Option<&PromiseResult>) -> (Kind, bool) {
    match mode {
        Mode::Test => (Kind::Test, true),
        Mode::Anomaly => {
            let was_bad = previous
                .is_some_and(|result| result.failed || result.message.to_lowercase().contains("error:"));
            (Kind::Anomaly, was_bad)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::{Schedule, of_program};
    use super::*;

    fn cache(is_tested: bool, is_anomaly_detected: bool) -> Cache {
        let schedule = Schedule { is_tested, is_anomaly_detected, ..of_program("/bin/sh".into()) };
        Cache::new(schedule, 1000.0, true)
    }

    fn result(failed: bool, message: &str) -> PromiseResult {
        PromiseResult {
            title: "p".into(),
            name: "p.py".into(),
            path: "/p.py".into(),
            execution_time: 0.0,
            kind: Kind::Test,
            failed,
            date: "2026-01-01T00:00:00Z".parse().unwrap(),
            message: message.into(),
        }
    }

    #[test]
    fn one_that_never_ran_runs() {
        assert_eq!(decide(None, || None, (Mode::Anomaly, false), 0.0), Decision::Run);
    }

    #[test]
    fn one_runs_when_it_is_due_or_forced() {
        let cache = cache(true, true);
        let at = |now, force| decide(Some(&cache), || Some(result(false, "")), (Mode::Anomaly, force), now);

        assert_eq!(at(1119.0, false), Decision::Skip);
        assert_eq!(at(1119.0, true), Decision::Run);
        assert_eq!(at(1120.0, false), Decision::Run);
    }

    #[test]
    fn one_that_is_not_due_still_fails() {
        let failed = result(true, "no");

        let decision =
            decide(Some(&cache(true, true)), || Some(failed.clone()), (Mode::Anomaly, false), 1001.0);

        assert_eq!(decision, Decision::StillFails(Box::new(failed)));
    }

    #[test]
    fn a_mode_that_is_disabled_is_skipped_even_when_forced() {
        assert_eq!(decide(Some(&cache(false, true)), || None, (Mode::Test, true), 9999.0), Decision::Skip);
        assert_eq!(decide(Some(&cache(true, false)), || None, (Mode::Anomaly, true), 9999.0), Decision::Skip);
        assert_eq!(decide(Some(&cache(true, false)), || None, (Mode::Test, true), 9999.0), Decision::Run);
    }

    #[test]
    fn silence_is_tolerated_once_while_nothing_changed() {
        let silent = result(false, "Error: Promise timed out after 20 seconds");

        assert_eq!(judge_silence(Mode::Test, None), (Kind::Test, true));
        assert_eq!(judge_silence(Mode::Anomaly, None), (Kind::Anomaly, false));
        assert_eq!(judge_silence(Mode::Anomaly, Some(&result(false, "ok"))), (Kind::Anomaly, false));
        assert_eq!(judge_silence(Mode::Anomaly, Some(&silent)), (Kind::Anomaly, true));
        assert_eq!(judge_silence(Mode::Anomaly, Some(&result(true, "no"))), (Kind::Anomaly, true));
    }
}
