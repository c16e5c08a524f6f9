//! The meter: every verification and its cost counted by key, route, outcome and minute, in memory (`counters`), until the usage feature writes it.
//!
//! Counters are never dropped: a batch that could not be written is tried again. The route names that callers send are folded
//! (`/orders/123` → `/orders/{id}`) and capped per key (`names`) and stripe, so that nobody can fill the memory with paths; while Postgres is away, minutes
//! are added up when they become many (`folding`). With a spool, what was counted also survives the process (`spool`).

pub mod addresses;
pub mod by_secret;
mod counters;
mod folding;
pub mod latency;
mod names;
mod passed;
pub mod permissions;
mod recent;
mod sampling;
mod spool;
mod uses;

pub use addresses::FromAddress;
pub use by_secret::{SecretCall, WithSecret};
pub use counters::Hint;
pub use latency::Latency;
pub use names::PER_KEY as NAMES_PER_KEY;
pub use passed::{PER_KEY as PASSED_PER_KEY, PER_MINUTE as PASSED_PER_MINUTE, PassedCall};
pub use permissions::ForPermission;
pub use recent::Spent;
pub use sampling::PER_CODE as SAMPLES_PER_CODE;
pub use spool::{DEBTS, LeftOver, Spool, Spooled, left_debts, left_nonces, left_over};
pub use uses::SecretUse;

use crate::{
    keys::model::Ground,
    platform::{aside::make_way, maps::FastMap},
    values::{ApiId, KeyId, Outcome, WorkspaceId},
};
use counters::{Counter, Counters};
use names::Names;
use permissions::Needs;
use sampling::Samples;
use spool::Segment;
use std::{
    collections::hash_map::Entry,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};
use uses::Uses;
use uuid::Uuid;

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
    /// Cost units that these calls asked for; charged to the limits if they passed.
    pub cost: u64,
}

/// Attempts without a known key, by reason and address (IPv4 /32, IPv6 /64).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub minute: i64,
    pub reason: Outcome,
    pub address: String,
    pub count: u64,
}

/// A sample of a refusal (`sampling` says which are kept).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub at_micros: i64,
    pub key: Option<KeyId>,
    pub workspace: Option<WorkspaceId>,
    pub api: Option<ApiId>,
    pub code: Outcome,
    /// What exactly refused it.
    pub ground: Ground,
    /// The name of the limit, where one refused it; else empty.
    pub limit: String,
    /// The permission that was missing, or that nobody grants; else empty.
    pub permission: String,
    pub route: Arc<str>,
    pub address: String,
    pub request_id: String,
    pub detail: String,
}

/// All that was counted since the last `take`, under an id: it counts once, however often it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub id: Uuid,
    pub counts: Vec<Tally>,
    pub unknown: Vec<Attempt>,
    pub samples: Vec<Refusal>,
    pub passed: Vec<PassedCall>,
    pub uses: Vec<SecretUse>,
    pub latencies: Vec<Latency>,
    pub addresses: Vec<FromAddress>,
    pub permissions: Vec<ForPermission>,
    pub secrets: Vec<WithSecret>,
    /// Where it stands on disk until it is written.
    pub spooled: Spooled,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        // There is no address and no permission without a count. What only asks for others has calls by secret and no count.
        let is_uncounted = self.counts.is_empty() && self.unknown.is_empty() && self.secrets.is_empty();
        is_uncounted && self.samples.is_empty() && self.passed.is_empty() && self.uses.is_empty() && self.latencies.is_empty()
    }
}

const STRIPES: usize = 16;
/// Distinct (key, route, outcome, minute) of one stripe: beyond these, minutes that are over are added up, and what is new shares the route
/// `other`.
const COUNTERS: usize = 20_000;
/// Distinct (minute, reason, address) beyond this share the address `other`.
const ADDRESSES: usize = 10_000;

/// Minute, reason, address.
type AttemptSlot = (i64, Outcome, String);
/// How many there were, and where that stands in the spool.
type Attempts = FastMap<AttemptSlot, (u64, Option<usize>)>;

/// The name of routes that find no room for their own.
static OTHER: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("other"));

/// A part of the counters, with its lock, its batch and its file.
#[derive(Default)]
struct Stripe {
    batch: Uuid,
    counts: Counters,
    /// The room that the batch before had; the next one has it again.
    spare: Counters,
    segment: Segment,
    addresses: addresses::Addresses,
    names: Names,
    /// With fewer counters nothing is added up again.
    fold_at: usize,
    totals: Totals,
}

