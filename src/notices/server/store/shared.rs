//! Limits that all keys of a workspace share, and what is used of their present windows, from the counters.

use super::limits::{LimitNotice, Marks, UsedLimit};
use crate::values::AccountId;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// Shared limits with windows of an hour or longer, of workspaces with calls in the last half hour: those of the nearest level that has any
/// (the workspace, its plan, its group, the group's plan). They are used by the keys that they hold, as the gate counts: those without limits of their own or of a plan of their own, and
/// not for Tollgate's own API. Windows and sums as for the limits of keys (`limits::list_used_limits`).
pub async fn list_used_shared_limits(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<UsedLimit>> {
    sqlx::query_as!(
        UsedLimit,
        r#"with active as (
             select distinct workspace_id from usage_quarters where quarter > $1::timestamptz - interval '45 minutes'
           ), limits as (
             select a.workspace_id, l.name, l.max_calls, l.kind, l.window_seconds, l.zone
             from active a left join workspace_plans h using (workspace_id)
             cross join lateral (select f.*, min(f.level) over () as nearest from limit_levels(null, null, a.workspace_id, h.plan_id, null) f) l
             where l.level = l.nearest
           ), windows as (
             select *, case when kind = 'rolling' then date_trunc('minute', $1::timestamptz - make_interval(secs => window_seconds))
               when zone <> 'UTC' or window_seconds = 0 then date_trunc(case window_seconds when 0 then 'month' else 'day' end, $1::timestamptz, zone)
               else to_timestamp(floor(extract(epoch from $1::timestamptz) / nullif(window_seconds, 0)) * window_seconds) end as starts
             from limits where kind in ('fixed', 'rolling') and (window_seconds = 0 or window_seconds >= 3600) and max_calls > 0
           ), edges as (
             select *, to_timestamp(ceil(extract(epoch from starts) / 900) * 900) as whole,
               case when zone <> 'UTC' or window_seconds % 86400 = 0 or kind = 'rolling' then date_trunc('day', starts + interval '1 day' - interval '1 microsecond', 'UTC')
                 else 'infinity' end as midnight
             from windows
           )
           select true as "is_shared!", e.workspace_id as "id!", o.id as "account_id!", e.name as "limit_name!", e.window_seconds as "window_seconds!", e.zone as "zone!",
             e.kind as "kind!", 0::bigint as "refill!", case when e.kind = 'rolling' then $1 else e.starts end as "window_start!",
             e.max_calls as "allowed!", u.used as "used!", coalesce(n.thresholds, '{80,100}') as "thresholds!"
           from edges e
           join workspaces w on w.id = e.workspace_id
           join accounts o on o.id = w.personal_of and o.verified_at is not null
           left join notice_settings n on n.account_id = o.id
           cross join lateral (
             select sum(part)::bigint as used from (
               select sum(d.cost) from usage_days d
               where d.workspace_id = e.workspace_id and d.day >= e.midnight and d.day <= $1 and d.outcome = 'VALID'
                 and exists (select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate' where k.id = d.key_id
                   and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id))
               union all
               select sum(coalesce(q.cost, q.count)) from usage_quarters q
               where q.workspace_id = e.workspace_id and q.quarter >= e.whole and q.quarter < e.midnight and q.quarter <= $1 and q.outcome = 'VALID'
                 and exists (select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate' where k.id = q.key_id
                   and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id))
               union all
               select sum(coalesce(m.cost, m.count)) from usage_minutes m
               where m.workspace_id = e.workspace_id and m.minute >= e.starts and m.minute < e.whole and m.minute <= $1 and m.outcome = 'VALID'
                 and exists (select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate' where k.id = m.key_id
                   and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id))
             ) parts(part)
           ) u
           where coalesce(n.limits, true) and not exists (select from account_disablements d where d.account_id = o.id)
             and not exists (select from account_departures g where g.account_id = o.id)
             and u.used * 100 >= e.max_calls * (select min(t) from unnest(coalesce(n.thresholds, '{80,100}')) t)"#,
        now,
    )
    .fetch_all(db)
    .await
}

