//! Which calls that passed are kept as samples: of an API that wants some 1 in n, chosen without a lock; of those a bounded number of each
//! key and of all keys in a minute. The counts beside them are exact.

use crate::{
    keys::model::LimitLeft,
    values::{ApiId, KeyId, WorkspaceId},
};
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Of one key in a minute.
pub const PER_KEY: usize = 10;
/// Of all keys in a minute: so much of the disk they take at most, and so many keys are remembered.
pub const PER_MINUTE: usize = 600;
/// Kept until the next write.
const WAITING: usize = 1_000;

/// A sample of a call that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedCall {
    pub at_micros: i64,
    pub key: KeyId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub route: Arc<str>,
    /// Empty if the asking service did not say it.
    pub address: String,
    pub request_id: String,
    /// Units that it was charged.
    pub cost: u64,
    /// It is one of so many.
    pub one_in: NonZeroU32,
    pub limits: Vec<LimitLeft>,
}

/// Chooses 1 in n. Every call takes the next number of a sequence and mixes its bits (SplitMix64), so that no rhythm of calls falls in with
/// it.
#[derive(Debug, Default)]
pub(super) struct Draw(AtomicU64);

impl Draw {
    pub fn hits(&self, one_in: NonZeroU32) -> bool {
        let n = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (n ^ (n >> 31)).is_multiple_of(u64::from(one_in.get()))
    }
}

/// What was chosen and kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    waiting: Vec<PassedCall>,
    /// The minute that the rest is of.
    minute: i64,
    kept: usize,
    of_key: HashMap<KeyId, usize>,
}

impl Kept {
    pub fn add(&mut self, key: KeyId, minute: i64, call: impl FnOnce() -> PassedCall) {
        if minute != self.minute {
            self.minute = minute;
            self.kept = 0;
            self.of_key.clear();
        }
        if self.waiting.len() >= WAITING || self.kept >= PER_MINUTE {
            return;
        }
        let of_key = self.of_key.entry(key).or_default();
        if *of_key < PER_KEY {
            *of_key += 1;
            self.kept += 1;
            self.waiting.push(call());
        }
    }

    /// What is to be written.
    pub fn take(&mut self) -> Vec<PassedCall> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ALL: NonZeroU32 = NonZeroU32::MIN;

    fn add(kept: &mut Kept, key: u128, minute: i64) {
        let key = KeyId::new(Uuid::from_u128(key));
        kept.add(key, minute, || PassedCall {
            at_micros: minute * 60_000_000,
            key,
            workspace: WorkspaceId::new(Uuid::nil()),
            api: ApiId::new(Uuid::nil()),
            route: "GET /".into(),
            address: String::new(),
            request_id: String::new(),
            cost: 1,
            one_in: ALL,
            limits: Vec::new(),
        });
    }

    #[test]
    fn one_in_n_is_chosen_and_every_one_of_one() {
        let draw = Draw::default();
        assert!((0..1_000).all(|_| draw.hits(ALL)));
        for n in [2, 10, 100, 1_000] {
            let one_in = NonZeroU32::new(n).expect("more than none");
            let hits = (0..n * 1_000).filter(|_| draw.hits(one_in)).count();
            assert!((850..=1_150).contains(&hits), "{hits} of 1,000 with 1 in {n}");
        }
    }

    #[test]
    fn there_is_an_end_for_each_key_for_a_minute_and_for_what_waits() {
        let mut kept = Kept::default();
        (0..100).for_each(|_| add(&mut kept, 1, 7));
        add(&mut kept, 2, 7);
        assert_eq!(kept.take().len(), PER_KEY + 1);
        add(&mut kept, 1, 7);
        assert!(kept.take().is_empty(), "what was written in this minute is remembered");
        add(&mut kept, 1, 8);
        assert_eq!(kept.take().len(), 1, "the next minute has its own");
        (0..5_000).for_each(|key| add(&mut kept, key, 9));
        assert_eq!(kept.take().len(), PER_MINUTE);
        (10..20).for_each(|minute| (0..5_000).for_each(|key| add(&mut kept, key, minute)));
        assert_eq!(kept.take().len(), WAITING, "while nothing can be written");
    }
}
