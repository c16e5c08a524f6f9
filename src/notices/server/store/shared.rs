//! Limits that all keys of a workspace share, and what is used of their present windows, from the counters.

use super::limits::UsedLimit;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Shared limits with windows of an hour or longer, of workspaces with calls in the last half hour: those of the nearest level that has any
/// (the workspace, its group, its plan, the group's plan). They are used by the keys that they hold, as the gate counts: those without limits of their own or of a plan of their own, and
/// not for Tollgate's own API. Windows and sums as for the limits of keys (`limits::list_used_limits`).
pub async fn list_used_shared_limits(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<UsedLimit>> {
    sqlx::query_as!(
        UsedLimit,
        r#"with active as (
             select distinct workspace_id from usage_quarters where quarter > $1::timestamptz - interval '45 minutes'
           ), limits as (
             select a.workspace_id, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.unit, l.over
             from active a left join workspace_plans h using (workspace_id)
             cross join lateral (select f.*, min(f.level) over () as nearest from limit_levels(null, null, a.workspace_id, h.plan_id, null) f) l
             where l.level = l.nearest
           ), edges as materialized (
             select l.*, p.starts, p.whole, p.midnight
             from limits l cross join lateral window_pieces(l.kind, l.window_seconds, l.zone, $1) p
             where l.kind in ('fixed', 'rolling') and (l.window_seconds = 0 or l.window_seconds >= 3600) and l.max_calls > 0
           )
           select true as "is_shared!", e.workspace_id as "id!", o.id as "account_id!", e.name as "limit_name!", e.window_seconds as "window_seconds!", e.zone as "zone!",
             e.kind as "kind!", 0::bigint as "refill!", e.unit as "unit!", e.over as "over!", case when e.kind = 'rolling' then coalesce((
               select m.minute from usage_minutes m
               where m.workspace_id = e.workspace_id and m.minute >= e.starts and m.minute <= $1 and m.outcome = 'VALID' and taken(e.unit, m.count, coalesce(m.cost, m.count)) > 0
                 and exists (select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate' where k.id = m.key_id
                   and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id))
               order by m.minute desc limit 1), $1) else e.starts end as "window_start!",
             e.max_calls as "allowed!", u.used as "used!", coalesce(u.least, 0) as "least!", coalesce(n.thresholds, '{80,100}') as "thresholds!"
           from edges e
           join workspaces w on w.id = e.workspace_id
           join accounts o on o.id = w.personal_of and o.verified_at is not null
           left join notice_settings n on n.account_id = o.id
           cross join lateral (
             select sum(taken(e.unit, c.count, c.cost))::bigint as used, min(greatest(taken(e.unit, c.count, c.cost) / c.count, 1)) filter (where c.cost > 0) as least from (
               select d.key_id, d.count, d.cost from usage_by_day(e.midnight, 'infinity') d
               where e.midnight <= $1 and d.workspace_id = e.workspace_id and d.day >= e.midnight and d.day <= $1 and d.outcome = 'VALID'
               union all
               select q.key_id, q.count, coalesce(q.cost, q.count) from usage_quarters q
               where e.whole < e.midnight and e.whole <= $1 and q.workspace_id = e.workspace_id and q.quarter >= e.whole and q.quarter < e.midnight and q.quarter <= $1 and q.outcome = 'VALID'
               union all
               select m.key_id, m.count, coalesce(m.cost, m.count) from usage_minutes m
               where e.starts < e.whole and m.workspace_id = e.workspace_id and m.minute >= e.starts and m.minute < e.whole and m.minute <= $1 and m.outcome = 'VALID'
             ) c
             where exists (select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate' where k.id = c.key_id
               and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id))
           ) u
           where coalesce(n.limits, true) and not exists (select from account_disablements d where d.account_id = o.id)
             and not exists (select from account_departures g where g.account_id = o.id)
             and (u.used * 100 >= e.max_calls * (select min(t) from unnest(coalesce(n.thresholds, '{80,100}')) t) or e.max_calls - u.used < u.least)"#,
        now,
    )
    .fetch_all(db)
    .await
}
