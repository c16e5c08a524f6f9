//! The counters of a stripe, in the order of their first call, and an index that finds them. A key keeps the place of its last counter (`Hint`),
//! where its next call looks first: one look at the counter itself, instead of one at the index and one at what it names before. With tens of
//! thousands of keys none of that is in the processor's caches, and each look waits for memory.
//!
//! A hint may be of another batch, of counters that were added up since, or of another route of the key: whatever stands at its place is compared
//! with what is looked for, and then the index is asked. It hashes as the fast maps do (`platform::maps`): ids are made by the server, and routes
//! of a key are bounded (`names`).

use super::{Tally, permissions::Needs, spool::Segment};
use crate::{
    platform::{
        early::fetch_early,
        maps::{FastHash, is_room_for},
    },
    values::{ApiId, KeyId, Outcome, WorkspaceId},
};
use hashbrown::HashTable;
use std::{
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// Key, route, outcome, minute.
pub(super) type Slot = (KeyId, Arc<str>, Outcome, i64);

/// The same to look for: it hashes as the slot does.
type Wanted<'a> = (KeyId, &'a Arc<str>, Outcome, i64);

pub(super) struct Counter {
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub count: u64,
    pub cost: u64,
    /// Where it stands in the spool.
    pub at: Option<usize>,
    pub needs: Needs,
}

impl Counter {
    /// Adds these calls, in memory and in the spool.
    pub fn add(&mut self, tally: &Tally, needed: [Option<&str>; 2], segment: &mut Segment) {
        self.count += tally.count;
        self.cost += tally.cost;
        self.needs.add(needed, tally.count);
        segment.store_count(self.at, self.count);
        segment.store_cost(self.at, self.cost);
    }
}

/// Where the last call of a key was counted, as far as anybody knows. It says nothing of the key: any two are alike.
#[derive(Debug)]
pub struct Hint(AtomicU32);

impl Hint {
    /// Where no counter stands.
    pub(super) const NOWHERE: u32 = u32::MAX;

    pub(super) fn place(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Nearly always it says so already: then what other cores have of it stays theirs.
    pub(super) fn note(&self, place: u32) {
        if self.place() != place {
            self.0.store(place, Ordering::Relaxed);
        }
    }
}

impl Default for Hint {
    fn default() -> Self {
        Self(AtomicU32::new(Self::NOWHERE))
    }
}

impl PartialEq for Hint {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Hint {}

#[derive(Default)]
pub(super) struct Counters {
    entries: Vec<(Slot, Counter)>,
    /// Places in `entries`, by slot.
    index: HashTable<u32>,
    hasher: FastHash,
}

/// The route last: nearly always it is the same text, in the same piece of memory.
fn is_of((key, route, outcome, minute): &Slot, wanted: Wanted<'_>) -> bool {
    *key == wanted.0 && *minute == wanted.3 && *outcome == wanted.2 && (Arc::ptr_eq(route, wanted.1) || **route == **wanted.1)
}

impl Counters {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Begins to load what stands at this place: a call that may be counted there is on its way.
    pub fn expect(&self, hint: u32) {
        if let Some(entry) = self.entries.get(hint as usize) {
            fetch_early(entry);
        }
    }

    /// Where the counter at this place stands in the spool.
    pub fn stored_at(&self, hint: u32) -> Option<usize> {
        self.entries.get(hint as usize).and_then(|(_, counter)| counter.at)
    }

    /// The counter with its place, which the hint may name.
    pub fn get(&mut self, hint: u32, wanted: Wanted<'_>) -> Option<(u32, &mut Counter)> {
        let place = self.find(hint, wanted)?;
        self.entries.get_mut(place as usize).map(|(_, counter)| (place, counter))
    }

    fn find(&self, hint: u32, wanted: Wanted<'_>) -> Option<u32> {
        let is_at = |place: u32| self.entries.get(place as usize).is_some_and(|(slot, _)| is_of(slot, wanted));
        if is_at(hint) {
            return Some(hint);
        }
        self.index.find(self.hasher.hash_one(wanted), |place| is_at(*place)).copied()
    }

    /// Of a slot that has none; answers its place.
    pub fn insert(&mut self, slot: Slot, counter: Counter) -> u32 {
        let Self { entries, index, hasher } = self;
        let (hash, place) = (hasher.hash_one(&slot), u32::try_from(entries.len()).unwrap_or(Hint::NOWHERE));
        entries.push((slot, counter));
        index.insert_unique(hash, place, |known| entries.get(*known as usize).map_or(0, |(slot, _)| hasher.hash_one(slot)));
        place
    }

    /// In the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (&Slot, &Counter)> {
        self.entries.iter().map(|(slot, counter)| (slot, counter))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Counter> {
        self.entries.iter_mut().map(|(_, counter)| counter)
    }

    /// All of them; the room stays.
    pub fn drain(&mut self) -> impl Iterator<Item = (Slot, Counter)> {
        self.index.clear();
        self.entries.drain(..)
    }

