//! How long calls took, where services tell it: counted in buckets on a logarithmic scale, so that counts of any keys, routes and times
//! can be added up and a percentile of the sum is as good as one of the parts. Percentiles are never averaged.
//!
//! A bucket ends at 2^(i/4) times 0.1 ms. A value is told as the middle of its bucket (the geometric one), which is at most 2^(1/8) - 1 =
//! 9.1 % off (10 % with the rounding to microseconds); what took less than 0.1 ms is told as 0.1 ms. Not in the spool: samples are no bill, and an end by force loses those of two seconds.

use super::lock;
use crate::values::{ApiId, KeyId, WorkspaceId};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex},
};

/// The longest time that is counted: an hour, in milliseconds.
pub const MOST_MILLIS: f64 = 3_600_000.0;
/// Counters kept until the next write; what would need more is dropped and said.
const COUNTERS: usize = 100_000;
/// The end of the first bucket, in milliseconds.
const FIRST: f64 = 0.1;
/// Buckets in which a time doubles.
const STEPS: f64 = 4.0;
/// The bucket of an hour.
const LAST: f64 = 101.0;

/// Calls of one key to one route in one quarter of an hour that took about as long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    pub key: KeyId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub route: Arc<str>,
    /// Quarters of an hour since 1970, UTC.
    pub quarter: i64,
    pub bucket: i16,
    pub count: u64,
}

/// The bucket of a time.
pub fn bucket_of(millis: f64) -> i16 {
    let place = ((millis / FIRST).log2() * STEPS).ceil().clamp(0.0, LAST);
    #[allow(clippy::cast_possible_truncation, reason = "0 to 101")]
    let place = place as i16;
    place
}

/// What the values of a bucket are told as, in microseconds.
pub fn told(bucket: i16) -> u64 {
    let millis = if bucket <= 0 { FIRST } else { FIRST * ((f64::from(bucket) - 0.5) / STEPS).exp2() };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hours of microseconds")]
    let micros = (millis * 1000.0).round() as u64;
    micros
}

/// The counters, for the meter.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<HashMap<Place, (WorkspaceId, ApiId, u64)>>);

/// Key, route, quarter of an hour, bucket.
type Place = (KeyId, Arc<str>, i64, i16);

impl Latencies {
    /// Adds these; answers how many found no room.
    pub fn add(&self, latencies: impl IntoIterator<Item = Latency>) -> u64 {
        let mut counters = lock(&self.0);
        let mut dropped = 0;
        for one in latencies {
            let is_full = counters.len() >= COUNTERS;
            match counters.entry((one.key, one.route, one.quarter, one.bucket)) {
                Entry::Occupied(mut known) => known.get_mut().2 += one.count,
                Entry::Vacant(_) if is_full => dropped += one.count,
                Entry::Vacant(free) => _ = free.insert((one.workspace, one.api, one.count)),
            }
        }
        dropped
    }

    pub fn take(&self) -> Vec<Latency> {
        let counters = std::mem::take(&mut *lock(&self.0));
        let one = |((key, route, quarter, bucket), (workspace, api, count))| Latency { key, workspace, api, route, quarter, bucket, count };
        counters.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_value_is_told_within_the_bound() {
        let mut millis = 0.1;
        while millis < MOST_MILLIS {
            let told = told(bucket_of(millis)) as f64 / 1000.0;
            assert!((told - millis).abs() <= millis * 0.1, "{millis}: {told}");
            millis *= 1.013;
        }
        assert_eq!((bucket_of(0.0), bucket_of(0.1), bucket_of(MOST_MILLIS), bucket_of(f64::INFINITY)), (0, 0, 101, 101));
    }

    #[test]
    fn what_finds_no_room_is_told() {
        let one = |n: u128| Latency {
            key: KeyId::new(Uuid::from_u128(n)),
            workspace: WorkspaceId::new(Uuid::nil()),
            api: ApiId::new(Uuid::nil()),
            route: Arc::from("GET /"),
            quarter: 0,
            bucket: 7,
            count: 1,
        };
        let latencies = Latencies::default();
        assert_eq!(latencies.add((0..COUNTERS as u128).map(one)), 0);
        assert_eq!(latencies.add([one(3), one(1 << 100)]), 1, "the known one is added");
        let taken = latencies.take();
        assert_eq!((taken.len(), taken.iter().map(|l| l.count).sum::<u64>()), (COUNTERS, COUNTERS as u64 + 1));
        assert!(latencies.take().is_empty());
    }
}
