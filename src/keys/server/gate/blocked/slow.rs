//! What is slowed: of each target so many calls pass in a second of the clock, exactly, under any concurrency.
//!
//! A count lives as long as its block, on each node for itself: a node lets its even share pass, and what can't be parted evenly goes round
//! from node to node, second by second. So together they pass no more than the rate, even if it is smaller than their number, without
//! asking each other: all know who is there (`nodes`; one that comes is known to the others before it answers, and while one goes they may
//! differ for a second), and each has its place by its id.

use super::Until;
use crate::keys::{
    model::{LimitUnit, OverAction, Window},
    server::gate::{leases::Rank, limit::LimitState},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A target that is slowed.
#[derive(Debug, Clone)]
pub struct Slow {
    /// Of each block of it; usually there is one.
    rates: Vec<Rate>,
    pace: Arc<Pace>,
}

/// What one block lets pass, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    /// Calls that pass in a second, on all nodes together.
    per_second: u32,
    until: Until,
}

impl Slow {
    pub fn new(per_second: u32, until: Until) -> Self {
        Self { rates: vec![Rate { per_second: per_second.max(1), until }], pace: Arc::default() }
    }

    /// Each keeps its own rate and its own end: a slower one that ends first gives way to the other.
    pub fn join(&mut self, other: Self) {
        self.rates.extend(other.rates);
    }

    /// The slowest that is in force; of equal ones that which lasts longest.
    fn rate(&self, now_micros: i64) -> Option<Rate> {
        let in_force = self.rates.iter().filter(|rate| rate.until.0 > now_micros);
        in_force.min_by_key(|rate| (rate.per_second, std::cmp::Reverse(rate.until))).copied()
    }

    /// Goes on counting where this one was.
    pub fn go_on(&mut self, before: &Self) {
        self.pace = Arc::clone(&before.pace);
    }
}

/// Which of a call's targets it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Address,
    Key,
    Workspace,
}

impl Whose {
    /// What is held.
    pub const fn calls(self) -> &'static str {
        match self {
            Self::Address => "Calls from this address",
            Self::Key => "Calls of this key",
            Self::Workspace => "Calls of this key's workspace",
        }
    }
}

/// A target of a call that is slowed at this moment.
#[derive(Debug, Clone)]
pub struct Slowed {
    whose: Whose,
    rate: Rate,
    pace: Arc<Pace>,
}

impl Slowed {
    /// None once every block of it has ended.
    pub fn of(whose: Whose, slow: &Slow, now_micros: i64) -> Option<Self> {
        slow.rate(now_micros).map(|rate| Self { whose, rate, pace: Arc::clone(&slow.pace) })
    }

    /// Calls that a node of this rank lets pass in this second.
    fn share(&self, rank: Rank, second: u32) -> u32 {
        let nodes = rank.nodes.max(1);
        let (each, rest) = (self.rate.per_second / nodes, self.rate.per_second % nodes);
        let turn = (rank.place % nodes + second % nodes) % nodes;
        each + u32::from(turn < rest)
    }

    /// Seconds until it lets one pass again.
    fn opens_after(&self, rank: Rank, second: u32) -> u64 {
        (1..=rank.nodes).find(|ahead| self.share(rank, second.saturating_add(*ahead)) > 0).map_or(1, u64::from)
    }

    /// Where it stands, as a limit of a second. It is told as `slow-address`, `slow-key` or `slow-workspace`.
    pub fn state(&self, rank: Rank, now_micros: i64) -> LimitState {
        let (second, used) = self.pace.at(now_micros);
        let name = match self.whose {
            Whose::Address => "slow-address",
            Whose::Key => "slow-key",
            Whose::Workspace => "slow-workspace",
        };
        let remaining = u64::from(self.share(rank, second).saturating_sub(used));
        let reset_after = if remaining == 0 { self.opens_after(rank, second) } else { 1 };
        let limit = u64::from(self.rate.per_second);
        LimitState {
            name: name.into(),
            limit,
            used: used.into(),
            remaining,
            reset_after,
            window: Window::SECOND,
            unit: LimitUnit::Calls,
            length: 1,
            over: OverAction::Refuse,
        }
    }

