//! The SQL of leases of rolling windows. The parts of one limit stand in one row of `rolling_leases`; functions of migration 0030 take and
//! give back under its lock, so that the sum of the 61 parts that count is never more than the limit by a grant.

use super::{
    Slot,
    rolling::Part,
    store::{Answer, Row, Used, Whole},
};
use crate::keys::server::gate::rolling::{KEPT, Ring};
use serde_json::{Map, Value, json};
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// As `store::ask`, of rolling windows.
pub async fn ask(db: &PgPool, rows: &[(usize, &Row<'_>)], share: u64) -> sqlx::Result<Vec<Answer>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let counted: Vec<Used<'_>> = rows.iter().flat_map(|(_, row)| row.request.counted.iter().map(move |(part, used)| (&row.ask.slot, *part, *used))).collect();
    raise(db, &counted).await?;
    let asks: Value = rows
        .iter()
        .map(|(place, row)| {
            let (slot, request) = (&row.ask.slot, &row.request);
            let mut back = BTreeMap::<u32, u64>::new();
            for (part, unused) in request.late.iter().copied().chain([(request.window, request.back)]) {
                *back.entry(part).or_default() += unused;
            }
            json!({
                "place": place, "holder": slot.holder.to_string(), "name": &*slot.name, "seconds": seconds(slot), "at": request.window, "most": request.max,
                "need": request.need, "ahead": request.ahead, "back": numbered(back),
            })
        })
        .collect();
    let answers = sqlx::query!(
        r#"select place as "place!", number as "number!", given as "given!", spare as "spare!", opens from lease_rolling($1, $2)"#,
        asks,
        i64::try_from(share).unwrap_or(1),
    )
    .fetch_all(db)
    .await?;
    let mut rings = list_rings(db, rows).await?;
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let part = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(answers
        .into_iter()
        .map(|a| {
            let place = usize::try_from(a.place).unwrap_or(usize::MAX);
            let told = Part { number: part(a.number), opens: a.opens.map(part) };
            Answer {
                place,
                given: number(a.given),
                left: number(a.spare),
                part: Some(told),
                whole: rings.remove(&place).map(|ring| Whole::Ring(Box::new(ring))),
            }
        })
        .collect())
}

/// What was given out of each part of the windows that are taken over, after what came back from here was written.
async fn list_rings(db: &PgPool, rows: &[(usize, &Row<'_>)]) -> sqlx::Result<HashMap<usize, Ring>> {
    let taken: Vec<_> = rows.iter().filter(|(_, row)| row.takes_over).collect();
    if taken.is_empty() {
        return Ok(HashMap::new());
    }
    let holders: Vec<Uuid> = taken.iter().map(|(_, row)| row.ask.slot.holder).collect();
    let names: Vec<&str> = taken.iter().map(|(_, row)| &*row.ask.slot.name).collect();
    let lengths: Vec<i32> = taken.iter().map(|(_, row)| seconds(&row.ask.slot)).collect();
    let found = sqlx::query!(
        r#"select a.place as "place!", l.newest as "newest!", l.parts as "parts!"
           from unnest($1::uuid[], $2::text[], $3::integer[]) with ordinality as a (holder, name, window_seconds, place)
             join rolling_leases l using (holder, name, window_seconds)"#,
        &holders,
        &names as &[&str],
        &lengths,
    )
    .fetch_all(db)
    .await?;
    let ring = |newest: i64, parts: Vec<i64>| {
        let newest = u32::try_from(newest).unwrap_or(u32::MAX);
        let numbers = newest.saturating_sub(KEPT - 1)..=newest;
        Ring::of(newest, numbers.zip(parts.into_iter().map(|granted| u64::try_from(granted).unwrap_or(0))))
    };
    let place = |ordinal: i64| usize::try_from(ordinal - 1).ok().and_then(|at| taken.get(at)).map(|(place, _)| *place);
    Ok(found.into_iter().filter_map(|row| Some((place(row.place)?, ring(row.newest, row.parts)))).collect())
}

/// As `store::raise`, of parts of rolling windows: what was counted of each.
pub async fn raise(db: &PgPool, used: &[Used<'_>]) -> sqlx::Result<()> {
    let all = used.iter().map(|(slot, part, used)| counted(slot, [(*part, *used)]));
    tell(db, all.collect(), true).await
}

/// The same of what is known from usage, which may be of an earlier part than it says: what was leased is not counted twice.
pub async fn raise_parts(db: &PgPool, used: &[(Slot, BTreeMap<u32, u64>)]) -> sqlx::Result<()> {
    for chunk in used.chunks(1_000) {
        let all = chunk.iter().map(|(slot, parts)| counted(slot, parts.iter().map(|(part, used)| (*part, *used))));
        tell(db, all.collect(), false).await?;
    }
    Ok(())
}

async fn tell(db: &PgPool, counted: Vec<Value>, is_exact: bool) -> sqlx::Result<()> {
    if !counted.is_empty() {
        sqlx::query!(r#"select 1 as "done!" from raise_rolling($1, $2)"#, Value::from(counted), is_exact).fetch_all(db).await?;
    }
    Ok(())
}

fn counted(slot: &Slot, used: impl IntoIterator<Item = (u32, u64)>) -> Value {
    json!({ "holder": slot.holder.to_string(), "name": &*slot.name, "seconds": seconds(slot), "used": numbered(used) })
}

fn numbered(parts: impl IntoIterator<Item = (u32, u64)>) -> Map<String, Value> {
    parts.into_iter().map(|(part, units)| (part.to_string(), units.into())).collect()
}

/// The length of the window.
fn seconds(slot: &Slot) -> i32 {
    slot.window.stored_seconds()
}