/// Marks them; answers the accounts for which one is new. A mark of a rolling window is not while its filling lasts.
pub async fn insert_shared_marks(conn: &mut PgConnection, marks: &Marks, now: OffsetDateTime) -> sqlx::Result<Vec<AccountId>> {
    let accounts = sqlx::query_scalar!(
        r#"with new as (
             insert into shared_limit_notices (workspace_id, account_id, limit_name, window_seconds, window_start, threshold, used, allowed, at, zone, kind, refill)
             select k, a, n, s, w, t, u, m, $9::timestamptz, z, i, r
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::smallint[], $7::bigint[], $8::bigint[], $10::text[], $11::text[], $12::bigint[])
               as marks(k, a, n, s, w, t, u, m, z, i, r)
             where not exists (
               select from shared_limit_notices o where o.workspace_id = k and o.account_id = a and o.limit_name = n and o.kind = i and o.window_seconds = s and o.threshold = t
                 and i = 'rolling' and o.fell_at is null and o.at > $9::timestamptz - make_interval(secs => s))
             order by k, a, n, s, w, t
             on conflict do nothing
             returning account_id
           ) select distinct account_id as "account_id!" from new order by 1"#,
        &marks.id,
        &marks.account,
        &marks.limit_name,
        &marks.window_seconds,
        &marks.window_start,
        &marks.threshold,
        &marks.used,
        &marks.allowed,
        now,
        &marks.zone,
        &marks.kind,
        &marks.refill,
    )
    .fetch_all(conn)
    .await?;
    Ok(accounts.into_iter().map(AccountId::new).collect())
}

/// As `limits::end_fillings`, of what workspaces share.
pub async fn end_shared_fillings(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    let ended = sqlx::query!(
        "update shared_limit_notices n set fell_at = $1
         where n.fell_at is null and n.kind = 'rolling' and n.at > $1::timestamptz - make_interval(secs => n.window_seconds)
           and shared_used_since(n.workspace_id, date_trunc('minute', $1::timestamptz - make_interval(secs => n.window_seconds))) * 200
             < n.allowed * n.threshold",
        now,
    );
    Ok(ended.execute(db).await?.rows_affected())
}

/// What was marked at this instant, of each limit the highest threshold.
pub async fn list_shared_of_mail(db: &PgPool, account: AccountId, at: OffsetDateTime) -> sqlx::Result<Vec<LimitNotice>> {
    sqlx::query_as!(
        LimitNotice,
        r#"select distinct on (n.workspace_id, n.limit_name, n.window_seconds) null::uuid as key_id, 'All keys together' as "key_name!",
             n.threshold, n.used, n.allowed, n.window_seconds, n.zone, n.kind, n.refill, n.window_start
           from shared_limit_notices n where n.account_id = $1 and n.at = $2
           order by n.workspace_id, n.limit_name, n.window_seconds, n.threshold desc"#,
        account.uuid(),
        at,
    )
    .fetch_all(db)
    .await
}

/// Notices of windows that are not over, of each limit the highest threshold, the fullest first.
pub async fn list_present_shared(db: &PgPool, account: AccountId, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<LimitNotice>> {
    sqlx::query_as!(
        LimitNotice,
        r#"select null::uuid as key_id, 'All keys together' as "key_name!", threshold as "threshold!", used as "used!", allowed as "allowed!",
             window_seconds as "window_seconds!", zone as "zone!", kind as "kind!", refill as "refill!", window_start as "window_start!"
           from (
             select distinct on (n.workspace_id, n.limit_name, n.window_seconds) n.threshold, n.used, n.allowed, n.window_seconds, n.zone, n.kind, n.refill, n.window_start
             from shared_limit_notices n
             where n.account_id = $1 and n.at > $2::timestamptz - interval '31 days' and n.fell_at is null and case
               when n.kind = 'credits' then (n.refill = 0 or n.window_start >= date_trunc('day', $2::timestamptz, 'UTC'))
                 and not exists (select from credit_buckets b where b.holder = n.workspace_id and b.name = n.limit_name and b.topped_up_at > n.at)
               when n.zone <> 'UTC' or n.window_seconds = 0
                 then n.window_start >= date_trunc(case n.window_seconds when 0 then 'month' else 'day' end, $2::timestamptz, n.zone)
               else n.window_start + make_interval(secs => n.window_seconds) > $2 end
             order by n.workspace_id, n.limit_name, n.window_seconds, n.window_start desc, n.threshold desc
           ) present order by threshold desc, nullif(window_seconds, 0) desc limit $3"#,
        account.uuid(),
        now,
        most,
    )
    .fetch_all(db)
    .await
}

/// Forgets what was told of windows that are long over; at most `most` rows.
pub async fn delete_old_shared(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from shared_limit_notices where ctid in (select ctid from shared_limit_notices where at < $1 limit $2)", before, most);
    Ok(done.execute(db).await?.rows_affected())
}
