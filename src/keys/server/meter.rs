//! The meter: every verification counted by key, route, outcome and minute, in memory, until the usage feature writes it.
//!
//! Counters are bounded by keys × routes, never dropped: a batch that could not be written is put back. The route names that callers
//! send are folded (`/orders/123` → `/orders/{id}`) and capped per stripe, so that nobody can fill the memory with paths.

use crate::values::{ApiId, KeyId, Outcome, WorkspaceId};
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

/// One counter on its way to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub key: KeyId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub route: Arc<str>,
    pub outcome: Outcome,
    /// Minutes since 1970, UTC.
    pub minute: i64,
    pub count: u64,
}

/// Attempts without a known key, by reason and address (IPv4 /32, IPv6 /64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub minute: i64,
    pub reason: Outcome,
    pub address: String,
    pub count: u64,
}

/// A sample of a refusal: at most one per key, code and minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub at_micros: i64,
    pub key: Option<KeyId>,
    pub workspace: Option<WorkspaceId>,
    pub api: Option<ApiId>,
    pub code: Outcome,
    pub route: Arc<str>,
    pub address: String,
    pub request_id: String,
    pub detail: String,
}

/// All that was counted since the last `take`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub counts: Vec<Tally>,
    pub unknown: Vec<Attempt>,
    pub samples: Vec<Refusal>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.unknown.is_empty() && self.samples.is_empty()
    }
}

const STRIPES: usize = 16;
/// Distinct (key, route, outcome, minute) beyond this in one stripe share the route `other`.
const ROUTES_PER_STRIPE: usize = 20_000;
/// Distinct (minute, reason, address) beyond this share the address `other`.
const ADDRESSES: usize = 10_000;
/// Samples kept until the next write.
const SAMPLES: usize = 1_000;

type Counts = HashMap<(KeyId, Arc<str>, Outcome, i64), (WorkspaceId, ApiId, u64)>;

#[derive(Default)]
struct Unknown {
    attempts: HashMap<(i64, Outcome, String), u64>,
    samples: HashMap<(Option<KeyId>, Outcome, i64), Refusal>,
}

/// The counters. One lock per stripe, held for one map operation.
pub struct Meter {
    stripes: [Mutex<Counts>; STRIPES],
    unknown: Mutex<Unknown>,
    hasher: RandomState,
}

impl Default for Meter {
    fn default() -> Self {
        Self { stripes: Default::default(), unknown: Mutex::default(), hasher: RandomState::new() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    /// Counts one verification of a known key.
    pub fn count(&self, tally: Tally) {
        let mut stripe = lock(&self.stripes[self.stripe(&tally.key)]);
        add(&mut stripe, tally);
    }

    /// Counts one attempt whose secret no key has.
    pub fn count_unknown(&self, attempt: Attempt) {
        let mut unknown = lock(&self.unknown);
        add_attempt(&mut unknown.attempts, attempt);
    }

    /// Keeps the refusal if it is the first of its key, code and minute.
    pub fn sample(&self, key: Option<KeyId>, code: Outcome, at_micros: i64, refusal: impl FnOnce() -> Refusal) {
        let mut unknown = lock(&self.unknown);
        if unknown.samples.len() < SAMPLES {
            unknown.samples.entry((key, code, at_micros.div_euclid(60_000_000))).or_insert_with(refusal);
        }
    }

    /// Takes everything counted so far; the counters start anew.
    pub fn take(&self) -> Batch {
        let mut batch = Batch::default();
        for stripe in &self.stripes {
            let counts = std::mem::take(&mut *lock(stripe));
            batch.counts.extend(counts.into_iter().map(|((key, route, outcome, minute), (workspace, api, count))| Tally {
                key,
                workspace,
                api,
                route,
                outcome,
                minute,
                count,
            }));
        }
        let unknown = std::mem::take(&mut *lock(&self.unknown));
        batch.unknown = unknown.attempts.into_iter().map(|((minute, reason, address), count)| Attempt { minute, reason, address, count }).collect();
        batch.samples = unknown.samples.into_values().collect();
        batch
    }

    /// Gives back what could not be written; it is added to what was counted meanwhile.
    pub fn put_back(&self, batch: Batch) {
        for tally in batch.counts {
            self.count(tally);
        }
        let mut unknown = lock(&self.unknown);
        for attempt in batch.unknown {
            add_attempt(&mut unknown.attempts, attempt);
        }
        for sample in batch.samples {
            unknown.samples.entry((sample.key, sample.code, sample.at_micros.div_euclid(60_000_000))).or_insert(sample);
        }
    }

    fn stripe(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0)
    }
}

fn add(counts: &mut Counts, tally: Tally) {
    let full = counts.len() >= ROUTES_PER_STRIPE;
    let slot = (tally.key, tally.route, tally.outcome, tally.minute);
    if let Some(known) = counts.get_mut(&slot) {
        known.2 += tally.count;
        return;
    }
    let route = if full { Arc::from("other") } else { slot.1 };
    counts.entry((slot.0, route, slot.2, slot.3)).or_insert((tally.workspace, tally.api, 0)).2 += tally.count;
}

fn add_attempt(attempts: &mut HashMap<(i64, Outcome, String), u64>, attempt: Attempt) {
    let slot = (attempt.minute, attempt.reason, attempt.address);
    if attempts.len() < ADDRESSES || attempts.contains_key(&slot) {
        *attempts.entry(slot).or_default() += attempt.count;
    } else {
        *attempts.entry((slot.0, slot.1, "other".to_owned())).or_default() += attempt.count;
    }
}
