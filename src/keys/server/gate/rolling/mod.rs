//! Rolling windows: a limit of N in the last hour, whenever that is asked.
//!
//! The algorithm is the sliding window by parts. A window is sixty parts of a sixtieth of its length each, numbered since 1970. A call is
//! charged to the part that it is made in; what counts is the sum of that part and of the sixty before it. Any stretch of time as long as
//! the window touches at most 61 parts, so in none of them more than N pass: **exactly, without an estimate**. The price is that a call
//! counts for up to a sixtieth longer than the window: what was charged comes back after one window at the earliest, and 61/60 of it at
//! the latest. (GCRA would let almost 2 N pass in one window; an estimate from two windows may err either way.)
//!
//! Beside other nodes the parts stand in one row of the table (`leases`), under one lock; after a restart they are taken from usage
//! (`resume`), which is kept by minutes, quarters of an hour and days: never too early, so at most that much too late.

mod resume;
mod store;

pub use resume::resume_rolling;

/// Parts that count: those of a window, and the one that it begins in.
pub const KEPT: u32 = 61;
const PLACES: usize = KEPT as usize;

/// How long a part of a rolling window is, in seconds: a sixtieth of it.
pub fn part(seconds: u32) -> i64 {
    i64::from(seconds / 60).max(1)
}

/// What was used of the parts that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// The number of the last part.
    newest: u32,
    /// The sum of all.
    used: u64,
    /// By number, modulo how many there are.
    parts: [u32; PLACES],
}

impl Default for Ring {
    fn default() -> Self {
        Self { newest: 0, used: 0, parts: [0; PLACES] }
    }
}

impl Ring {
    /// What was used of parts up to this one.
    pub fn of(newest: u32, parts: impl IntoIterator<Item = (u32, u64)>) -> Self {
        let mut ring = Self { newest, ..Self::default() };
        parts.into_iter().for_each(|(number, used)| ring.add(number, used));
        ring
    }

    pub fn newest(&self) -> u32 {
        self.newest
    }

    pub fn used(&self) -> u64 {
        self.used
    }

    /// Moves on to this part; a clock that went back stays in the newer one.
    pub fn turn(&mut self, number: u32) {
        let gone = number.saturating_sub(self.newest);
        if gone >= KEPT {
            *self = Self { newest: number, ..Self::default() };
        }
        while self.newest < number {
            self.newest += 1;
            let old = std::mem::take(self.at(self.newest));
            self.used -= u64::from(old);
        }
    }

    /// Makes so much used in all, by what is charged to the newest part; none is ever less than nothing.
    pub fn set(&mut self, used: u64) {
        let before = u64::from(*self.at(self.newest));
        let after = u32::try_from((before + used).saturating_sub(self.used)).unwrap_or(u32::MAX);
        *self.at(self.newest) = after;
        self.used = self.used - before + u64::from(after);
    }

    /// Adds what was used of a part before; of one that counts no more nothing, of one that is to come it is as of now.
    pub fn add(&mut self, number: u32, used: u64) {
        let number = number.min(self.newest);
        if self.newest - number < KEPT {
            let part = self.at(number);
            let (before, after) = (*part, part.saturating_add(u32::try_from(used).unwrap_or(u32::MAX)));
            *part = after;
            self.used += u64::from(after - before);
        }
    }

    /// The part from which on at least so much (and at least something) of what is used has come back; none if so much is not used.
    pub fn opens(&self, wanted: u64) -> Option<u32> {
        let mut back = 0;
        self.each().find_map(|(number, used)| {
            back += used;
            (back >= wanted).then_some(number + KEPT)
        })
    }

    /// The parts of which something was used, the oldest first.
    pub fn each(&self) -> impl Iterator<Item = (u32, u64)> {
        let numbers = self.newest.saturating_sub(KEPT - 1)..=self.newest;
        numbers.map(move |number| (number, u64::from(self.parts[place(number)]))).filter(|(_, used)| *used > 0)
    }

    fn at(&mut self, number: u32) -> &mut u32 {
        &mut self.parts[place(number)]
    }
}

/// Where a number of a part stands.
const fn place(number: u32) -> usize {
    (number % KEPT) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a list of every call: in no stretch as long as the window more than the limit passes, and whatever a list of exactly
        /// that length would let pass, with a sixtieth more of it behind, passes here.
        #[test]
        fn never_more_than_the_limit_in_any_window(max in 1u64..30, calls in proptest::collection::vec((0i64..30_000, 1u64..4), 1..400)) {
            const WINDOW: i64 = 60_000; // milliseconds, so that parts are a second
            let (mut ring, mut now, mut passed) = (Ring::default(), 1_000_000i64, Vec::<(i64, u64)>::new());
            for (wait, cost) in calls {
                now += wait / 10;
                ring.turn(u32::try_from(now / 1_000).expect("after 1970"));
                let sum = |since: i64| passed.iter().filter(|(at, _)| *at > since).map(|(_, cost)| cost).sum::<u64>();
                prop_assert!(ring.used() >= sum(now - WINDOW), "what may not be forgotten");
                prop_assert!(ring.used() <= sum(now - WINDOW - 1_000), "what must have come back");
                let fits = ring.used() + cost <= max;
                if fits {
                    ring.set(ring.used() + cost);
                    passed.push((now, cost));
                } else if let Some(opens) = ring.opens(ring.used() + cost - max) {
                    let mut later = ring.clone();
                    later.turn(opens);
                    prop_assert!(later.used() + cost <= max, "it may pass when it was said to");
                    let mut earlier = ring.clone();
                    earlier.turn(opens - 1);
                    prop_assert!(earlier.used() + cost > max, "and not before");
                }
                let of_window = passed.iter().filter(|(at, _)| *at > now - WINDOW).map(|(_, cost)| cost).sum::<u64>();
                prop_assert!(of_window <= max, "{of_window} of {max}");
                prop_assert_eq!(ring.used(), ring.each().map(|(_, used)| used).sum::<u64>());
            }
        }
    }

    #[test]
    fn a_long_silence_forgets_everything() {
        let mut ring = Ring::default();
        ring.turn(5_000);
        ring.set(7);
        ring.turn(5_060);
        assert_eq!((ring.used(), ring.opens(0), ring.opens(8)), (7, Some(5_061), None));
        ring.turn(5_061);
        assert_eq!((ring.used(), ring.opens(0)), (0, None));
        ring.set(3);
        ring.turn(4_000_000_000);
        assert_eq!((ring.newest(), ring.used()), (4_000_000_000, 0));
    }

    #[test]
    fn what_was_used_before_is_added_where_it_counts() {
        let mut ring = Ring::default();
        ring.turn(100);
        for (number, used) in [(39, 9), (40, 1), (100, 2), (101, 3)] {
            ring.add(number, used);
        }
        assert_eq!(ring.each().collect::<Vec<_>>(), [(40, 1), (100, 5)]);
        ring.set(4);
        assert_eq!(ring.each().collect::<Vec<_>>(), [(40, 1), (100, 3)]);
        ring.set(0);
        assert_eq!(ring.used(), 1, "only what is new can be taken back");
    }
}
