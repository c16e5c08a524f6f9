//! What is shown of limits: on pages, in files, by REST, and where a call is tried.
//!
//! A call is decided by what this node knows (`limit_state`). Where it counts a window alone that is all of it. Beside other nodes, and of windows
//! that go by lease after these have left, it is not: what others have used, this node's last question to the table of leases may not know, or
//! a change of the limit made it void; and a block that another node holds is no use yet. So before anything is shown, the database is asked,
//! in one statement for all keys of a page: for what usage has of the present windows, as charts sum it, and for what nodes were given.
//! What other nodes have counted and not written yet is missing, so on several nodes it is about two seconds late.
//!
//! Of credits usage can't say what is left, so there it is what the bucket has, and blocks of other nodes count as used until these give
//! them back (five seconds without a call). So it is with places for calls at the same time (two seconds).

mod store;

use super::{
    Gate, LimitState,
    leases::Slot,
    limit::{Limit, Stored},
    record::Record,
    rolling::KEPT,
    window::{number, start},
};
use crate::{
    keys::model::{Level, LimitUnit, Window},
    values::{KeyId, WorkspaceId},
};
use sqlx::PgExecutor;
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::list_stored;
use time::OffsetDateTime;

/// Where keys stand against their limits.
pub type Standings = HashMap<KeyId, Vec<LimitState>>;

/// A limit that the database is asked about.
struct Asked {
    slot: Slot,
    /// All keys of a workspace are counted together.
    is_shared: bool,
    unit: LimitUnit,
    /// Of the window; of a rolling one of its newest part.
    number: u32,
    /// Where the window began, or the oldest part that counts.
    since: OffsetDateTime,
}

/// Keys at a time, with what is not known of them here.
struct Look<'a> {
    gate: &'a Gate,
    now: i64,
    records: Vec<Arc<Record>>,
    asked: Vec<Asked>,
    /// Where each stands in `asked`: what keys share is asked once.
    places: HashMap<Slot, usize>,
}

impl<'a> Look<'a> {
    fn at(gate: &'a Gate, keys: &[KeyId], now: i64) -> Self {
        let records: Vec<_> = keys.iter().filter_map(|key| gate.table.by_id(*key)).collect();
        let (mut asked, mut places) = (Vec::new(), HashMap::new());
        for record in &records {
            record.look(|counted| {
                for limit in counted.limits.iter().filter(|limit| !limit.is_known_here(&gate.leases, now)) {
                    let (slot, is_shared, unit) = (limit.slot(record.holder()), record.facts.allowance.level.is_shared(), limit.policy.unit);
                    places.entry(slot.clone()).or_insert_with(|| {
                        let (number, since) = (number(slot.window, now), since(gate, slot.window, now));
                        asked.push(Asked { slot, is_shared, unit, number, since });
                        asked.len() - 1
                    });
                }
            });
        }
        Self { gate, now, records, asked, places }
    }

    fn told(&self, stored: &[Stored]) -> Standings {
        let (leases, is_metered) = (&self.gate.leases, !self.gate.meter.is_off());
        let told = |record: &Arc<Record>| {
            let states: Vec<LimitState> = record.look(|counted| {
                let state = |limit: &Limit| match self.places.get(&limit.slot(record.holder())).and_then(|place| stored.get(*place)) {
                    Some(stored) => limit.state_of(leases, stored, is_metered, self.now),
                    None => limit.state(self.now),
                };
                counted.limits.iter().map(state).collect()
            });
            (record.facts.key, states)
        };
        self.records.iter().map(told).collect()
    }
}

/// Where usage of the present window begins: with the minute, or the quarter of an hour where no minutes are kept any more.
fn since(gate: &Gate, window: Window, now: i64) -> OffsetDateTime {
    let newest = number(window, now);
    let begins = start(window, if window.is_rolling() { newest.saturating_sub(KEPT - 1) } else { newest });
    let piece = if begins < (gate.clock.now() - gate.minutes_kept).unix_timestamp() { 900 } else { 60 };
    OffsetDateTime::from_unix_timestamp(begins - begins.rem_euclid(piece)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

impl Gate {
    /// Where these keys stand against their limits at a time, by all nodes; without those that it does not know. One statement at most, and none
    /// where this node counts alone: for what is shown, never for a call.
    pub async fn standings(&self, db: impl PgExecutor<'_>, keys: &[KeyId], now_micros: i64) -> sqlx::Result<Standings> {
        let look = Look::at(self, keys, now_micros);
        if look.asked.is_empty() {
            return Ok(look.told(&[]));
        }
        // The time that is asked for may lie ahead.
        let ahead = Duration::from_micros(u64::try_from(now_micros - self.now_micros()).unwrap_or(0)).as_secs_f64();
        let stored = list_stored(db, &look.asked, now_micros, (self.node(), ahead)).await?;
        Ok(look.told(&stored))
    }

    /// The same of the limits that the keys of a workspace share; empty where they share none. They are looked at by one that shares them: what the
    /// workspace counts by (`Group::present`) may be of limits that have just changed, a key that is asked for is under those that hold.
    pub async fn shared_standings(&self, db: impl PgExecutor<'_>, workspace: WorkspaceId, now_micros: i64) -> sqlx::Result<Vec<LimitState>> {
        let joined = self.table.groups.find(workspace).map(|group| group.joined()).unwrap_or_default();
        let Some(key) = joined.into_iter().find(|key| self.level(*key).is_some_and(Level::is_shared)) else { return Ok(Vec::new()) };
        Ok(self.standings(db, &[key], now_micros).await?.remove(&key).unwrap_or_default())
    }
}
