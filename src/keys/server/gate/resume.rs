//! Windows that go on: after a restart, and where a limit is new for a key that was there before. What passed was metered with its
//! cost, so the counters of the present windows take it from there, window by window, whatever the number of keys.
//!
//! After a restart this is exact: everything of the time before is written when the key table is loaded. While calls go on, those of
//! the last two seconds may not be written yet, or be written and counted. Windows of less than a minute begin anew; what began within
//! a minute is taken whole.

use super::{
    Gate,
    limit::Counter,
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

/// Counters that began just now.
#[derive(Debug, Default)]
pub struct Begun(Vec<Arc<Counter>>);

impl Begun {
    pub fn add(&mut self, counter: &Arc<Counter>) {
        self.0.push(Arc::clone(counter));
    }

    pub fn join(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Adds what these keys used of the present windows; with `only`, to these counters alone.
pub async fn resume_windows(gate: &Gate, db: &PgPool, keys: &HashSet<KeyId>, only: Option<&Begun>) -> sqlx::Result<()> {
    let now = gate.clock.now_micros();
    let only: Option<HashSet<usize>> = only.map(|begun| begun.0.iter().map(address).collect());
    let is_meant = |counter: &Arc<Counter>| only.as_ref().is_none_or(|only| only.contains(&address(counter)));
    let mut by_window = HashMap::<Window, Vec<Uuid>>::new();
    for key in keys {
        let Some(record) = gate.table.by_id(*key) else { continue };
        let windows: HashSet<Window> = record.limits.iter().filter(|l| is_meant(&l.counter)).map(|l| l.policy.window).collect();
        for window in windows.into_iter().filter(|w| !matches!(w, Window::Seconds(..60))) {
            by_window.entry(window).or_default().push(key.uuid());
        }
    }
    for (window, keys) in by_window {
        let since = OffsetDateTime::from_unix_timestamp(start(window, number(window, now))).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        for (key, used) in list_used(db, since, &keys).await? {
            let Some(record) = gate.table.by_id(key) else { continue };
            for limit in record.limits.iter().filter(|l| l.policy.window == window && is_meant(&l.counter)) {
                limit.resume(now, used);
            }
        }
    }
    Ok(())
}

/// What tells counters apart: they live as long as whoever asks.
fn address(counter: &Arc<Counter>) -> usize {
    Arc::as_ptr(counter).addr()
}
