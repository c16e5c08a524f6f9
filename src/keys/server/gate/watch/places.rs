//! Counters whose memory does not depend on what is counted: rows of eight places, chosen by a hash with a key of this process, so that
//! nobody can aim at a row.
//!
//! A full row gives up the place that has counted least. So a count may begin anew, which makes it smaller than the truth and never
//! larger: nobody is held for calls that were not made, and who calls most is forgotten last.

use crate::platform::maps::Unforeseen;
use std::{
    hash::BuildHasher,
    sync::{Mutex, PoisonError},
};

/// Places in a row.
const WAYS: usize = 8;
/// The window of a place that is free.
const FREE: u32 = u32::MAX;

/// How much a place would lose.
pub trait Weight: Default {
    fn weight(&self) -> usize;
}

impl Weight for u32 {
    fn weight(&self) -> usize {
        usize::try_from(*self).unwrap_or(usize::MAX)
    }
}

/// The networks seen, by hash.
impl Weight for Vec<u64> {
    fn weight(&self) -> usize {
        self.len()
    }
}

struct Place<V> {
    key: u128,
    /// The window that it counts for; what it holds of an older one is void.
    window: u32,
    value: V,
}

pub struct Places<V> {
    rows: Box<[Mutex<[Place<V>; WAYS]>]>,
    hasher: Unforeseen,
}

impl<V: Weight> Places<V> {
    /// Room for eight times as many keys.
    pub fn new(rows: usize) -> Self {
        let free = |_| Place { key: 0, window: FREE, value: V::default() };
        Self { rows: (0..rows.max(1)).map(|_| Mutex::new(std::array::from_fn(free))).collect(), hasher: Unforeseen::new() }
    }

    /// Changes what is counted for a key in this window; a new window begins at nothing.
    pub fn change<T>(&self, key: u128, window: u32, change: impl FnOnce(&mut V) -> T) -> T {
        let row = usize::try_from(self.hash(key) % self.rows.len() as u64).unwrap_or(0);
        let mut row = self.rows[row].lock().unwrap_or_else(PoisonError::into_inner);
        let known = row.iter().position(|place| place.key == key && place.window == window);
        let at = known.unwrap_or_else(|| {
            let loses = |at: &usize| if row[*at].window == window { 1 + row[*at].value.weight() } else { 0 };
            let at = (0..WAYS).min_by_key(loses).unwrap_or(0);
            row[at] = Place { key, window, value: V::default() };
            at
        });
        change(&mut row[at].value)
    }

    /// A number for whatever is compared in a place.
    pub fn hash(&self, key: u128) -> u64 {
        self.hasher.hash_one(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Whoever calls however often under however many names.
        #[test]
        fn a_count_is_never_larger_than_the_truth(calls in prop::collection::vec((0_u128..400, 0_u32..3), 1..2_000), rows in 1_usize..8) {
            let places = Places::<u32>::new(rows);
            let mut truth: HashMap<(u128, u32), u32> = HashMap::new();
            for call in calls {
                let counted = places.change(call.0, call.1, |n| { *n += 1; *n });
                let true_count = truth.entry(call).or_default();
                *true_count += 1;
                prop_assert!(counted >= 1 && counted <= *true_count);
            }
            let held = places.rows.iter().map(|row| row.lock().expect("a row").iter().filter(|p| p.window != FREE).count()).sum::<usize>();
            prop_assert!(held <= rows * WAYS, "its memory is what it was at the beginning");
        }

        /// One who calls a lot among a crowd of others is counted exactly: each of the crowd counts less.
        #[test]
        fn who_calls_most_is_not_forgotten(crowd in prop::collection::vec(1_u128..1_000_000, 100..2_000)) {
            let places = Places::<u32>::new(1);
            places.change(0, 7, |n| *n = 2_001);
            for other in crowd {
                places.change(other, 7, |n| *n += 1);
            }
            prop_assert_eq!(places.change(0, 7, |n| *n), 2_001);
        }
    }
}
