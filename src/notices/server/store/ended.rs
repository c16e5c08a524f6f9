//! Windows of limits that have ended, and until when they were looked at.

use super::limits::{DefaultLimit, UsedLimit};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// None: nobody looked yet.
pub async fn find_look(db: &PgPool) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select at from limit_looks").fetch_optional(db).await
}

pub async fn set_look(conn: &mut PgConnection, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into limit_looks (at) values ($1) on conflict (is_only) do update set at = excluded.at", at).execute(conn).await?;
    Ok(())
}

/// Of each limit of a key, and of each that keys of a workspace share, the last window that ended after `since` and not after `until`, if a mark
/// was reached in it (the second sum only where the first leaves that open). Limits and who is told as in `list_used_limits` and `list_used_shared_limits`, of those with calls since half an hour before
/// `since`; what was used is what was used since the window began, less what was since it ended.
pub async fn list_ended(db: &PgPool, default: DefaultLimit<'_>, since: OffsetDateTime, until: OffsetDateTime) -> sqlx::Result<Vec<UsedLimit>> {
    sqlx::query_as!(
        UsedLimit,
        r#"with active as (
             select distinct key_id, workspace_id from usage_quarters where quarter > $1::timestamptz - interval '45 minutes'
           ), limits as (
             select false as is_shared, k.id, k.workspace_id, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.unit, l.over
             from active a join keys k on k.id = a.key_id and k.state = 'active' join apis i on i.id = k.api_id
               left join workspace_plans h on h.workspace_id = k.workspace_id
             cross join lateral (
               select f.*, min(f.level) over () as nearest from (
                 select level, name, max_calls, kind, window_seconds, zone, unit, over
                 from limit_levels(k.id, k.plan_id, case when i.slug <> 'tollgate' then k.workspace_id end, case when i.slug <> 'tollgate' then h.plan_id end, k.api_id)
                 union all
                 select 8, $3::text, $4::bigint, 'fixed', $5::integer, 'UTC', 'units', 'refuse'
               ) f
             ) l
             where l.level = l.nearest and l.level not in (3, 4, 5, 6)
             union all
             select true, a.workspace_id, a.workspace_id, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.unit, l.over
             from (select distinct workspace_id from active) a left join workspace_plans h on h.workspace_id = a.workspace_id
             cross join lateral (select f.*, min(f.level) over () as nearest from limit_levels(null, null, a.workspace_id, h.plan_id, null) f) l
             where l.level = l.nearest
           ), ended as materialized (
             select l.*, w.starts, p.starts as ends
             from limits l cross join lateral window_pieces(l.kind, l.window_seconds, l.zone, $2::timestamptz) p
               cross join lateral window_pieces(l.kind, l.window_seconds, l.zone, p.starts - interval '1 microsecond') w
             where l.kind = 'fixed' and (l.window_seconds = 0 or l.window_seconds >= 3600) and l.max_calls > 0 and p.starts > $1
           )
           select e.is_shared as "is_shared!", e.id as "id!", o.id as "account_id!", e.name as "limit_name!", e.window_seconds as "window_seconds!", e.zone as "zone!",
             e.kind as "kind!", 0::bigint as "refill!", e.unit as "unit!", e.over as "over!", e.starts as "window_start!", e.max_calls as "allowed!", u.used as "used!", 0::bigint as "least!",
             coalesce(n.thresholds, '{80,100}') as "thresholds!"
           from ended e
           join workspaces w on w.id = e.workspace_id
           join accounts o on o.id = w.personal_of and o.verified_at is not null
           left join notice_settings n on n.account_id = o.id
           cross join lateral (select case when e.is_shared then shared_used_since(e.id, e.starts, e.unit) else used_since(e.id, e.starts, e.unit) end as whole offset 0) s
           cross join lateral (
             select case when s.whole * 100 >= e.max_calls * (select min(t) from unnest(coalesce(n.thresholds, '{80,100}')) t)
               then s.whole - case when e.is_shared then shared_used_since(e.id, e.ends, e.unit) else used_since(e.id, e.ends, e.unit) end end as used offset 0
           ) u
           where coalesce(n.limits, true) and not exists (select from account_disablements d where d.account_id = o.id)
             and not exists (select from account_departures g where g.account_id = o.id)
             and u.used * 100 >= e.max_calls * (select min(t) from unnest(coalesce(n.thresholds, '{80,100}')) t)"#,
        since,
        until,
        default.name,
        default.calls,
        default.window,
    )
    .fetch_all(db)
    .await
}