    /// For the holder of the key: what is slowed, and until when; not why.
    pub fn sentence(&self) -> String {
        format!("{} are slowed to {} a second {}.", self.whose.calls(), self.rate.per_second, self.rate.until.words())
    }
}

/// The places in this second that a call took. Given back unless it is said that they are kept.
#[derive(Debug, Default)]
#[must_use]
pub struct Passes(Vec<(Arc<Pace>, u32)>);

impl Passes {
    /// A place of each, or of none: then who has none left. `looks` takes none.
    pub fn take(all: &[Slowed], rank: Rank, now_micros: i64, looks: bool) -> Result<Self, &Slowed> {
        let mut places = Self::default();
        for slowed in all {
            let (pace, share) = (&slowed.pace, |second| slowed.share(rank, second));
            if looks {
                let (second, used) = pace.at(now_micros);
                if used >= share(second) {
                    return Err(slowed);
                }
                continue;
            }
            let second = pace.take(now_micros, share).ok_or(slowed)?;
            places.0.push((Arc::clone(pace), second));
        }
        Ok(places)
    }

    /// The call passed.
    pub fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Passes {
    fn drop(&mut self) {
        self.0.iter().for_each(|(pace, second)| pace.give_back(*second));
    }
}

/// How many calls passed in the present second. High 32 bits: the second since 1970; low 32 bits: how many.
#[derive(Debug, Default)]
struct Pace(AtomicU64);

impl Pace {
    /// Takes a place in this second and answers which it is; none if as many are taken as there are in it. A clock that went back stays in
    /// the newer one.
    fn take(&self, now_micros: i64, most: impl Fn(u32) -> u32) -> Option<u32> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let (second, used) = present(word, now_micros);
            if used >= most(second) {
                return None;
            }
            match self.0.compare_exchange_weak(word, pack(second, used + 1), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Some(second),
                Err(seen) => word = seen,
            }
        }
    }

    /// Nothing if that second is over.
    fn give_back(&self, taken: u32) {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let (second, used) = unpack(word);
            if second != taken || used == 0 {
                return;
            }
            match self.0.compare_exchange_weak(word, pack(second, used - 1), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
    }

    /// The present second, and how many passed in it.
    fn at(&self, now_micros: i64) -> (u32, u32) {
        present(self.0.load(Ordering::Relaxed), now_micros)
    }
}

const fn pack(second: u32, used: u32) -> u64 {
    ((second as u64) << 32) | used as u64
}

