//! Windows that go on: after a restart, and where a limit is new for a key that was there before. What passed was metered with its
//! cost, so the counters of the present windows take it from there, each in its unit, window by window, whatever the number of keys.
//!
//! After a restart this is exact: everything of the time before is written when the key table is loaded. While calls go on, those of
//! the last two seconds may not be written yet, or be written and counted. A key that leaves the counter of its workspace leaves what
//! it used there until the next start, which sums the keys that are held together then. Windows of less than a minute are not in it: an
//! orderly end leaves them in the table of leases (`Leases::end_short`), after an end by force the next start does, from what the meter kept of
//! the last minute (`meter::recent`). What began within a minute, or within a batch, is taken whole.
//!
//! Where usage can't be read, a limit that is new counts from nothing until it can (the next pass tries again); what was called meanwhile
//! and is written by then counts twice in its present window, rather than not at all.
//!
//! A window that is counted by lease is taken up in the table instead (`leases`): no less counts as given out than was used.
//! Every node may do so, and as often as it likes, since the table only rises to it. Of a key that comes under a limit of its
//! workspace while several nodes run, what it used before counts as far as more was not given out already.

use super::{
    Gate,
    credits::resume_credits,
    leases::Ask,
    limit::Counter,
    rolling::resume_rolling,
    store::{each_used, take_time},
    window::{number, start},
};
use crate::{
    keys::{
        model::{Taken, Window},
        server::meter::Batch,
    },
    values::KeyId,
};
use sqlx::PgPool;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// Counters that began for a key just now, and what it used of their windows is not in them yet. The gate keeps them until somebody
/// takes them to resume, so that a read that was broken off loses none.
#[derive(Debug, Default)]
pub struct Begun(HashMap<KeyId, Vec<Arc<Counter>>>);

impl Begun {
    pub fn add(&mut self, key: KeyId, counter: &Arc<Counter>) {
        self.0.entry(key).or_default().push(Arc::clone(counter));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn keys(&self) -> HashSet<KeyId> {
        self.0.keys().copied().collect()
    }

    fn has(&self, key: KeyId, counter: &Arc<Counter>) -> bool {
        self.0.get(&key).is_some_and(|begun| begun.iter().any(|known| Arc::ptr_eq(known, counter)))
    }

    /// They are still to be added to.
    pub fn put_back(&mut self, left: Self) {
        left.0.into_iter().for_each(|(key, counters)| self.0.entry(key).or_default().extend(counters));
    }
}

/// Which counters are added to: those of all keys, or those that began for some alone. Of these it is noted to which it was done, so that
/// after a failure none is added to twice.
#[derive(Debug, Default)]
pub struct Added<'a> {
    only: Option<&'a Begun>,
    /// By the key and where the counter lies: `only` holds it.
    done: HashSet<(KeyId, usize)>,
}

impl<'a> Added<'a> {
    pub fn only(begun: &'a Begun) -> Self {
        Self { only: Some(begun), done: HashSet::new() }
    }

    /// What these keys used of this window is in the counters that `is_added` names, or they used nothing.
    pub fn note(&mut self, gate: &Gate, window: Window, keys: &[Uuid], is_added: impl Fn(&Arc<Counter>) -> bool) {
        let Some(begun) = self.only else { return };
        for key in keys.iter().map(|key| KeyId::new(*key)) {
            let Some(record) = gate.table.by_id(key) else { continue };
            let of_window = gate.counted(&record).limits.iter().filter(|limit| limit.policy.window == window).map(|limit| &limit.counter);
            let added = of_window.filter(|&counter| begun.has(key, counter) && is_added(counter));
            self.done.extend(added.map(|counter| (key, Arc::as_ptr(counter).addr())));
        }
    }

    /// What is still to be added to.
    pub fn left(&self) -> Begun {
        let mut left = Begun::default();
        for (key, counters) in self.only.iter().flat_map(|begun| &begun.0) {
            counters.iter().filter(|counter| !self.done.contains(&(*key, Arc::as_ptr(counter).addr()))).for_each(|counter| left.add(*key, counter));
        }
        left
    }
}

/// Keys whose usage is summed at once.
pub const CHUNK: usize = 50_000;

/// Adds what keys used of the present windows. Counters are made for those that used something.
pub async fn resume_windows(gate: &Gate, db: &PgPool, added: &mut Added<'_>) -> sqlx::Result<()> {
    let (now, mut leased) = (gate.clock.now_micros(), HashMap::new());
    let resumed = resume_each(gate, db, now, added, &mut leased).await;
    // Also after a failure: what is in a lease is not added again.
    let asks: Vec<Ask> = leased.into_values().collect();
    let told = gate.leases.settle(db, now, &asks, false).await;
    if told.is_err() {
        gate.leases.push(asks);
    }
    resumed.and(told)
}

