//! Waiting before something that failed is tried again: longer after each failure, not at all when what is asked
//! changes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

/// What failed, and when it is tried again.
#[derive(Debug, Clone)]
pub(crate) struct Retries {
    first: Duration,
    longest: Duration,
    failed: BTreeMap<String, Failed>,
}

/// One thing that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What was asked when it failed.
    pub(crate) request: String,
    /// How often in a row.
    pub(crate) times: u32,
    /// When it is tried again.
    pub(crate) next: Timestamp,
    /// What a person is told.
    pub(crate) message: String,
}

impl Retries {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failed: BTreeMap::new() }
    }

    /// Whether `key` is to be left alone for the time being.
    pub(crate) fn must_wait(&self, key: &str, request: &str, now: Timestamp) -> bool {
        self.failed.get(key).is_some_and(|failed| failed.request == request && now < failed.next)
    }

    /// Notes a failure. `longest` shortens the wait of this kind of failure.
    pub(crate) fn failed(
        &mut self,
        key: &str,
        request: &str,
        message: &str,
        now: Timestamp,
        longest: Duration,
    ) {
        let times = match self.failed.get(key) {
            Some(before) if before.request == request => before.times.saturating_add(1),
            _ => 1,
        };
        let doubled = self.first.saturating_mul(1_u32.checked_shl(times - 1).unwrap_or(u32::MAX));
        let wait = doubled.min(self.longest).min(longest);
        let next = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        let failed = Failed { request: request.to_owned(), times, next, message: message.to_owned() };
        self.failed.insert(key.to_owned(), failed);
    }

    /// Notes a success.
    pub(crate) fn succeeded(&mut self, key: &str) {
        self.failed.remove(key);
    }

    /// Forgets what is not asked for any more.
    pub(crate) fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.failed.retain(|key, _| is_wanted(key));
    }

    /// Somebody asks to try at once. The counts stay, so that the next waits are as long as before.
    pub(crate) fn try_now(&mut self, now: Timestamp) {
        for failed in self.failed.values_mut() {
            failed.next = failed.next.min(now);
        }
    }

    /// When the next thing is to be tried again.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.failed.values().map(|failed| failed.next).min()
    }

    /// Everything that failed.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Failed)> {
        self.failed.iter().map(|(key, failed)| (key.as_str(), failed))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn start() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        start() + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let mut retries = Retries::new(Duration::from_secs(5), Duration::from_secs(60));
        let mut waits = Vec::new();

        for _ in 0..40 {
            retries.failed("a", "1", "no", start(), LONG);
            waits.push(retries.next().unwrap().duration_since(start()).as_secs());
        }

        assert_eq!(waits[..6], [5, 10, 20, 40, 60, 60]);
        assert_eq!(waits[39], 60);
        retries.failed("b", "1", "no", start(), Duration::from_secs(2));
        assert_eq!(retries.next(), Some(after(2)));
    }

    #[test]
    fn another_request_success_and_impatience_end_the_wait() {
        let mut retries = Retries::new(Duration::from_secs(5), LONG);
        retries.failed("a", "1", "no", start(), LONG);
        assert!(retries.must_wait("a", "1", after(4)));
        assert!(!retries.must_wait("a", "1", after(5)));
        assert!(!retries.must_wait("a", "2", after(1)));
        assert!(!retries.must_wait("b", "1", after(1)));

        retries.try_now(after(1));
        assert!(!retries.must_wait("a", "1", after(1)));
        retries.failed("a", "1", "no", after(1), LONG);
        assert!(retries.must_wait("a", "1", after(10)));
        retries.succeeded("a");

        assert!(!retries.must_wait("a", "1", after(1)));
        assert_eq!(retries.next(), None);
    }
}
