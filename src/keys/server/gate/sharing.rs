//! What many keys have alike, kept once: whose they are, what they may, how often. A key has three pointers where it would have some
//! hundred bytes.
//!
//! Whose keys are and what they may is found here by what it says; how often by who says it (`levels`), so that it can be changed for all at once.
//!
//! A value lives as long as a key's record holds it. Only how the equal one is found is kept here, of so many values; then all of that is
//! forgotten, and what comes is shared anew.

use super::{
    facts::{Home, Rights},
    levels::Levels,
    limit::Limits,
};
use crate::platform::maps::Unforeseen;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
    sync::{Arc, Weak},
};

/// So many values of a kind are found again: at most two megabytes.
const MOST: usize = 16_384;

/// Equal values, once each. By their hash: of two that differ and have the same one, the later is found.
#[derive(Debug)]
pub struct Shared<T> {
    hasher: Unforeseen,
    known: HashMap<u64, Weak<T>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { hasher: Unforeseen::new(), known: HashMap::new() }
    }
}

impl<T: Eq + Hash> Shared<T> {
    /// The one that says the same, or this one from now on.
    pub fn of(&mut self, value: T) -> Arc<T> {
        match self.find(&value) {
            Some(known) => known,
            None => self.keep(value),
        }
    }

    /// The one that says the same.
    pub fn find(&self, value: &T) -> Option<Arc<T>> {
        self.known.get(&self.hasher.hash_one(value)).and_then(Weak::upgrade).filter(|known| **known == *value)
    }

    /// This one from now on.
    pub fn keep(&mut self, value: T) -> Arc<T> {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let value = Arc::new(value);
        self.known.insert(self.hasher.hash_one(&*value), Arc::downgrade(&value));
        value
    }
}

/// What the records of the table share.
#[derive(Debug)]
pub struct Sharing {
    pub homes: Shared<Home>,
    pub rights: Shared<Rights>,
    pub levels: Levels,
}

impl Sharing {
    /// `default`: the limits of keys that nobody gives any.
    pub fn new(default: Limits) -> Self {
        Self { homes: Shared::default(), rights: Shared::default(), levels: Levels::new(default) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_one_while_somebody_holds_it() {
        let mut shared = Shared::default();
        let (one, two, other) = (shared.of(1), shared.of(1), shared.of(2));
        assert!(Arc::ptr_eq(&one, &two) && !Arc::ptr_eq(&one, &other));
        let gone = Arc::downgrade(&one);
        drop((one, two));
        assert!(gone.upgrade().is_none(), "it is not kept for its own sake");
        assert_eq!(*shared.of(1), 1);
    }

    #[test]
    fn memory_is_bounded_however_many_differ() {
        let mut shared = Shared::default();
        for n in 0..3 * MOST {
            assert_eq!(*shared.of(n), n);
        }
        assert!(shared.known.len() <= MOST);
    }
}
