//! What the database says of limits.

use super::{super::credits::used_now, Asked, Stored};
use crate::{keys::server::gate::rolling::KEPT, values::NodeId};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// What is stored of each, in their order; of places for calls at the same time those that others than `me` have in so many seconds.
pub async fn list_stored(db: impl PgExecutor<'_>, asked: &[Asked], now_micros: i64, (me, ahead): (NodeId, f64)) -> sqlx::Result<Vec<Stored>> {
    let holders: Vec<Uuid> = asked.iter().map(|it| it.slot.holder).collect();
    let names: Vec<&str> = asked.iter().map(|it| &*it.slot.name).collect();
    let kinds: Vec<&str> = asked.iter().map(|it| it.slot.window.kind().as_str()).collect();
    let lengths: Vec<i32> = asked.iter().map(|it| it.slot.window.stored_seconds()).collect();
    let numbers: Vec<i64> = asked.iter().map(|it| it.number.into()).collect();
    let shared: Vec<bool> = asked.iter().map(|it| it.is_shared).collect();
    let units: Vec<&str> = asked.iter().map(|it| it.unit.as_str()).collect();
    let since: Vec<OffsetDateTime> = asked.iter().map(|it| it.since).collect();
    let rows = sqlx::query!(
        r#"select a.place as "place!",
             case when a.kind in ('credits', 'concurrent') then 0 when a.is_shared then shared_used_since(a.holder, a.since, a.unit) else used_since(a.holder, a.since, a.unit) end as "used!",
             l.granted as "granted?", r.newest as "newest?", r.parts as "parts?", b.seconds as "seconds?", b.number as "number?", b.used as "taken?",
             case when a.kind = 'concurrent' then (
               select sum(p.places)::bigint from place_leases p
               where p.holder = a.holder and p.name = a.name and p.node_id <> $9 and p.ends_at > clock_timestamp() + make_interval(secs => $10)
             ) end as "elsewhere?"
           from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::bigint[], $6::boolean[], $7::text[], $8::timestamptz[])
               with ordinality as a (holder, name, kind, seconds, number, is_shared, unit, since, place)
             left join limit_leases l on a.kind = 'fixed' and l.holder = a.holder and l.name = a.name and l.window_seconds = a.seconds and l.number = a.number
             left join rolling_leases r on a.kind = 'rolling' and r.holder = a.holder and r.name = a.name and r.window_seconds = a.seconds
             left join credit_buckets b on a.kind = 'credits' and b.holder = a.holder and b.name = a.name"#,
        &holders,
        &names as &[&str],
        &kinds as &[&str],
        &lengths,
        &numbers,
        &shared,
        &units as &[&str],
        &since,
        me.uuid(),
        ahead,
    )
    .fetch_all(db)
    .await?;
    let whole = |n: i64| u64::try_from(n).unwrap_or(0);
    let mut stored = vec![Stored::default(); asked.len()];
    for row in rows {
        let Some(place) = usize::try_from(row.place - 1).ok().filter(|place| *place < asked.len()) else { continue };
        let asked = &asked[place];
        let mut of_limit = Stored { used: whole(row.used), granted: row.granted.map(whole), elsewhere: row.elsewhere.map_or(0, whole), ..Stored::default() };
        if let Some((newest, parts)) = row.newest.zip(row.parts) {
            let oldest = u32::try_from(newest).unwrap_or(u32::MAX).saturating_sub(KEPT - 1);
            let counts: Vec<(u32, u64)> = (oldest..).zip(parts.into_iter().map(whole)).filter(|(part, _)| part.saturating_add(KEPT) > asked.number).collect();
            of_limit.granted = Some(counts.iter().map(|(_, granted)| granted).sum());
            of_limit.opens = counts.iter().find(|(_, granted)| *granted > 0).map(|(part, _)| part + KEPT);
        }
        if let (Some(refill), Some(seconds), Some(number), Some(taken)) = (asked.slot.window.refill(), row.seconds, row.number, row.taken) {
            of_limit.taken = used_now(seconds, number, taken, refill, now_micros);
        }
        stored[place] = of_limit;
    }
    Ok(stored)
}
