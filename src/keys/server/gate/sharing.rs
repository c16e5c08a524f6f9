//! What many keys have alike, kept once: whose they are, what they may, how often. A key has three pointers where it would have some
//! hundred bytes.
//!
//! Only how the equal one is found is kept here, of so many values; then all is forgotten, and whoever holds a value keeps it.

use super::facts::{Allowance, Home, Rights};
use std::{collections::HashSet, hash::Hash, sync::Arc};

/// So many values of a kind are found again: half a megabyte to three.
const MOST: usize = 16_384;

/// Equal values, once each.
#[derive(Debug)]
pub struct Shared<T>(HashSet<Arc<T>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Eq + Hash> Shared<T> {
    /// The one that says the same, or this one from now on.
    pub fn of(&mut self, value: T) -> Arc<T> {
        if let Some(known) = self.0.get(&value) {
            return Arc::clone(known);
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let value = Arc::new(value);
        self.0.insert(Arc::clone(&value));
        value
    }
}

/// What the records of the table share.
#[derive(Debug, Default)]
pub struct Sharing {
    pub homes: Shared<Home>,
    pub rights: Shared<Rights>,
    pub allowances: Shared<Allowance>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_one_and_memory_is_bounded() {
        let mut shared = Shared::default();
        let (one, two, other) = (shared.of(1), shared.of(1), shared.of(2));
        assert!(Arc::ptr_eq(&one, &two) && !Arc::ptr_eq(&one, &other));
        for n in 0..3 * MOST {
            assert_eq!(*shared.of(n), n);
        }
        assert!(shared.0.len() <= MOST);
    }
}
