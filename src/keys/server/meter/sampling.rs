//! Which refusals are kept as samples. In a minute one for each key, code, ground and address (IPv6 by its /64), so that a second address
//! or a second reason is not hidden behind the first; of a key and a code at most [`PER_CODE`], and of all together a bounded number. The
//! counts beside them are exact.

use super::{Refusal, addresses::folded};
use crate::{
    keys::model::Ground,
    values::{KeyId, Outcome},
};
use std::{collections::HashMap, net::IpAddr};

/// Of one key and code in a minute.
pub const PER_CODE: usize = 8;
/// Kept until the next write.
const WAITING: usize = 1_000;
/// Keys and codes that are remembered of a minute.
const REMEMBERED: usize = 10_000;

/// What tells one sample from another: why, and from where.
type Whence = (Ground, Option<IpAddr>);

#[derive(Debug, Default)]
pub(super) struct Samples {
    waiting: Vec<Refusal>,
    /// The minute that `taken` is of.
    minute: i64,
    /// What was kept of this minute, also what was written since.
    taken: HashMap<(Option<KeyId>, Outcome), Vec<Whence>>,
}

impl Samples {
    pub fn add(&mut self, of: (Option<KeyId>, Outcome), minute: i64, (ground, address): Whence, refusal: impl FnOnce() -> Refusal) {
        if minute != self.minute {
            self.minute = minute;
            self.taken.clear();
        }
        let is_full = self.waiting.len() >= WAITING || self.taken.len() >= REMEMBERED && !self.taken.contains_key(&of);
        if is_full {
            return;
        }
        let whence = (ground, address.map(folded));
        let taken = self.taken.entry(of).or_default();
        if taken.len() < PER_CODE && !taken.contains(&whence) {
            taken.push(whence);
            self.waiting.push(refusal());
        }
    }

    /// What is to be written.
    pub fn take(&mut self) -> Vec<Refusal> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn add(samples: &mut Samples, key: u128, ground: Ground, address: &str, minute: i64) {
        let (key, code) = (Some(KeyId::new(Uuid::from_u128(key))), Outcome::Forbidden);
        samples.add((key, code), minute, (ground, address.parse().ok()), || Refusal {
            at_micros: minute * 60_000_000,
            key,
            workspace: None,
            api: None,
            code,
            ground,
            limit: String::new(),
            permission: String::new(),
            route: "GET /".into(),
            address: address.to_owned(),
            request_id: String::new(),
            detail: String::new(),
        });
    }

    #[test]
    fn another_address_or_reason_is_another_sample_and_the_same_is_none() {
        let mut samples = Samples::default();
        for (ground, address) in [
            (Ground::Permission, "192.0.2.1"),
            (Ground::Permission, "192.0.2.1"),
            (Ground::Permission, "192.0.2.2"),
            (Ground::Signature, "192.0.2.1"),
            (Ground::Permission, ""),
            (Ground::Permission, "2001:db8::1"),
            (Ground::Permission, "2001:db8::2"),
        ] {
            add(&mut samples, 1, ground, address, 7);
        }
        assert_eq!(samples.take().len(), 5);
        add(&mut samples, 1, Ground::Permission, "192.0.2.1", 7);
        assert!(samples.take().is_empty(), "what was written in this minute is remembered");
        add(&mut samples, 1, Ground::Permission, "192.0.2.1", 8);
        assert_eq!(samples.take().len(), 1, "the next minute has its own");
    }

    #[test]
    fn there_is_an_end_for_each_key_and_for_all() {
        let mut samples = Samples::default();
        (0..100).for_each(|n| add(&mut samples, 1, Ground::Permission, &format!("192.0.2.{n}"), 7));
        add(&mut samples, 2, Ground::Permission, "192.0.2.1", 7);
        assert_eq!(samples.take().len(), PER_CODE + 1);
        (0..5_000).for_each(|key| add(&mut samples, key + 10, Ground::Permission, "192.0.2.1", 7));
        assert_eq!(samples.take().len(), WAITING);
    }
}
