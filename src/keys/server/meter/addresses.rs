//! From where calls come, where somebody tells it: counted beside the tallies, by key, address, outcome and quarter of an hour.
//!
//! Bounded, and so not whole: until the next write a key has at most [`PER_KEY`] counters, all keys together about 100,000; a call that
//! finds no room is counted in its tally and stands under "other addresses" when usage is read, since what is read is the exact count less
//! what is known here. Not in the spool either, whose files stay as they are: an end by force loses at most the addresses of what was not
//! written yet, never a count.

use super::{STRIPES, Tally};
use crate::{
    platform::maps::FastMap,
    values::{ApiId, KeyId, Outcome, WorkspaceId},
};
use std::net::{IpAddr, Ipv6Addr};

/// Counters of one key, each for an address, an outcome and a quarter of an hour.
pub const PER_KEY: usize = 64;
/// Counters of a stripe.
const COUNTERS: usize = 100_000 / STRIPES;

/// Calls of one key from one address with one outcome in one quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromAddress {
    pub key: KeyId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    /// As `folded` gives it.
    pub address: IpAddr,
    pub outcome: Outcome,
    /// Quarters of an hour since 1970, UTC.
    pub quarter: i64,
    pub count: u64,
}

/// An address as it is counted: IPv4 whole, of IPv6 the first 64 bits, which are one customer's network.
pub fn folded(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// A folded address in words: `203.0.113.7`, `2001:db8:1:2::/64`.
pub fn told(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The counters of a stripe: of each key a few, found by looking through them.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    of_keys: FastMap<KeyId, Vec<FromAddress>>,
    counters: usize,
}

impl Addresses {
    /// Adds the calls of a tally, if there is room.
    pub fn add(&mut self, tally: &Tally, address: IpAddr) {
        let (address, quarter) = (folded(address), tally.minute.div_euclid(15));
        let is_full = self.counters >= COUNTERS;
        if is_full && !self.of_keys.contains_key(&tally.key) {
            return;
        }
        let counters = self.of_keys.entry(tally.key).or_default();
        // The newest last: most calls come from where the last ones came from.
        if let Some(known) = counters.iter_mut().rev().find(|c| c.address == address && c.outcome == tally.outcome && c.quarter == quarter) {
            known.count += tally.count;
        } else if !is_full && counters.len() < PER_KEY {
            let Tally { key, workspace, api, outcome, count, .. } = *tally;
            counters.push(FromAddress { key, workspace, api, address, outcome, quarter, count });
            self.counters += 1;
        }
    }

    pub fn into_counts(self) -> impl Iterator<Item = FromAddress> {
        self.of_keys.into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn tally(key: u128, outcome: Outcome, minute: i64) -> Tally {
        let (key, workspace, api) = (KeyId::new(Uuid::from_u128(key)), WorkspaceId::new(Uuid::nil()), ApiId::new(Uuid::nil()));
        Tally { key, workspace, api, route: "GET /".into(), outcome, minute, count: 2, cost: 2 }
    }

    #[test]
    fn an_address_is_folded_and_told() {
        let of = |text: &str| told(folded(text.parse().expect("an address")));
        assert_eq!(
            [of("203.0.113.7"), of("::ffff:203.0.113.7"), of("2001:db8:1:2:3:4:5:6"), of("::1")],
            ["203.0.113.7", "203.0.113.7", "2001:db8:1:2::/64", "0:0:0:0::/64"]
        );
    }

    #[test]
    fn calls_are_added_up_by_address_outcome_and_quarter() {
        let mut addresses = Addresses::default();
        for (address, outcome, minute) in [
            ("192.0.2.1", Outcome::Valid, 14),
            ("192.0.2.1", Outcome::Valid, 0),
            ("192.0.2.1", Outcome::Forbidden, 0),
            ("192.0.2.1", Outcome::Valid, 15),
            ("2001:db8::1", Outcome::Valid, 0),
            ("2001:db8::2", Outcome::Valid, 0),
        ] {
            addresses.add(&tally(1, outcome, minute), address.parse().expect("an address"));
        }
        let mut counts: Vec<_> = addresses.into_counts().map(|c| (told(c.address), c.outcome, c.quarter, c.count)).collect();
        counts.sort_by_key(|c| (c.0.clone(), c.1, c.2));
        let (v4, v6) = ("192.0.2.1".to_owned(), "2001:db8:0:0::/64".to_owned());
        let mut expected =
            vec![(v4.clone(), Outcome::Valid, 0, 4), (v4.clone(), Outcome::Valid, 1, 2), (v4, Outcome::Forbidden, 0, 2), (v6, Outcome::Valid, 0, 4)];
        expected.sort_by_key(|c| (c.0.clone(), c.1, c.2));
        assert_eq!(counts, expected);
    }

    #[test]
    fn a_key_takes_only_so_much_room_and_what_is_known_goes_on() {
        let mut addresses = Addresses::default();
        let at = |n: u32| IpAddr::from(n.to_be_bytes());
        for n in 0..1_000 {
            addresses.add(&tally(1, Outcome::Valid, 0), at(n));
        }
        addresses.add(&tally(1, Outcome::Valid, 0), at(0));
        addresses.add(&tally(2, Outcome::Valid, 0), at(0));
        let counts: Vec<_> = addresses.into_counts().collect();
        assert_eq!(counts.len(), PER_KEY + 1, "another key has its own room");
        assert_eq!(counts.iter().map(|c| c.count).sum::<u64>(), (PER_KEY as u64 + 2) * 2);
    }

    #[test]
    fn all_keys_together_take_only_so_much_room() {
        let mut addresses = Addresses::default();
        for key in 0..COUNTERS as u128 + 10 {
            addresses.add(&tally(key, Outcome::Valid, 0), IpAddr::from([192, 0, 2, 1]));
        }
        addresses.add(&tally(0, Outcome::Valid, 0), IpAddr::from([192, 0, 2, 1]));
        assert_eq!((addresses.of_keys.len(), addresses.counters), (COUNTERS, COUNTERS));
        assert_eq!(addresses.into_counts().map(|c| c.count).sum::<u64>(), COUNTERS as u64 * 2 + 2);
    }
}
