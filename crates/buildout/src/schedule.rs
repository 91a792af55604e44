//! Which part may be worked on when: decided from what the parts refer to and from the promises of their recipes, and
//! nothing else.
//!
//! Parts have numbers: their places in the classic order. A part in order waits for all parts before it. Any other
//! waits for the parts that it refers to, and for those before it that may change the environment of the build.

use std::collections::BTreeSet;

use crate::Turn;

/// What the schedule has to know of one part.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) turn: Turn,
    /// Places of the parts that it refers to, directly or through sections that are no parts.
    pub(crate) needs: BTreeSet<usize>,
    /// Whether it may change the environment of the build.
    pub(crate) changes_environment: bool,
}

/// The parts of one build, some done.
#[derive(Debug)]
pub(crate) struct Schedule {
    turns: Vec<Turn>,
    /// For how many parts each one still waits; parts in order do not count.
    waits: Vec<usize>,
    dependants: Vec<Vec<usize>>,
    done: Vec<bool>,
    /// The first part that is not done.
    first: usize,
    /// Only parts before this one are begun: the first that failed, or the number of parts.
    end: usize,
    /// Whether the part at `first` has been given out.
    is_first_given: bool,
    quick: BTreeSet<usize>,
    beside: BTreeSet<usize>,
}

impl Schedule {
    pub(crate) fn new(steps: &[Step]) -> Self {
        let mut schedule = Self {
            turns: steps.iter().map(|step| step.turn).collect(),
            waits: vec![0; steps.len()],
            dependants: vec![Vec::new(); steps.len()],
            done: vec![false; steps.len()],
            first: 0,
            end: steps.len(),
            is_first_given: false,
            quick: BTreeSet::new(),
            beside: BTreeSet::new(),
        };
        let mut last_change = None;
        for (place, step) in steps.iter().enumerate() {
            if step.turn != Turn::InOrder {
                // Sections may refer to one another in a circle; then the classic order decides. Parts that change the
                // environment are in order, so the last of them stands for all before it.
                let needs = step.needs.range(..place).copied();
                let all: BTreeSet<usize> = needs.chain(last_change).collect();
                schedule.waits[place] = all.len();
                for need in all {
                    schedule.dependants[need].push(place);
                }
                if schedule.waits[place] == 0 {
                    schedule.release(place);
                }
            }
            if step.changes_environment {
                last_change = Some(place);
            }
        }
        schedule
    }

    /// The next part for a thread of its own, which may be begun at once.
    pub(crate) fn next_beside(&mut self) -> Option<usize> {
        Self::pop_before(self.end, &mut self.beside)
    }

    /// The next part for the thread that has the engine, which may be begun at once.
    pub(crate) fn next_here(&mut self) -> Option<usize> {
        if let Some(place) = Self::pop_before(self.end, &mut self.quick) {
            return Some(place);
        }
        let is_in_order = self.turns.get(self.first) == Some(&Turn::InOrder);
        if is_in_order && !self.is_first_given && self.may_begin(self.first) {
            self.is_first_given = true;
            return Some(self.first);
        }
        None
    }

    /// Notes that a part is there.
    pub(crate) fn finish(&mut self, place: usize) {
        self.done[place] = true;
        while self.done.get(self.first) == Some(&true) {
            self.first += 1;
            self.is_first_given = false;
        }
        for dependant in std::mem::take(&mut self.dependants[place]) {
            self.waits[dependant] -= 1;
            if self.waits[dependant] == 0 {
                self.release(dependant);
            }
        }
    }

    /// Notes that a part failed. Parts before it are still brought to completion, as an engine that takes one after the
    /// other would have done before it came to the failure; none of them waits for the part. Parts after it are not
    /// begun any more.
    pub(crate) fn fail(&mut self, place: usize) {
        self.end = self.end.min(place);
    }

    /// No part is to be begun any more.
    pub(crate) fn give_up(&mut self) {
        self.end = 0;
    }

    /// Whether that part may still be begun.
    pub(crate) fn may_begin(&self, place: usize) -> bool {
        place < self.end
    }

    /// Whether all parts are there that are to be begun.
    pub(crate) fn is_complete(&self) -> bool {
        self.first >= self.end
    }

    fn pop_before(end: usize, places: &mut BTreeSet<usize>) -> Option<usize> {
        places.first().is_some_and(|place| *place < end).then(|| places.pop_first()).flatten()
    }