    /// These, emptied, to be filled anew in the same room. Those that held much less than they have room for give it back, as maps do
    /// (`platform::maps::roomy`).
    pub fn roomy(self, held: usize) -> Self {
        if is_room_for(self.entries.capacity(), held) { self } else { Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use uuid::Uuid;

    fn slot(key: u128, route: &str, minute: i64) -> Slot {
        (KeyId::new(Uuid::from_u128(key)), route.into(), Outcome::Valid, minute)
    }

    fn wanted((key, route, outcome, minute): &Slot) -> Wanted<'_> {
        (*key, route, *outcome, *minute)
    }

    fn counter(count: u64) -> Counter {
        let nobody = Uuid::nil();
        Counter { workspace: WorkspaceId::new(nobody), api: ApiId::new(nobody), count, cost: 0, at: None, needs: Needs::default() }
    }

    /// Where a key was counted last is nothing that it is: facts that are read again are the same.
    #[test]
    fn a_hint_makes_no_difference() {
        let noted = Hint::default();
        noted.note(7);
        assert!(noted == Hint::default() && noted.place() == 7);
    }

    /// Ten keys, whose counts are their numbers.
    fn ten() -> Counters {
        let mut counters = Counters::default();
        for n in 0..10 {
            assert_eq!(counters.insert(slot(n.into(), "GET /", 7), counter(n.into())), n);
        }
        counters
    }

    fn found(counters: &mut Counters, hint: u32, slot: &Slot) -> Option<(u32, u64)> {
        counters.get(hint, wanted(slot)).map(|(place, counter)| (place, counter.count))
    }

    #[test]
    fn whatever_the_hint_says_the_counter_is_its_own() {
        let mut counters = ten();
        let third = slot(3, "GET /", 7);
        for hint in [3, 4, 0, 9, 10, 1_000, Hint::NOWHERE] {
            counters.expect(hint);
            assert_eq!(found(&mut counters, hint, &third), Some((3, 3)), "{hint}");
        }
        let others = [slot(3, "GET /a", 7), slot(3, "GET /", 8), slot(11, "GET /", 7), (third.0, third.1.clone(), Outcome::Disabled, 7)];
        for other in others {
            assert_eq!(found(&mut counters, 3, &other), None, "the place of another one is not taken: {other:?}");
        }
    }

    #[test]
    fn where_a_counter_is_stored_is_known_by_its_place() {
        let mut counters = ten();
        let place = counters.insert(slot(10, "GET /", 7), Counter { at: Some(104), ..counter(1) });
        assert_eq!([place, 3, Hint::NOWHERE].map(|hint| counters.stored_at(hint)), [Some(104), None, None]);
    }

    #[test]
    fn a_right_hint_needs_no_index() {
        let mut counters = ten();
        counters.index.clear();
        let third = slot(3, "GET /", 7);
        assert_eq!(found(&mut counters, 3, &third), Some((3, 3)), "its route is another piece of memory");
        assert_eq!(found(&mut counters, 2, &third), None);
    }

    #[test]
    fn after_all_were_taken_old_hints_find_nothing_or_their_own() {
        let mut counters = ten();
        let taken: Vec<u64> = counters.drain().map(|(_, counter)| counter.count).collect();
        assert_eq!((taken, counters.len()), ((0..10).collect::<Vec<u64>>(), 0), "in the order of their first calls");
        assert_eq!(found(&mut counters, 3, &slot(3, "GET /", 7)), None);
        for n in (0..10).rev() {
            counters.insert(slot(n.into(), "GET /", 7), counter(n));
        }
        assert_eq!(found(&mut counters, 3, &slot(3, "GET /", 7)), Some((6, 3)));
        assert_eq!(found(&mut counters, 6, &slot(3, "GET /", 7)), Some((6, 3)));
    }

    #[test]
    fn the_room_of_a_peak_goes_back() {
        let emptied = || {
            let mut counters = Counters::default();
            (0..1_000).for_each(|n| _ = counters.insert(slot(n, "GET /", 7), counter(1)));
            counters.drain().for_each(drop);
            counters
        };
        let kept = emptied().roomy(1_000);
        assert!(kept.entries.capacity() >= 1_000 && kept.index.capacity() >= 1_000);
        let fresh = emptied().roomy(100);
        assert_eq!((fresh.entries.capacity(), fresh.index.capacity()), (0, 0));
    }

    /// Many slots, in an order that looks like chance, against a map; each key with its hint.
    #[test]
    fn it_counts_as_a_map_does() {
        let (mut counters, mut map, mut state) = (Counters::default(), HashMap::new(), 1_u64);
        let hints: Vec<Hint> = (0..300).map(|_| Hint::default()).collect();
        for round in 0..5 {
            for _ in 0..20_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (key, route, minute) = ((state >> 33) % 300, (state >> 43) % 4, i64::try_from((state >> 53) % 3).unwrap());
                let slot = slot(key.into(), ["GET /", "GET /a", "PUT /", "other"][usize::try_from(route).unwrap()], minute);
                let hint = &hints[usize::try_from(key).unwrap()];
                if let Some((place, counter)) = counters.get(hint.place(), wanted(&slot)) {
                    counter.count += 1;
                    hint.note(place);
                } else {
                    hint.note(counters.insert(slot.clone(), counter(1)));
                }
                *map.entry(slot).or_insert(0) += 1;
            }
            assert_eq!(counters.len(), map.len(), "{round}");
            assert!(counters.iter().all(|(slot, counter)| map.get(slot) == Some(&counter.count)), "{round}");
            if round % 2 == 0 {
                map.clear();
                counters.drain().for_each(drop);
            }
        }
    }
}
