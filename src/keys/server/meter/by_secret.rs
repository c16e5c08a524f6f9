//! With which secret calls come, from where and to which route: counted while a key has several secrets that are accepted, so that whoever
//! rotates it sees what still comes with the old one. A key with one secret costs nothing here.
//!
//! The sum of each secret is exact, what is told of it is bounded: until the next write a key has at most [`PER_KEY`] counters with an
//! address and a route, all keys together about 20,000. A call that finds no room is counted in the one counter of its secret that has
//! neither. Not in the spool, as the next calls tell it again: an end by force loses what was not written yet.

use super::{STRIPES, addresses::folded};
use crate::values::{Counts, KeyId, Outcome, SecretId};
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// Counters of one key, each for a secret, an address, a route and a quarter of an hour.
pub const PER_KEY: usize = 64;
/// Counters of a stripe.
const COUNTERS: usize = 20_000 / STRIPES;
/// Microseconds of a quarter of an hour.
const QUARTER: i64 = 900_000_000;

/// One call with one of several secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretCall {
    pub key: KeyId,
    pub secret: SecretId,
    pub address: Option<IpAddr>,
    pub route: Arc<str>,
    pub outcome: Outcome,
    pub at_micros: i64,
}

/// From where calls came, and to which route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// As `folded` gives it; none if nobody told.
    pub address: Option<IpAddr>,
    pub route: Arc<str>,
}

/// Calls with one secret in one quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithSecret {
    pub secret: SecretId,
    /// Quarters of an hour since 1970, UTC.
    pub quarter: i64,
    /// None: those that found no room of their own.
    pub who: Option<Who>,
    pub calls: Counts,
    pub last_micros: i64,
}

impl WithSecret {
    fn first(call: &SecretCall, who: Option<Who>) -> Self {
        let mut calls = Counts::default();
        calls.add(call.outcome, 1);
        Self { secret: call.secret, quarter: call.at_micros.div_euclid(QUARTER), who, calls, last_micros: call.at_micros }
    }

    fn add(&mut self, call: &SecretCall) {
        self.calls.add(call.outcome, 1);
        self.last_micros = self.last_micros.max(call.at_micros);
    }
}

/// The counters of a stripe: of each key a few, found by looking through them.
#[derive(Debug, Default)]
pub(super) struct BySecret {
    of_keys: HashMap<KeyId, Vec<WithSecret>>,
    counters: usize,
}

impl BySecret {
    pub fn add(&mut self, call: &SecretCall) {
        let (address, quarter) = (call.address.map(folded), call.at_micros.div_euclid(QUARTER));
        let is_full = self.counters >= COUNTERS;
        let counters = self.of_keys.entry(call.key).or_default();
        let is_known = |c: &WithSecret| {
            c.secret == call.secret && c.quarter == quarter && c.who.as_ref().is_some_and(|who| who.address == address && who.route == call.route)
        };
        // The newest last: most calls come from where the last ones came from.
        if let Some(known) = counters.iter_mut().rev().find(|c| is_known(c)) {
            known.add(call);
        } else if !is_full && counters.len() < PER_KEY {
            let who = Who { address, route: Arc::clone(&call.route) };
            counters.push(WithSecret::first(call, Some(who)));
            self.counters += 1;
        } else if let Some(rest) = counters.iter_mut().find(|c| c.secret == call.secret && c.who.is_none()) {
            // One for all quarters, so that it stays one however long Postgres is away; moved to the latest, as nobody may think too early
            // that a secret is not used any more.
            rest.quarter = rest.quarter.max(quarter);
            rest.add(call);
        } else {
            counters.push(WithSecret::first(call, None));
        }
    }

    pub fn into_counts(self) -> impl Iterator<Item = WithSecret> {
        self.of_keys.into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn call(key: u128, secret: u128, address: [u8; 4], route: &str, at_micros: i64) -> SecretCall {
        SecretCall {
            key: KeyId::new(Uuid::from_u128(key)),
            secret: SecretId::new(Uuid::from_u128(secret)),
            address: Some(IpAddr::from(address)),
            route: Arc::from(route),
            outcome: Outcome::Valid,
            at_micros,
        }
    }

    #[test]
    fn calls_are_added_up_by_secret_address_route_and_quarter() {
        let mut counted = BySecret::default();
        let home = [192, 0, 2, 1];
        counted.add(&call(1, 1, home, "GET /", 5));
        counted.add(&SecretCall { outcome: Outcome::Forbidden, ..call(1, 1, home, "GET /", 9) });
        counted.add(&SecretCall { outcome: Outcome::RateLimited, ..call(1, 1, home, "GET /", 7) });
        counted.add(&call(1, 1, home, "GET /orders", 5));
        counted.add(&call(1, 1, [192, 0, 2, 2], "GET /", 5));
        counted.add(&call(1, 2, home, "GET /", 5));
        counted.add(&call(1, 1, home, "GET /", QUARTER));
        counted.add(&SecretCall { address: None, ..call(1, 1, home, "GET /", 5) });
        counted.add(&SecretCall { address: "2001:db8::1".parse().ok(), ..call(1, 1, home, "GET /", 5) });
        counted.add(&SecretCall { address: "2001:db8::2".parse().ok(), ..call(1, 1, home, "GET /", 5) });
        let counts: Vec<_> = counted.into_counts().collect();
        assert_eq!(counts.len(), 7);
        assert_eq!((counts[0].calls, counts[0].last_micros), (Counts { passed: 1, limited: 1, refused: 1 }, 9));
        assert_eq!(counts.iter().map(|c| c.calls.total()).sum::<u64>(), 10);
    }

    #[test]
    fn a_key_takes_only_so_much_room_and_no_call_is_lost() {
        let mut counted = BySecret::default();
        for n in 0..1_000_u32 {
            counted.add(&call(1, u128::from(n % 2), n.to_be_bytes(), "GET /", i64::from(n) * QUARTER));
        }
        counted.add(&call(2, 9, [192, 0, 2, 1], "GET /", 0));
        let counts: Vec<_> = counted.into_counts().collect();
        assert_eq!(counts.len(), PER_KEY + 2 + 1, "one more for each secret, and another key has its own room");
        assert_eq!(counts.iter().map(|c| c.calls.total()).sum::<u64>(), 1_001);
        let rest: Vec<_> = counts.iter().filter(|c| c.who.is_none()).map(|c| c.quarter).collect();
        assert_eq!(rest, [998, 999], "at its latest call");
    }

    #[test]
    fn all_keys_together_take_only_so_much_room() {
        let mut counted = BySecret::default();
        for key in 0..COUNTERS as u128 + 10 {
            counted.add(&call(key, key, [192, 0, 2, 1], "GET /", 0));
            counted.add(&call(key, key, [192, 0, 2, 1], "GET /", 0));
        }
        assert_eq!(counted.counters, COUNTERS);
        let counts: Vec<_> = counted.into_counts().collect();
        assert_eq!((counts.iter().filter(|c| c.who.is_none()).count(), counts.len()), (10, COUNTERS + 10));
        assert_eq!(counts.iter().map(|c| c.calls.total()).sum::<u64>(), (COUNTERS as u64 + 10) * 2);
    }
}
