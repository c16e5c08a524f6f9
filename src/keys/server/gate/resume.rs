//! Windows that go on: after a restart, and where a limit is new for a key that was there before. What passed was metered with its
//! cost, so the counters of the present windows take it from there, window by window, whatever the number of keys.
//!
//! After a restart this is exact: everything of the time before is written when the key table is loaded. While calls go on, those of
//! the last two seconds may not be written yet, or be written and counted. A key that leaves the counter of its workspace leaves what
//! it used there until the next start, which sums the keys that are held together then. Windows of less than a minute begin anew; what
//! began within a minute is taken whole.
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
    store::list_used,
    window::{number, start},
};
use crate::{keys::model::Window, values::KeyId};
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
}

/// Keys whose usage is summed at once.
pub const CHUNK: usize = 50_000;

/// Adds what these keys used of the present windows; with `only`, to the counters that began for them alone.
pub async fn resume_windows(gate: &Gate, db: &PgPool, keys: &HashSet<KeyId>, only: Option<&Begun>) -> sqlx::Result<()> {
    let now = gate.clock.now_micros();
    let is_meant = |key: KeyId, counter: &Arc<Counter>| only.is_none_or(|begun| begun.has(key, counter));
    let mut by_window = HashMap::<Window, Vec<Uuid>>::new();
    for key in keys {
        let Some(record) = gate.table.by_id(*key) else { continue };
        let windows: HashSet<Window> = record.limits.iter().filter(|l| is_meant(*key, &l.counter)).map(|l| l.policy.window).collect();
        for window in windows.into_iter().filter(|w| !matches!(w, Window::Seconds(..60) | Window::Concurrent(_))) {
            by_window.entry(window).or_default().push(key.uuid());
        }
    }
    let mut leased = HashMap::<usize, Ask>::new();
    for (window, keys) in by_window {
        if window.is_rolling() {
            resume_rolling(gate, db, window, &keys, is_meant).await?;
            continue;
        }
        if let Window::Credits(refill) = window {
            resume_credits(gate, db, refill, &keys, is_meant).await?;
            continue;
        }
        let since = OffsetDateTime::from_unix_timestamp(start(window, number(window, now))).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        for chunk in keys.chunks(CHUNK) {
            for (key, used) in list_used(db, since, chunk).await? {
                let Some(record) = gate.table.by_id(key) else { continue };
                for limit in record.limits.iter().filter(|l| l.policy.window == window && is_meant(key, &l.counter)) {
                    if !limit.resume(&gate.leases, now, used) {
                        leased.entry(Arc::as_ptr(&limit.counter).addr()).or_insert_with(|| Ask::telling(&limit.slot(record.holder()), &limit.counter));
                    }
                }
            }
        }
    }
    gate.leases.settle(db, now, &leased.into_values().collect::<Vec<_>>(), false).await
}
