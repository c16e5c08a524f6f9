//! Rolling windows that go on: after a restart, and where a limit is new for a key. As for the others (`gate::resume`) what passed is known
//! from usage; each piece of it is taken for as late as it may have been, so that nothing comes back too early.

use super::{
    super::{
        Gate,
        leases::{Slot, raise_parts},
        limit::Counter,
        resume::{Added, CHUNK},
        window::number,
    },
    KEPT,
    store::{list_pieces, piece},
};
use crate::{
    keys::model::{Taken, Window},
    values::KeyId,
};
use sqlx::PgPool;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is to be told of a leased counter: its keys' usage, part by part.
/// The counter is held, so that no other one comes to lie where it was.
type Told = HashMap<usize, (Arc<Counter>, Slot, BTreeMap<u32, u64>)>;

/// Adds what these keys used of rolling windows of this length, to the counters that are meant, and notes to which.
pub async fn resume_rolling(
    gate: &Gate,
    db: &PgPool,
    window: Window,
    keys: &[Uuid],
    is_meant: impl Fn(KeyId, &Arc<Counter>) -> bool,
    added: &mut Added<'_>,
) -> sqlx::Result<()> {
    let Window::Rolling(seconds) = window else { return Ok(()) };
    let (now, piece) = (gate.clock.now_micros(), piece(seconds));
    let parts = i64::from(KEPT) * super::part(seconds);
    let since = OffsetDateTime::from_unix_timestamp(now.div_euclid(1_000_000) - parts).unwrap_or(OffsetDateTime::UNIX_EPOCH) - piece;
    let mut told = Told::new();
    for chunk in keys.chunks(CHUNK) {
        let mut used = HashMap::<KeyId, BTreeMap<u32, Taken>>::new();
        for found in list_pieces(db, piece, since, chunk).await? {
            let last = (found.at + piece).unix_timestamp().saturating_mul(1_000_000) - 1;
            used.entry(found.key).or_default().entry(number(window, last.min(now))).or_default().add(found.used);
        }
        for (key, used) in used {
            let Some(record) = gate.table.by_id(key) else { continue };
            for limit in gate.counted(&record).limits.iter().filter(|l| l.policy.window == window && is_meant(key, &l.counter)) {
                let used: Vec<(u32, u64)> = used.iter().map(|(part, used)| (*part, used.of(limit.policy.unit))).collect();
                if limit.resume_parts(&gate.leases, now, &used) {
                    continue;
                }
                let (_, _, sums) = told
                    .entry(Arc::as_ptr(&limit.counter).addr())
                    .or_insert_with(|| (Arc::clone(&limit.counter), limit.slot(record.holder()), BTreeMap::new()));
                used.iter().for_each(|(part, used)| *sums.entry(*part).or_default() += used);
            }
        }
        added.note(gate, window, chunk, |counter| !told.contains_key(&Arc::as_ptr(counter).addr()));
    }
    let told: Vec<_> = told.into_values().map(|(_, slot, sums)| (slot, sums)).collect();
    raise_parts(db, &told).await?;
    added.note(gate, window, keys, |_| true);
    Ok(())
}
