//! The SQL of leases of credits. A bucket is one row of `credit_buckets`; functions of migrations 0039, 0042 and 0059 refill it, take and give back
//! under its lock.

use super::{
    rolling::Part,
    store::{Answer, Row},
};
use crate::values::NodeId;
use serde_json::{Map, Value, json};
use sqlx::PgPool;

/// A block is at most one of so many parts of what is left, also on a node that is alone: it may be killed.
const PARTS: u64 = 4;

/// As `store::ask`, of credits.
pub async fn ask(db: &PgPool, rows: &[(usize, &Row<'_>)], share: u64) -> sqlx::Result<Vec<Answer>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let asks: Value = rows
        .iter()
        .map(|(place, row)| {
            let (slot, request) = (&row.ask.slot, &row.request);
            let mut back = Map::new();
            for (number, unused) in request.late.iter().copied().chain([(request.window, request.back)]).filter(|(_, unused)| *unused > 0) {
                back.insert(number.to_string(), unused.into());
            }
            json!({
                "place": place, "holder": slot.holder.to_string(), "name": &*slot.name, "seconds": slot.window.stored_seconds(),
                "refill": slot.window.stored_refill(), "at": request.window, "most": request.max, "need": request.need, "ahead": request.ahead, "back": back,
            })
        })
        .collect();
    // An answer that comes too late for whoever asked is none: what nobody got is not given.
    let mut tx = db.begin().await?;
    let answers = sqlx::query!(
        r#"select place as "place!", number as "number!", given as "given!", spare as "spare!" from lease_credits($1, $2)"#,
        asks,
        i64::try_from(share.max(PARTS)).unwrap_or(4),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let units = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(answers
        .into_iter()
        .map(|a| Answer {
            place: usize::try_from(a.place).unwrap_or(usize::MAX),
            given: units(a.given),
            left: units(a.spare),
            part: Some(Part { number: u32::try_from(a.number).unwrap_or(u32::MAX), opens: None }),
            whole: None,
        })
        .collect())
}

/// Tells what passed on trust. Sent again under the same number, it counts once.
pub async fn settle(db: &PgPool, node: NodeId, number: u64, debts: Value) -> sqlx::Result<()> {
    sqlx::query!(r#"select settle_credits($1, $2, $3) as "is_new!""#, node.uuid(), i64::try_from(number).unwrap_or(i64::MAX), debts).fetch_one(db).await?;
    Ok(())
}
