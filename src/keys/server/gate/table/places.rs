//! What stands at places: entries in one array, each with its place beside it, found by looking from there on until one is free (linear
//! probing).
//!
//! It is ours, and not hashbrown's, for the sake of verification. While many keys are called in turn, little of what a call looks at is in
//! the processor's cache, and each such look waits for the one before. In hashbrown a search looks at the marks, then at the entry that they
//! lead to, then at the record; here the entry is looked at at once, so one wait of three is saved. A line of the cache holds four entries,
//! and those behind it are the next line's, which the processor fetches without being asked.
//!
//! # How many entries a search looks at
//!
//! At most seven of eight are taken. Then it is 4.5 on average where there is something to find and 33 where not; where three of four are
//! taken, as with a million keys, 2.5 and 8.5. There is no worst case that anybody can choose: places are SipHash with keys that each process draws, so
//! nobody outside can aim at one, and whatever was put, a free entry ends the search. Nothing is left where something was taken away: what
//! stands behind moves up.

use crate::platform::early::fetch_early;

/// Values by place; several may have the same, so whoever asks says which is meant. `T` is a pointer: then an entry has 16 bytes, also a
/// free one.
#[derive(Debug)]
pub struct Places<T> {
    /// A power of two of them, or none yet; one at least is free.
    entries: Box<[Option<(u64, T)>]>,
    taken: usize,
}

/// As few as a table begins with: three of them may be taken.
const FEWEST: usize = 4;

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { entries: Box::default(), taken: 0 }
    }
}

impl<T> Places<T> {
    /// The value at this place that is the one.
    pub fn find(&self, place: u64, is: impl Fn(&T) -> bool) -> Option<&T> {
        self.look(place, is).map(|(_, value)| value)
    }

    /// Begins to load what a search for this place looks at first.
    pub fn expect(&self, place: u64) {
        if let Some(entry) = self.entries.get(self.first(place)) {
            fetch_early(entry);
        }
    }

    pub fn find_mut(&mut self, place: u64, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let (at, _) = self.look(place, is)?;
        self.entries.get_mut(at)?.as_mut().map(|(_, value)| value)
    }

    /// Puts a value instead of the one that it is, or beside all others.
    pub fn put(&mut self, place: u64, value: T, is: impl Fn(&T) -> bool) {
        if let Some(known) = self.find_mut(place, is) {
            *known = value;
            return;
        }
        if (self.taken + 1) * 8 > self.entries.len() * 7 {
            self.double();
        }
        self.settle(place, value);
        self.taken += 1;
    }

    /// Takes the value away that is the one. Each behind it moves up if it is still found then: if the gap is not before where its search
    /// begins.
    pub fn remove(&mut self, place: u64, is: impl Fn(&T) -> bool) -> Option<T> {
        let (mut gap, _) = self.look(place, is)?;
        let (_, removed) = self.entries.get_mut(gap)?.take()?;
        self.taken -= 1;
        let mut at = self.next(gap);
        while let Some((other, _)) = self.entries.get(at).and_then(Option::as_ref) {
            if self.way(self.first(*other), at) >= self.way(gap, at) {
                self.entries.swap(gap, at);
                gap = at;
            }
            at = self.next(at);
        }
        Some(removed)
    }

    /// Where the value stands that is the one. Its place is compared first, which keeps all others from being looked at.
    fn look(&self, place: u64, is: impl Fn(&T) -> bool) -> Option<(usize, &T)> {
        let mut at = self.first(place);
        loop {
            let (other, value) = self.entries.get(at)?.as_ref()?;
            if *other == place && is(value) {
                return Some((at, value));
            }
            at = self.next(at);
        }
    }

    /// Twice as many entries. What stands at the places is not looked at.
    #[cold]
    fn double(&mut self) {
        let count = FEWEST.max(self.entries.len() * 2);
        let before = std::mem::replace(&mut self.entries, (0..count).map(|_| None).collect());
        for (place, value) in before.into_iter().flatten() {
            self.settle(place, value);
        }
    }

    /// Into the first free entry; there is one.
    fn settle(&mut self, place: u64, value: T) {
        let mut at = self.first(place);
        while let Some(entry) = self.entries.get_mut(at) {
            if entry.is_none() {
                *entry = Some((place, value));
                return;
            }
            at = self.next(at);
        }
    }