/// All that was ever counted, by outcome.
type Totals = [u64; Outcome::ALL.len()];

#[derive(Default)]
struct Unknown {
    batch: Uuid,
    attempts: Attempts,
    segment: Segment,
    fold_at: usize,
    totals: Totals,
}

/// The counters. One lock per stripe, held for one look or one map operation, but while counters are added up (`folding`).
pub struct Meter {
    stripes: [Mutex<Stripe>; STRIPES],
    unknown: Mutex<Unknown>,
    samples: Mutex<Samples>,
    draw: passed::Draw,
    passed: Mutex<passed::Kept>,
    uses: [Mutex<Uses>; STRIPES],
    secrets: [Mutex<by_secret::BySecret>; STRIPES],
    latencies: latency::Latencies,
    spool: Option<Spool>,
    /// Counters of a stripe, and attempts, before minutes are added up.
    room: (usize, usize),
    /// It counts nothing: for measuring what counting costs.
    is_off: bool,
}

impl Stripe {
    /// What was counted; begins anew, for another batch. Names are known for their minute.
    fn renew(&mut self, batch: Uuid) -> Self {
        let (names, counts) = (std::mem::take(&mut self.names), std::mem::take(&mut self.spare));
        let fresh = Self { batch, totals: self.totals, names, counts, ..Self::default() };
        std::mem::replace(self, fresh)
    }
}

