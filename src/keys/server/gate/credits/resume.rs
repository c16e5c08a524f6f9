//! Credits that go on: after a restart, and where a limit is new for a key. Their buckets stand in the table; here it is read what is left,
//! so that pages say it before a call was made.

use super::store::list_buckets;
use crate::{
    keys::{
        model::{Refill, Window},
        server::gate::{Gate, limit::Counter, resume::CHUNK, window::number},
    },
    values::KeyId,
};
use sqlx::PgPool;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Tells the limits of these keys with this refill that are meant what is left of them.
pub async fn resume_credits(gate: &Gate, db: &PgPool, refill: Refill, keys: &[Uuid], is_meant: impl Fn(KeyId, &Arc<Counter>) -> bool) -> sqlx::Result<()> {
    let (now, window) = (gate.clock.now_micros(), Window::Credits(refill));
    for chunk in keys.chunks(CHUNK) {
        let records: Vec<_> = chunk.iter().filter_map(|key| gate.table.by_id(KeyId::new(*key))).collect();
        let holders: HashSet<Uuid> = records.iter().map(|record| record.holder()).collect();
        let buckets = list_buckets(db, &holders.into_iter().collect::<Vec<_>>()).await?;
        let used: HashMap<(Uuid, &str), i64> =
            buckets.iter().map(|b| ((b.holder, b.name.as_str()), used_now(b.seconds, b.number, b.used, refill, now))).collect();
        for record in &records {
            let is_used = |name: &str| used.get(&(record.holder(), name)).is_some_and(|used| *used != 0);
            // A bucket that is full, or that was never asked: what counters would say that are not there.
            if record.counted().is_none() && !record.policies().iter().any(|policy| policy.window == window && is_used(&policy.name)) {
                continue;
            }
            for limit in gate.counted(record).limits.iter().filter(|l| l.policy.window == window && is_meant(record.facts.key, &l.counter)) {
                let used = used.get(&(record.holder(), &*limit.policy.name)).copied().unwrap_or(0);
                let left = i64::try_from(limit.max()).unwrap_or(i64::MAX).saturating_sub(used);
                limit.know_credits(&gate.leases, now, u64::try_from(left).unwrap_or(0));
            }
        }
    }
    Ok(())
}

/// What is used of a bucket now, as the table would find it.
pub fn used_now(seconds: i32, refilled: i64, used: i64, refill: Refill, now_micros: i64) -> i64 {
    let gone = match u32::try_from(seconds) {
        Ok(seconds) if seconds == refill.seconds => (i64::from(number(Window::Credits(refill), now_micros)) - refilled).max(0),
        _ => 0, // another interval begins with the next question
    };
    used.min((used - i64::from(refill.units).saturating_mul(gone)).max(0))
}
