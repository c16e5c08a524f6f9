//! How many routes a key may name in a minute. What operators made a route is bounded by the API; what a service tells as the route of a call
//! is any text, and each one is a counter in memory, a record on disk and a row of the database.
//!
//! Its own memory does not depend on what is named: rows of four places, chosen by a hash with a key of this process. A full row gives up
//! the place that knows least, so a key may get more names than it should where very many keys name very many routes, and never fewer.
//! Looked at only where a counter begins, under the lock of its stripe.

use crate::{platform::maps::Unforeseen, values::KeyId};
use std::{array, hash::BuildHasher};
use uuid::Uuid;

/// Routes that a key may name in a minute; calls of more are counted under the route `other`.
pub const PER_KEY: usize = 100;
/// Places in a row, and rows of a stripe.
const WAYS: usize = 4;
const ROWS: usize = 64;

struct Place {
    key: KeyId,
    /// What it holds of an older one is void.
    minute: i64,
    /// What the names hash to: of 65,536 that differ two may look alike, and count as one.
    marks: [u16; PER_KEY],
    known: usize,
}

/// The names of a stripe's keys. By default none is looked at.
#[derive(Default)]
pub(super) struct Names {
    rows: Box<[[Place; WAYS]]>,
    hasher: Unforeseen,
    /// Calls that stand under another name for their number.
    pub folded: u64,
}

impl Names {
    pub fn new() -> Self {
        let free = |_| Place { key: KeyId::new(Uuid::nil()), minute: i64::MIN, marks: [0; PER_KEY], known: 0 };
        Self { rows: (0..ROWS).map(|_| array::from_fn(free)).collect(), ..Self::default() }
    }

    /// Whether a counter of this name may begin.
    pub fn admit(&mut self, key: KeyId, route: &str, minute: i64) -> bool {
        if self.rows.is_empty() {
            return true;
        }
        let row = usize::try_from(self.hasher.hash_one(key) % self.rows.len() as u64).unwrap_or(0);
        let mark = u16::try_from(self.hasher.hash_one(route) & 0xffff).unwrap_or(0);
        let row = &mut self.rows[row];
        let known = row.iter().position(|place| place.key == key && place.minute == minute);
        let at = known.unwrap_or_else(|| {
            // Calls of the minute before may still come.
            let loses = |at: &usize| if row[*at].minute >= minute { 1 + row[*at].known } else { 0 };
            let at = (0..WAYS).min_by_key(loses).unwrap_or(0);
            (row[at].key, row[at].minute, row[at].known) = (key, minute, 0);
            at
        });
        let place = &mut row[at];
        if place.marks[..place.known].contains(&mark) {
            return true;
        }
        let Some(free) = place.marks.get_mut(place.known) else { return false };
        *free = mark;
        place.known += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u128) -> KeyId {
        KeyId::new(Uuid::from_u128(n))
    }

    #[test]
    fn a_key_names_so_many_routes_in_a_minute_and_those_that_are_known_go_on() {
        let mut names = Names::new();
        let admitted = (0..1_000).filter(|n| names.admit(key(1), &format!("GET /{n}"), 7)).count();
        assert!((PER_KEY..PER_KEY + 20).contains(&admitted), "{admitted}: a few look alike");
        assert!(names.admit(key(1), "GET /0", 7), "one that is known");
        let of_another = (0..PER_KEY).filter(|n| names.admit(key(2), &format!("GET /{n}"), 7)).count();
        assert_eq!(of_another, PER_KEY, "another key has its own");
        assert!((0..PER_KEY).all(|n| names.admit(key(1), &format!("PUT /{n}"), 8)), "and so has the next minute");
    }

    #[test]
    fn a_key_of_many_names_is_not_forgotten_in_a_crowd() {
        let mut names = Names::new();
        for n in 0..1_000 {
            names.admit(key(0), &format!("GET /{n}"), 7);
        }
        for n in 1..20_000 {
            assert!(names.admit(key(n), "GET /", 7), "nobody of the crowd is held for it");
        }
        let more = (1_000..2_000).filter(|n| names.admit(key(0), &format!("GET /{n}"), 7)).count();
        assert!(more < 20, "{more}");
    }
}