    /// Where a search begins: by the lowest bits of the place.
    fn first(&self, place: u64) -> usize {
        self.within(place as usize)
    }

    /// Behind the last is the first.
    fn next(&self, at: usize) -> usize {
        self.within(at + 1)
    }

    /// How many steps it is from one entry on to another.
    fn way(&self, from: usize, to: usize) -> usize {
        self.within(to.wrapping_sub(from))
    }

    fn within(&self, at: usize) -> usize {
        at & self.entries.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{collections::HashMap, sync::Arc};

    /// A value says which of its place it is, and how often it was put.
    type Value = Arc<(u8, usize)>;

    /// Close together at the beginning of the array, all alike in their lowest bits, and close together at its end, whatever its size.
    fn place() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..20, (0u64..20).prop_map(|high| high << 32), (0u64..20).prop_map(|before| u64::MAX - before)]
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Put,
        Change,
        Remove,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![4 => Just(Step::Put), 1 => Just(Step::Change), 3 => Just(Step::Remove)]
    }

    proptest! {
        #[test]
        fn it_equals_the_model(steps in proptest::collection::vec((step(), place(), 0u8..3), 1..150)) {
            let mut places = Places::<Value>::default();
            let mut model = HashMap::<(u64, u8), usize>::new();
            for (turn, (step, place, name)) in steps.into_iter().enumerate() {
                let is = |value: &Value| value.0 == name;
                match step {
                    Step::Put => {
                        places.put(place, Arc::new((name, turn)), is);
                        model.insert((place, name), turn);
                    }
                    Step::Change => {
                        let known = places.find_mut(place, is);
                        prop_assert_eq!(known.as_ref().map(|value| value.1), model.get(&(place, name)).copied());
                        if let Some(known) = known {
                            *known = Arc::new((name, turn));
                            model.insert((place, name), turn);
                        }
                    }
                    Step::Remove => {
                        prop_assert_eq!(places.remove(place, is).map(|value| value.1), model.remove(&(place, name)));
                        prop_assert!(places.find(place, is).is_none());
                    }
                }
                for ((place, name), turn) in &model {
                    prop_assert_eq!(places.find(*place, |value| value.0 == *name).map(|value| value.1), Some(*turn));
                }
                let count = places.entries.iter().flatten().count();
                prop_assert_eq!((count, places.taken), (model.len(), model.len()));
                prop_assert!(count * 8 <= places.entries.len() * 7);
            }
        }
    }

    /// Spread as a hash would.
    fn spread(n: u32) -> u64 {
        (u64::from(n) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32)
    }

    #[test]
    fn all_are_found_while_it_grows_to_seven_eighths() {
        let mut places = Places::<Arc<u32>>::default();
        assert!(places.find(7, |_| true).is_none() && places.remove(7, |_| true).is_none(), "nothing in nothing");
        for n in 0..3_584 {
            places.put(spread(n), Arc::new(n), |value| **value == n);
        }
        assert_eq!((places.taken, places.entries.len()), (3_584, 4_096));
        for n in 0..3_584 {
            assert_eq!(places.find(spread(n), |value| **value == n).map(|value| **value), Some(n));
        }
        assert!(places.find(spread(3_584), |_| true).is_none());
        places.put(spread(0), Arc::new(0), |value| **value == 0);
        assert_eq!((places.taken, places.entries.len()), (3_584, 4_096), "what is known takes no further entry");
        places.put(spread(3_584), Arc::new(3_584), |value| **value == 3_584);
        assert_eq!((places.taken, places.entries.len()), (3_585, 8_192));
        assert!((0..=3_584).all(|n| places.find(spread(n), |value| **value == n).is_some()));
    }

    #[test]
    fn what_is_taken_away_is_let_go() {
        let (mut places, value) = (Places::default(), Arc::new(1));
        for place in [3, 3 << 8, u64::MAX] {
            places.put(place, Arc::clone(&value), |_| true);
        }
        assert_eq!(Arc::strong_count(&value), 4);
        drop(places.remove(3, |_| true));
        places.put(u64::MAX, Arc::new(2), |_| true);
        assert_eq!(Arc::strong_count(&value), 2);
    }

    #[test]
    fn an_entry_is_a_quarter_of_a_line() {
        assert_eq!(size_of::<Option<(u64, Arc<u32>)>>(), 16);
    }
}
