//! Credits that are nearly used up. What is used of them stands in their buckets; what servers have taken for the next seconds counts as used.

use super::limits::UsedLimit;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Limits of credits in force that passed the lowest threshold of their owner: of keys, and of workspaces whose keys share them, with calls in
/// the last half hour. They are told once a day (UTC) and threshold; prepaid ones once since some were added.
///
/// One look at the levels for both, and only of keys of which there is a bucket, their own or their workspace's: where nobody has credits, of none.
pub async fn list_used_credits(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<UsedLimit>> {
    sqlx::query_as!(
        UsedLimit,
        r#"with active as (
             select distinct key_id from usage_quarters where quarter > $1::timestamptz - interval '45 minutes'
           ), costs as (
             select key_id, workspace_id, min(greatest(coalesce(cost, count) / count, 1)) as least from usage_quarters
             where quarter > $1::timestamptz - interval '45 minutes' and outcome = 'VALID' and coalesce(cost, count) > 0 group by 1, 2
           ), drawing as materialized (
             select k.id, k.workspace_id, k.api_id, k.plan_id, i.slug <> 'tollgate' as is_product
             from active a join keys k on k.id = a.key_id and k.state = 'active' join apis i on i.id = k.api_id
             where exists (select from credit_buckets b where b.holder = k.id) or exists (select from credit_buckets b where b.holder = k.workspace_id)
           ), limits as (
             select distinct s.is_shared, case when s.is_shared then k.workspace_id else k.id end as holder, k.workspace_id, l.name, l.max_calls, l.window_seconds, l.refill, l.over
             from drawing k left join workspace_plans h on h.workspace_id = k.workspace_id
             cross join lateral (
               select f.*, min(f.level) over () as nearest
               from limit_levels(k.id, k.plan_id, case when k.is_product then k.workspace_id end, case when k.is_product then h.plan_id end, k.api_id) f
             ) l
             cross join lateral (select l.level in (3, 4, 5, 6) as is_shared) s
             where l.level = l.nearest and l.kind = 'credits' and l.max_calls > 0
           ), buckets as (
             select l.*, case when l.refill = 0 then coalesce(b.topped_up_at, 'epoch') else date_trunc('day', $1::timestamptz, 'UTC') end as starts,
               case when b.seconds = l.window_seconds and b.seconds > 0
                 then greatest(b.used - l.refill * greatest(floor(extract(epoch from $1::timestamptz) / b.seconds)::bigint - b.number, 0), 0)
                 else b.used end as used
             from limits l join credit_buckets b on b.holder = l.holder and b.name = l.name
           )
           select b.is_shared as "is_shared!", b.holder as "id!", o.id as "account_id!", b.name as "limit_name!", b.window_seconds as "window_seconds!", 'UTC' as "zone!",
             'credits' as "kind!", b.refill as "refill!", 'units' as "unit!", b.over as "over!", b.starts as "window_start!", b.max_calls as "allowed!", b.used as "used!",
             coalesce(s.least, 0) as "least!", coalesce(n.thresholds, '{80,100}') as "thresholds!"
           from buckets b
           join workspaces w on w.id = b.workspace_id
           join accounts o on o.id = w.personal_of and o.verified_at is not null
           left join notice_settings n on n.account_id = o.id
           cross join lateral (select min(c.least) as least from costs c where case when b.is_shared then c.workspace_id = b.holder else c.key_id = b.holder end) s
           where coalesce(n.limits, true) and not exists (select from account_disablements d where d.account_id = o.id)
             and not exists (select from account_departures g where g.account_id = o.id)
             and (b.used * 100 >= b.max_calls * (select min(t) from unnest(coalesce(n.thresholds, '{80,100}')) t)
               or (b.used > 0 and b.max_calls - b.used < s.least))"#,
        now,
    )
    .fetch_all(db)
    .await
}
