//! The same by the minute, for limits that quarters of an hour say nothing of. There are many minutes, so those are read that stand in
//! quarters in and around which more was asked than a limit allows: nowhere else can a window of it have been beyond.

use super::dry_run::{AskedRow, LimitedRow, Whose};
use crate::keys::model::KeyLimit;
use futures_util::TryStreamExt;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Who asked since `since` for more than these limits, all of fixed windows of whole minutes, allow. Their units at all are those since
/// `from`.
pub async fn list_limited_by_minute(
    db: &PgPool,
    limits: &[KeyLimit],
    whose: &Whose<'_>,
    from: OffsetDateTime,
    since: OffsetDateTime,
) -> sqlx::Result<Vec<LimitedRow>> {
    let calls: Vec<i64> = limits.iter().map(|l| i64::try_from(l.limit).unwrap_or(i64::MAX)).collect();
    let windows: Vec<i32> = limits.iter().map(|l| l.window.stored_seconds()).collect();
    sqlx::query_as!(
        LimitedRow,
        r#"with quarters as (
             select u.workspace_id, case when $4 then u.key_id end as key_id, u.quarter, sum(coalesce(u.cost, u.count)) as units
             from usage_quarters u join apis a on a.id = u.api_id and a.slug <> 'tollgate'
             where u.quarter >= $3 and ($6::uuid[] is null or u.workspace_id = any($6)) and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
               and ($7::uuid[] is null or u.key_id = any($7))
               and ($8 or not exists (select from key_limits l where l.key_id = u.key_id union all
                 select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
             group by 1, 2, 3
           ), around as (
             select workspace_id, key_id, quarter, sum(units) over (
               partition by workspace_id, key_id order by quarter range between make_interval(secs => $9::integer + 900) preceding
                 and make_interval(secs => $9::integer + 900) following
             ) > $10::bigint as may_be_beyond
             from quarters where quarter >= $5
           ), minutes as (
             select r.workspace_id, r.key_id, u.minute, sum(coalesce(u.cost, u.count)) as units
             from around r join usage_minutes u on u.workspace_id = r.workspace_id and u.minute >= r.quarter
                 and u.minute < r.quarter + interval '15 minutes' and (r.key_id is null or u.key_id = r.key_id)
               join apis a on a.id = u.api_id and a.slug <> 'tollgate'
             where r.may_be_beyond and u.minute >= $5 and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
               and ($7::uuid[] is null or u.key_id = any($7))
               and ($8 or not exists (select from key_limits l where l.key_id = u.key_id union all
                 select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
             group by 1, 2, 3
           ), cells as (
             select m.workspace_id, m.key_id, l.max, sum(m.units) as units
             from minutes m cross join unnest($1::bigint[], $2::integer[]) with ordinality as l (max, seconds, place)
             group by m.workspace_id, m.key_id, l.max, l.place, floor(extract(epoch from m.minute) / l.seconds)
           ), held as (
             select workspace_id, key_id, count(*) as windows, sum(units - max) as beyond from cells where units > max group by 1, 2
           ), all_units as (
             select workspace_id, key_id, sum(units) as units from quarters group by 1, 2
           )
           select h.workspace_id as "workspace!", h.key_id as "key?", coalesce(k.name, w.name, 'gone') as "name!", h.windows as "windows!",
             least(h.beyond, 9223372036854775807)::bigint as "beyond!", least(s.units, 9223372036854775807)::bigint as "units!",
             count(*) over () as "limited!"
           from held h join all_units s on s.workspace_id = h.workspace_id and s.key_id is not distinct from h.key_id
             left join workspaces w on w.id = h.workspace_id left join keys k on k.id = h.key_id"#,
        &calls,
        &windows,
        from,
        whose.by_key,
        since,
        whose.of,
        whose.keys,
        whose.all_keys,
        windows.iter().copied().max().unwrap_or(0),
        calls.iter().copied().min().unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await
}

/// The minutes since `since` that may matter to this rolling limit, of those who asked for more than it allows in any window of its length,
/// in order of time. Their units at all are those since `from`.
pub async fn each_minute(
    db: &PgPool,
    limit: &KeyLimit,
    whose: &Whose<'_>,
    from: OffsetDateTime,
    since: OffsetDateTime,
    mut each: impl FnMut(AskedRow) + Send,
) -> sqlx::Result<()> {
    let mut rows = sqlx::query_as!(
        AskedRow,
        r#"with quarters as (
             select u.workspace_id, case when $3 then u.key_id end as key_id, u.quarter, sum(coalesce(u.cost, u.count)) as units
             from usage_quarters u join apis a on a.id = u.api_id and a.slug <> 'tollgate'
             where u.quarter >= $4 and ($6::uuid[] is null or u.workspace_id = any($6)) and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
               and ($7::uuid[] is null or u.key_id = any($7))
               and ($8 or not exists (select from key_limits l where l.key_id = u.key_id union all
                 select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
             group by 1, 2, 3
           ), around as (
             select workspace_id, key_id, quarter, sum(units) over (
               partition by workspace_id, key_id order by quarter range between make_interval(secs => $2::integer + 900) preceding
                 and make_interval(secs => $2::integer + 900) following
             ) > $1::bigint as may_be_beyond
             from quarters where quarter >= $5
           ), minutes as (
             select r.workspace_id, r.key_id, u.minute, sum(coalesce(u.cost, u.count)) as units
             from around r join usage_minutes u on u.workspace_id = r.workspace_id and u.minute >= r.quarter
                 and u.minute < r.quarter + interval '15 minutes' and (r.key_id is null or u.key_id = r.key_id)
               join apis a on a.id = u.api_id and a.slug <> 'tollgate'
             where r.may_be_beyond and u.minute >= $5 and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
               and ($7::uuid[] is null or u.key_id = any($7))
               and ($8 or not exists (select from key_limits l where l.key_id = u.key_id union all
                 select from keys k join plan_limits l on l.plan_id = k.plan_id where k.id = u.key_id))
             group by 1, 2, 3
           ), sums as (
             select workspace_id, key_id, sum(units) over (
               partition by workspace_id, key_id order by minute range between make_interval(secs => $2::integer - 1) preceding and current row
             ) > $1::bigint as is_beyond
             from minutes
           ), held as (
             select workspace_id, key_id from sums group by 1, 2 having bool_or(is_beyond)
           ), all_units as (
             select workspace_id, key_id, sum(units) as total from quarters group by 1, 2
           )
           select m.workspace_id as "workspace!", m.key_id as "key?", coalesce(k.name, w.name, 'gone') as "name!", m.minute as "at!",
             least(m.units, 9223372036854775807)::bigint as "units!", least(s.total, 9223372036854775807)::bigint as "total!"
           from held h join minutes m on m.workspace_id = h.workspace_id and m.key_id is not distinct from h.key_id
             join all_units s on s.workspace_id = h.workspace_id and s.key_id is not distinct from h.key_id
             left join workspaces w on w.id = m.workspace_id left join keys k on k.id = m.key_id
           order by m.workspace_id, m.key_id, m.minute"#,
        i64::try_from(limit.limit).unwrap_or(i64::MAX),
        limit.window.stored_seconds(),
        whose.by_key,
        from,
        since,
        whose.of,
        whose.keys,
        whose.all_keys,
    )
    .fetch(db);
    while let Some(row) = rows.try_next().await? {
        each(row);
    }
    Ok(())
}