    fn release(&mut self, place: usize) {
        match self.turns[place] {
            Turn::Quick => self.quick.insert(place),
            Turn::Beside => self.beside.insert(place),
            Turn::InOrder => false,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(turn: Turn, needs: &[usize]) -> Step {
        Step { turn, needs: needs.iter().copied().collect(), changes_environment: false }
    }

    #[test]
    fn parts_beside_others_wait_only_for_what_they_refer_to() {
        let steps = [
            step(Turn::Beside, &[]),
            step(Turn::InOrder, &[]),
            step(Turn::Beside, &[]),
            step(Turn::Beside, &[0]),
        ];
        let mut schedule = Schedule::new(&steps);

        assert_eq!((schedule.next_beside(), schedule.next_beside()), (Some(0), Some(2)));
        assert_eq!((schedule.next_beside(), schedule.next_here()), (None, None));
        schedule.finish(0);
        assert_eq!((schedule.next_beside(), schedule.next_here()), (Some(3), Some(1)));
        assert_eq!(schedule.next_here(), None);
    }

    #[test]
    fn a_part_that_may_change_the_environment_holds_up_all_after_it() {
        let python = Step { changes_environment: true, ..step(Turn::InOrder, &[]) };
        let mut schedule = Schedule::new(&[step(Turn::Beside, &[]), python, step(Turn::Beside, &[])]);

        assert_eq!((schedule.next_beside(), schedule.next_beside()), (Some(0), None));
        schedule.finish(0);
        assert_eq!(schedule.next_here(), Some(1));
        schedule.finish(1);
        assert_eq!(schedule.next_beside(), Some(2));
    }

    fn some_steps() -> impl Strategy<Value = Vec<Step>> {
        let turn = prop_oneof![Just(Turn::InOrder), Just(Turn::Quick), Just(Turn::Beside)];
        let step = (turn, proptest::collection::btree_set(0..30_usize, 0..4), any::<bool>());
        proptest::collection::vec(step, 0..30).prop_map(|steps| {
            let count = steps.len();
            let sound = |(turn, needs, changes): (Turn, BTreeSet<usize>, bool)| Step {
                turn,
                needs: needs.into_iter().filter(|need| *need < count).collect(),
                changes_environment: changes && turn == Turn::InOrder,
            };
            steps.into_iter().map(sound).collect()
        })
    }

    proptest! {
        /// Whatever ends first, every part has its turn once, after all that it waits for.
        #[test]
        fn every_part_has_its_turn_when_what_it_needs_is_there(steps in some_steps(), pick in any::<u64>()) {
            let mut schedule = Schedule::new(&steps);
            let (mut running, mut done, mut random) = (Vec::new(), BTreeSet::new(), pick);
            while !schedule.is_complete() {
                while let Some(place) = schedule.next_beside().or_else(|| schedule.next_here()) {
                    let step = &steps[place];
                    let must: Vec<usize> = match step.turn {
                        Turn::InOrder => (0..place).collect(),
                        _ => (0..place)
                            .filter(|before| step.needs.contains(before) || steps[*before].changes_environment)
                            .collect(),
                    };
                    prop_assert!(must.iter().all(|place| done.contains(place)), "{place} waits for {must:?}");
                    prop_assert!(!done.contains(&place) && !running.contains(&place));
                    running.push(place);
                }
                prop_assert!(!running.is_empty(), "nothing runs and nothing may begin");
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let ended = running.swap_remove((random >> 33) as usize % running.len());
                schedule.finish(ended);
                done.insert(ended);
            }
            prop_assert_eq!(done.len(), steps.len());
        }

        /// Whatever fails and whatever ends first: what an engine that takes one part after the other would have done
        /// is done, and nothing behind the first failure is begun after it.
        #[test]
        fn parts_before_the_first_failure_are_completed(
            steps in some_steps(),
            fails in proptest::collection::btree_set(0..30_usize, 1..4),
            pick in any::<u64>(),
        ) {
            let mut schedule = Schedule::new(&steps);
            let (mut running, mut done, mut random) = (Vec::new(), BTreeSet::new(), pick);
            let mut first_failed = steps.len();
            while !(schedule.is_complete() && running.is_empty()) {
                while let Some(place) = schedule.next_beside().or_else(|| schedule.next_here()) {
                    prop_assert!(place < first_failed, "{place} is begun after {first_failed} failed");
                    running.push(place);
                }
                prop_assert!(!running.is_empty(), "nothing runs and nothing may begin");
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let ended = running.swap_remove((random >> 33) as usize % running.len());
                if fails.contains(&ended) {
                    schedule.fail(ended);
                    first_failed = first_failed.min(ended);
                } else {
                    schedule.finish(ended);
                    done.insert(ended);
                }
            }
            let classic = fails.range(..steps.len()).next().copied().unwrap_or(steps.len());
            prop_assert_eq!(first_failed, classic);
            prop_assert!((0..classic).all(|place| done.contains(&place)));
        }
    }
}