impl Unknown {
    /// The same.
    fn renew(&mut self, batch: Uuid) -> Self {
        let fresh = Self { batch, totals: self.totals, ..Self::default() };
        std::mem::replace(self, fresh)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(Uuid::nil(), None)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last byte of a UUIDv7 is random.
fn stripe(id: Uuid) -> usize {
    usize::from(id.as_bytes()[15]) % STRIPES
}

impl Meter {
    /// `first` is the id of the first batch.
    pub fn new(first: Uuid, spool: Option<Spool>) -> Self {
        Self::with_room(first, spool, (COUNTERS, ADDRESSES))
    }

    /// With room for so many counters of a stripe and so many attempts, before minutes are added up.
    pub fn with_room(first: Uuid, spool: Option<Spool>, room: (usize, usize)) -> Self {
        Self {
            stripes: std::array::from_fn(|_| Mutex::new(Stripe { batch: first, names: Names::new(), ..Stripe::default() })),
            unknown: Mutex::new(Unknown { batch: first, ..Unknown::default() }),
            samples: Mutex::default(),
            draw: passed::Draw::default(),
            passed: Mutex::default(),
            uses: Default::default(),
            secrets: Default::default(),
            latencies: latency::Latencies::default(),
            spool,
            room,
            is_off: false,
        }
    }

    /// One that counts nothing and keeps no spool.
    pub fn off() -> Self {
        Self { is_off: true, ..Self::default() }
    }

    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// True while the disk does not take the spool: an end by force would lose what is not in Postgres yet.
    pub fn is_spool_failing(&self) -> bool {
        self.spool.as_ref().is_some_and(Spool::is_failing)
    }

    /// What the spool takes of the disk; none without one.
    pub fn spool_bytes(&self) -> Option<u64> {
        self.spool.as_ref().map(Spool::bytes)
    }

    /// Keeps for a minute what a batch charged that is written, of the keys that are meant: limits of less than a minute go on from it.
    pub fn keep_recent(&self, batch: &Batch, now_micros: i64, is_meant: impl Fn(KeyId) -> bool) {
        if let Some(spool) = &self.spool
            && let Err(error) = spool.keep_recent(batch, now_micros, is_meant)
        {
            tracing::warn!("after an end by force limits of less than a minute would begin anew: {error}");
        }
    }

    /// An orderly end told the table of leases what was used of windows of less than a minute.
    pub fn forget_recent(&self) {
        if let Some(spool) = &self.spool
            && let Err(error) = spool.forget_recent()
        {
            tracing::warn!("what calls charged in the last minute can't be removed; the next start lets go of it: {error}");
        }
    }

    /// What calls charged in the last minute, of processes that ended by force.
    pub fn recent(&self, now_micros: i64) -> Vec<Spent> {
        let Some(spool) = &self.spool else { return Vec::new() };
        spool.recent(now_micros).unwrap_or_else(|error| {
            tracing::warn!("limits of less than a minute begin anew: {error}");
            Vec::new()
        })
    }

    /// What this process counted since it began, in the order of `Outcome::ALL`.
    pub fn totals(&self) -> Totals {
        let mut totals = lock(&self.unknown).totals;
        for stripe in &self.stripes {
            let of_stripe = lock(stripe).totals;
            totals.iter_mut().zip(of_stripe).for_each(|(total, n)| *total += n);
        }
        totals
    }

    /// Calls whose key named more routes in a minute than are told apart.
    pub fn folded(&self) -> u64 {
        self.stripes.iter().map(|stripe| lock(stripe).names.folded).sum()
    }

    /// Counters that wait for the next write.
    pub fn counters(&self) -> usize {
        let known: usize = self.stripes.iter().map(|stripe| lock(stripe).counts.len()).sum();
        known + lock(&self.unknown).attempts.len()
    }

    /// A call of this key is on its way: what it will be counted in is loaded meanwhile, where nobody holds its stripe.
    pub fn expect(&self, key: KeyId, hint: &Hint) {
        if !self.is_off
            && let Ok(stripe) = self.stripes[stripe(key.uuid())].try_lock()
        {
            stripe.counts.expect(hint.place());
        }
    }

    /// The same, closer: where that stands in the spool.
    pub fn expect_stored(&self, key: KeyId, hint: &Hint) {
        if !self.is_off
            && let Ok(stripe) = self.stripes[stripe(key.uuid())].try_lock()
            && let Some(at) = stripe.counts.stored_at(hint.place())
        {
            stripe.segment.expect(at);
        }
    }

    /// Counts one verification of a known key.
    pub fn count(&self, tally: Tally) {
        self.count_from(tally, false, None, [None; 2], &Hint::default());
    }

    /// The same of a call from an address that needed these permissions. `is_named`: its route is what the caller said, and none of the API.
    /// `hint` is the key's own.
    pub fn count_from(&self, mut tally: Tally, is_named: bool, address: Option<IpAddr>, needed: [Option<&str>; 2], hint: &Hint) {
        if self.is_off {
            return;
        }
        let n = stripe(tally.key.uuid());
        let stripe = &mut *lock(&self.stripes[n]);
        if let Some(address) = address {
            stripe.addresses.add(&tally, address);
        }
        stripe.totals[tally.outcome as usize] += tally.count;
        if stripe.counts.len() >= self.room.0 {
            stripe.make_room(self.spool.as_ref(), n, tally.minute, self.room.0);
        }
        if let Some((place, counter)) = stripe.counts.get(hint.place(), (tally.key, &tally.route, tally.outcome, tally.minute)) {
            counter.add(&tally, needed, &mut stripe.segment);
            hint.note(place);
            return;
        }
        let is_folded = is_named && !stripe.names.admit(tally.key, &tally.route, tally.minute);
        if is_folded {
            stripe.names.folded += tally.count;
        }
        if is_folded || stripe.counts.len() >= self.room.0 {
            tally.route = Arc::clone(&OTHER);
            if let Some((_, counter)) = stripe.counts.get(Hint::NOWHERE, (tally.key, &tally.route, tally.outcome, tally.minute)) {
                counter.add(&tally, needed, &mut stripe.segment);
                return;
            }
        }
        let at = stripe.segment.keep(self.spool.as_ref(), stripe.batch, n, || spool::tally(&tally));
        let mut needs = Needs::default();
        needs.add(needed, tally.count);
        let Tally { key, workspace, api, route, outcome, minute, count, cost } = tally;
        hint.note(stripe.counts.insert((key, route, outcome, minute), Counter { workspace, api, count, cost, at, needs }));
    }

    /// Counts one attempt whose secret no key has.
    pub fn count_unknown(&self, attempt: Attempt) {
        if self.is_off {
            return;
        }
        lock(&self.unknown).totals[attempt.reason as usize] += attempt.count;
        self.add_attempt(attempt);
    }

    /// Counts one call that a block of a key or a workspace slowed down, whose id stands for the address. It is in the usage of its key as well,
    /// where nothing tells it from calls beyond a limit.
    pub fn count_slowed(&self, attempt: Attempt) {
        if !self.is_off {
            self.add_attempt(attempt);
        }
    }

    fn add_attempt(&self, mut attempt: Attempt) {
        let unknown = &mut *lock(&self.unknown);
        if unknown.attempts.len() >= self.room.1 {
            unknown.make_room(self.spool.as_ref(), attempt.minute, self.room.1);
        }
        let is_full = unknown.attempts.len() >= self.room.1;
        let mut slot = (attempt.minute, attempt.reason, attempt.address.clone());
        if is_full && !unknown.attempts.contains_key(&slot) {
            "other".clone_into(&mut attempt.address);
            slot.2.clone_from(&attempt.address);
        }
        match unknown.attempts.entry(slot) {
            Entry::Occupied(mut known) => {
                let (count, at) = known.get_mut();
                *count += attempt.count;
                unknown.segment.store_count(*at, *count);
            }
            Entry::Vacant(free) => {
                let at = unknown.segment.keep(self.spool.as_ref(), unknown.batch, STRIPES, || spool::attempt(&attempt));
                free.insert((attempt.count, at));
            }
        }
    }

    /// Keeps the refusal if it is one of the few of its key, code and minute that are kept.
    pub fn sample(&self, key: Option<KeyId>, code: Outcome, at_micros: i64, whence: (Ground, Option<IpAddr>), refusal: impl FnOnce() -> Refusal) {
        lock(&self.samples).add((key, code), at_micros.div_euclid(60_000_000), whence, refusal);
    }

    /// Whether this call is to be a sample, of an API that keeps one in so many of those that pass.
    pub fn draws(&self, one_in: NonZeroU32) -> bool {
        !self.is_off && self.draw.hits(one_in)
    }

    /// Keeps a call that passed and was drawn, if there is room for one more of its key and minute.
    pub fn keep_passed(&self, key: KeyId, at_micros: i64, call: impl FnOnce() -> PassedCall) {
        lock(&self.passed).add(key, at_micros.div_euclid(60_000_000), call);
    }

    /// Keeps the last use of each secret; bounded by the number of secrets.
    pub fn note_use(&self, latest: SecretUse) {
        // By stripes too: none of them ever grows for long while calls wait.
        let n = stripe(latest.secret.uuid());
        lock(&self.uses[n]).note(latest);
    }

    /// Counts a call with one of several secrets of a key, whatever became of it.
    pub fn count_secret(&self, call: &SecretCall) {
        if !self.is_off {
            lock(&self.secrets[stripe(call.key.uuid())]).add(call);
        }
    }

    /// Counts how long calls took; answers how many found no room.
    pub fn measure(&self, latencies: impl IntoIterator<Item = Latency>) -> u64 {
        self.latencies.add(latencies)
    }

    /// Takes everything counted so far; the counters start anew, for the batch `next`. Stripe by stripe: what is counted meanwhile is
    /// in one batch or the other, in memory as on disk.
    pub fn take(&self, next: Uuid) -> Batch {
        let mut batch = Batch::default();
        for stripe in &self.stripes {
            let Stripe { batch: id, mut counts, segment, addresses, .. } = lock(stripe).renew(next);
            batch.id = id;
            batch.spooled.add(segment.path());
            batch.addresses.extend(addresses.into_counts());
            let held = counts.len();
            batch.counts.reserve(held);
            for ((key, route, outcome, minute), counter) in counts.drain() {
                let Counter { workspace, api, count, cost, needs, .. } = counter;
                let needs = needs.into_counts().map(|(permission, count)| ForPermission { key, workspace, api, permission, outcome, minute, count });
                batch.permissions.extend(needs);
                batch.counts.push(Tally { key, workspace, api, route, outcome, minute, count, cost });
            }
            lock(stripe).spare = counts.roomy(held);
            make_way();
        }
        let unknown = lock(&self.unknown).renew(next);
        batch.spooled.add(unknown.segment.path());
        batch.unknown = unknown.attempts.into_iter().map(|((minute, reason, address), (count, _))| Attempt { minute, reason, address, count }).collect();
        batch.samples = lock(&self.samples).take();
        batch.passed = lock(&self.passed).take();
        for uses in &self.uses {
            let mut latest = lock(uses).renew();
            let held = latest.len();
            batch.uses.extend(latest.drain().map(|(_, latest)| latest));
            lock(uses).reuse(latest, held);
            make_way();
        }
        batch.secrets = self.secrets.iter().flat_map(|secrets| std::mem::take(&mut *lock(secrets)).into_counts()).collect();
        batch.latencies = self.latencies.take();
        batch
    }
}