/// `leased`: what the table is to be told of.
async fn resume_each(gate: &Gate, db: &PgPool, now: i64, added: &mut Added<'_>, leased: &mut HashMap<usize, Ask>) -> sqlx::Result<()> {
    let only = added.only;
    let is_meant = |key: KeyId, counter: &Arc<Counter>| only.is_none_or(|begun| begun.has(key, counter));
    let is_by_key = |window: Window| window.is_rolling() || window.is_credits();
    let (by_key, others): (Vec<_>, Vec<_>) = windows(gate, only, is_by_key).into_iter().partition(|(window, _)| is_by_key(*window));
    let minutes_since = gate.clock.now() - gate.minutes_kept;
    let mut tx = db.begin().await?;
    if only.is_none() {
        take_time(&mut tx).await?;
    }
    for (window, keys) in others {
        let since = OffsetDateTime::from_unix_timestamp(start(window, number(window, now))).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let mut resume = |key: KeyId, used: Taken| {
            let Some(record) = gate.table.by_id(key).filter(|_| used.units > 0) else { return };
            if !record.policies().iter().any(|policy| policy.window == window) {
                return;
            }
            for limit in gate.counted(&record).limits.iter().filter(|l| l.policy.window == window && is_meant(key, &l.counter)) {
                if !limit.resume(&gate.leases, now, used.of(limit.policy.unit)) {
                    leased.entry(Arc::as_ptr(&limit.counter).addr()).or_insert_with(|| Ask::telling(&limit.slot(record.holder()), &limit.counter));
                }
            }
        };
        match keys {
            None => each_used(&mut tx, since, minutes_since, None, &mut resume).await?,
            Some(keys) => {
                for chunk in keys.chunks(CHUNK) {
                    // Some of it is added when all of it was read.
                    let mut all = Vec::new();
                    each_used(&mut tx, since, minutes_since, Some(chunk), |key, used| all.push((key, used))).await?;
                    all.into_iter().for_each(|(key, used)| resume(key, used));
                    added.note(gate, window, chunk, |_| true);
                }
            }
        }
    }
    tx.commit().await?;
    for (window, keys) in by_key {
        let keys = keys.unwrap_or_default();
        match window {
            Window::Credits(refill) => resume_credits(gate, db, refill, &keys, is_meant).await?,
            _ => resume_rolling(gate, db, window, &keys, is_meant, added).await?,
        }
    }
    Ok(())
}

/// Tells the table what was used of windows of less than a minute before this start, as an orderly end does. Before it is a node: whoever
/// begins beside it finds that there.
pub async fn tell_short(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    let (now, mut leased) = (gate.clock.now_micros(), HashMap::new());
    resume_short(gate, now, &mut leased);
    gate.leases.settle(db, now, &leased.into_values().collect::<Vec<_>>(), false).await
}

/// Adds to windows of less than a minute what batches charged that were not over when they began.
fn resume_short(gate: &Gate, now: i64, leased: &mut HashMap<usize, Ask>) {
    for spent in gate.meter.recent(now) {
        let goes_on = |window: Window| window.is_below_a_minute() && start(window, number(window, now)) * 1_000 < spent.ended_millis;
        for (key, used) in &spent.used {
            let Some(record) = gate.table.by_id(*key).filter(|record| record.policies().iter().any(|policy| goes_on(policy.window))) else { continue };
            for limit in gate.counted(&record).limits.iter().filter(|limit| goes_on(limit.policy.window)) {
                if !limit.resume(&gate.leases, now, used.of(limit.policy.unit)) {
                    leased.entry(Arc::as_ptr(&limit.counter).addr()).or_insert_with(|| Ask::telling(&limit.slot(record.holder()), &limit.counter));
                }
            }
        }
    }
}

impl Gate {
    /// Keeps what a batch charged that is written, of keys with windows of less than a minute.
    pub fn keep_recent(&self, batch: &Batch) {
        // Nearly everywhere no key has one, and then none is looked up.
        let has_one = |key: KeyId| self.table.knows_short_windows() && self.table.by_id(key).is_some_and(|record| record.has_short_window());
        self.meter.keep_recent(batch, self.clock.now_micros(), has_one);
    }
}

/// The windows that go on, with the keys that have one; none where those of all keys do and they need not be named, being read by window.
/// Places for calls at the same time are no windows: what is still taken of them is known to `leases`.
fn windows(gate: &Gate, only: Option<&Begun>, is_by_key: impl Fn(Window) -> bool) -> HashMap<Window, Option<Vec<Uuid>>> {
    let goes_on = |window: &Window| !window.is_below_a_minute() && !window.is_concurrent();
    let Some(begun) = only else {
        let windows: Vec<Window> = gate.table.windows().into_iter().filter(goes_on).collect();
        // There may be as many kinds of credits as customers.
        let mut keys = if windows.iter().any(|window| is_by_key(*window)) { gate.table.keys_by(&is_by_key) } else { HashMap::new() };
        return windows.into_iter().map(|window| (window, is_by_key(window).then(|| keys.remove(&window).unwrap_or_default()))).collect();
    };
    let mut keys_of = HashMap::<Window, Vec<Uuid>>::new();
    for key in begun.keys() {
        let Some(record) = gate.table.by_id(key) else { continue };
        let meant = gate.counted(&record).limits.iter().filter(|limit| begun.has(key, &limit.counter));
        let windows: HashSet<Window> = meant.map(|limit| limit.policy.window).collect();
        for window in windows.into_iter().filter(goes_on) {
            keys_of.entry(window).or_default().push(key.uuid());
        }
    }
    keys_of.into_iter().map(|(window, keys)| (window, Some(keys))).collect()
}
