//! When a process that ended by itself is started again, and whether its ending is worth a bang. Decisions only.
//!
//! A service that dies is started again at once. When it keeps dying young, each next start waits twice as long, up to
//! a minute; a life of ten seconds makes good for all that was before.
//!
//! Whether a program is one that is started again is told by its name: `-on-watch` marks the services, and the file
//! form stays the one that supervisord reads, with `autorestart=false`, where the next pass of the node restarts them.

use std::time::Duration;

/// A life as long as this is no failure to start.
const GROWN_UP: Duration = Duration::from_secs(10);

/// The longest wait before a start.
const LONGEST: Duration = Duration::from_secs(60);

/// How often a process that keeps dying young may bang. The reference bangs once for each deployment, and each bang
/// makes a deployment; there a minute passes in between, here nothing would.
const BANG_INTERVAL: Duration = Duration::from_secs(60);

/// The deaths of one process that came one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Deaths {
    in_a_row: u32,
    since_bang: Duration,
}

impl Deaths {
    /// Takes note of a death after `life`, and says how long to wait until the next start.
    pub(super) fn note(&mut self, life: Duration) -> Duration {
        if life >= GROWN_UP {
            self.in_a_row = 0;
        }
        self.since_bang = self.since_bang.saturating_add(life).saturating_add(self.delay());
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.delay()
    }

    /// Whether the death that was just noted may bang; asked once for each.
    pub(super) fn may_bang(&mut self) -> bool {
        let may = self.in_a_row <= 1 || self.since_bang >= BANG_INTERVAL;
        if may {
            self.since_bang = Duration::ZERO;
        }
        may
    }

    /// Forgets all: somebody stopped the process, and its next life is another one.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The wait after as many deaths in a row: none, 1 s, 2 s, 4 s, … 60 s.
    fn delay(&self) -> Duration {
        match self.in_a_row {
            0 | 1 => Duration::ZERO,
            deaths => Duration::from_secs(1 << (deaths - 2).min(6)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_death_costs_no_wait_and_each_next_one_doubles_it_to_a_minute() {
        let mut deaths = Deaths::default();

        let waits: Vec<u64> = (0..10).map(|_| deaths.note(Duration::from_millis(5)).as_secs()).collect();

        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn ten_seconds_of_life_make_good() {
        let mut deaths = Deaths::default();
        for _ in 0..5 {
            deaths.note(Duration::ZERO);
        }

        assert_eq!(deaths.note(Duration::from_secs(9)), Duration::from_secs(16));
        assert_eq!(deaths.note(Duration::from_secs(10)), Duration::ZERO);
        assert_eq!(deaths.note(Duration::ZERO), Duration::from_secs(1));
    }

    #[test]
    fn one_that_keeps_dying_bangs_once_a_minute() {
        let mut deaths = Deaths::default();

        let bangs: Vec<bool> = (0..10)
            .map(|_| {
                deaths.note(Duration::ZERO);
                deaths.may_bang()
            })
            .collect();

        // The waits between are 0, 1, 2, 4, 8, 16, 32, 60, 60 seconds.
        assert_eq!(bangs, [true, false, false, false, false, false, false, true, true, true]);
    }

    #[test]
    fn every_death_of_a_grown_up_may_bang() {
        let mut deaths = Deaths::default();
        for _ in 0..3 {
            deaths.note(Duration::from_secs(11));
            assert!(deaths.may_bang());
        }
    }

    #[test]
    fn more_deaths_than_bits_do_no_harm() {
        let mut deaths = Deaths { in_a_row: u32::MAX, since_bang: Duration::MAX };

        assert_eq!(deaths.note(Duration::ZERO), LONGEST);
    }
}