#[allow(clippy::cast_possible_truncation, reason = "the halves of the word are what is wanted")]
const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// The second that counts now, and how many passed in it.
fn present(word: u64, now_micros: i64) -> (u32, u32) {
    let (second, used) = unpack(word);
    let now = u32::try_from(now_micros.div_euclid(1_000_000)).unwrap_or(0);
    if now > second { (now, 0) } else { (second, used) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const ALONE: Rank = Rank { nodes: 1, place: 0 };

    fn slowed(per_second: u32) -> Slowed {
        of(Whose::Key, &Slow::new(per_second, Until::LIFTED), 0)
    }

    fn of(whose: Whose, slow: &Slow, now: i64) -> Slowed {
        Slowed::of(whose, slow, now).expect("it is in force")
    }

    fn passes(all: &[Slowed], now: i64) -> bool {
        Passes::take(all, ALONE, now, false).map(Passes::keep).is_ok()
    }

    #[test]
    fn exactly_the_rate_passes_in_each_second_under_concurrency() {
        let key = [slowed(50)];
        for second in 1..4 {
            let passed: usize = std::thread::scope(|scope| {
                let count = || (0..100).filter(|_| passes(&key, second * SECOND + 999_999)).count();
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(count)).collect();
                threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
            });
            assert_eq!(passed, 50);
        }
        assert!(!passes(&key, SECOND), "a clock that went back finds no new places");
    }

    #[test]
    fn several_are_taken_together_or_not_at_all() {
        let (key, workspace) = (slowed(2), slowed(1));
        let both = [key.clone(), workspace];
        assert!(passes(&both, SECOND) && !passes(&both, SECOND));
        assert_eq!(key.state(ALONE, SECOND).remaining, 1, "what the full one refused took nothing of the other");
        drop(Passes::take(std::slice::from_ref(&key), ALONE, SECOND, false));
        assert_eq!(key.state(ALONE, SECOND).remaining, 1, "nor what was not kept");
        drop(Passes::take(std::slice::from_ref(&key), ALONE, SECOND, true));
        assert_eq!(key.state(ALONE, SECOND).used, 1, "nor who only looks");
    }

    #[test]
    fn nodes_share_the_rate_exactly_and_evenly() {
        for (per_second, nodes) in [(10, 1), (10, 3), (10, 10), (1, 3), (2, 3), (11, 2), (3, 10)] {
            let slowed = slowed(per_second);
            let share = |place, second| slowed.share(Rank { nodes, place }, second);
            for second in 1_795_176_000..1_795_176_030 {
                assert_eq!((0..nodes).map(|place| share(place, second)).sum::<u32>(), per_second, "{per_second} on {nodes} in {second}");
            }
            for place in 0..nodes {
                assert_eq!((70..70 + nodes).map(|second| share(place, second)).sum::<u32>(), per_second, "{per_second} on {nodes}, place {place}");
            }
        }
        assert_eq!(slowed(5).share(Rank { nodes: 0, place: 0 }, 7), 5);
    }

    #[test]
    fn a_node_says_when_it_is_its_turn_again() {
        let (slowed, rank) = (slowed(1), Rank { nodes: 3, place: 0 });
        let state = |second: i64| slowed.state(rank, second * SECOND);
        assert_eq!([3, 4, 5].map(|second| (state(second).remaining, state(second).reset_after)), [(1, 1), (0, 2), (0, 1)]);
        Passes::take(std::slice::from_ref(&slowed), rank, 3 * SECOND, false).map(Passes::keep).expect("its turn");
        assert_eq!((state(3).remaining, state(3).reset_after), (0, 3));
    }

    #[test]
    fn a_block_that_is_read_again_goes_on() {
        let before = Slow::new(2, Until::LIFTED);
        assert!(passes(&[of(Whose::Key, &before, 0)], SECOND));
        let mut slow = Slow::new(3, Until::LIFTED);
        slow.go_on(&before);
        assert_eq!(of(Whose::Key, &slow, SECOND).state(ALONE, SECOND).remaining, 2);
    }

    #[test]
    fn of_several_blocks_each_keeps_its_own_end() {
        // One a second until 12, three a second until 15: not one a second until 15.
        let mut slow = Slow::new(1, Until::micros(12 * SECOND));
        slow.join(Slow::new(3, Until::micros(15 * SECOND)));
        let rates = [10, 12, 15].map(|at| Slowed::of(Whose::Key, &slow, at * SECOND).map(|slowed| slowed.rate.per_second));
        assert_eq!(rates, [Some(1), Some(3), None]);
        // They are counted together: what passed under the one counts under the other.
        assert!(passes(&[of(Whose::Key, &slow, 11 * SECOND)], 12 * SECOND));
        assert_eq!(of(Whose::Key, &slow, 12 * SECOND).state(ALONE, 12 * SECOND).remaining, 2);
        assert!(of(Whose::Key, &slow, 10 * SECOND).sentence().contains("to 1 a second until 1970-01-01 00:00:12 UTC"), "each is told with its own end");
    }

    #[test]
    fn it_is_told_without_the_reason() {
        let slow = Slow::new(5, Until::micros(1_795_176_600_000_000));
        assert_eq!(of(Whose::Address, &slow, 0).sentence(), "Calls from this address are slowed to 5 a second until 2026-11-20 12:10:00 UTC.");
        assert_eq!(slowed(1).sentence(), "Calls of this key are slowed to 1 a second until an operator lifts the block.");
    }
}
