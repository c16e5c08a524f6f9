//! Cost units by plan.

use super::reading::Scope;
use crate::values::{ApiId, KeyId, WorkspaceId};
use sqlx::PgPool;
use time::OffsetDateTime;

pub struct PricedRow {
    pub plan: String,
    pub price_micros: i64,
    pub currency: String,
    pub units: i64,
}

/// Units that passed, by the plan that each key has now (its own, else its workspace's, else its group's) if that has a price. Whole days (UTC) are read
/// from their rollup and the rest from quarters of an hour, so rows are bounded by days × routes.
pub async fn sum_units_by_plan(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<PricedRow>> {
    sqlx::query_as!(
        PricedRow,
        r#"with days as (
             select date_trunc('day', $2::timestamptz + interval '1 day' - interval '1 second', 'UTC') as first_day, date_trunc('day', $3::timestamptz, 'UTC') as end_day
           ), priced as (
             select k.id as key_id, p.id as plan_id
             from keys k join apis a on a.id = k.api_id
               left join workspace_plans h on h.workspace_id = k.workspace_id and a.slug <> 'tollgate'
               left join group_members m on m.workspace_id = k.workspace_id and a.slug <> 'tollgate' left join groups g on g.id = m.group_id
               join plans p on p.id = coalesce(k.plan_id, h.plan_id, g.plan_id) and p.price_micros is not null
             where ($1::uuid is null or k.workspace_id = $1) and ($4::uuid is null or k.id = $4) and ($5::uuid is null or k.api_id = $5)
               and ($7::text[] is null or 'VALID' = any($7))
           ), passed as (
             select k.plan_id, d.cost as units
             from days t cross join priced k join usage_by_day($2, $3) d on d.key_id = k.key_id and d.day >= t.first_day and d.day < t.end_day
             where d.outcome = 'VALID' and ($6::text is null or d.route = $6)
             union all
             select k.plan_id, coalesce(q.cost, q.count)
             from days t cross join priced k join usage_quarters q on q.key_id = k.key_id
               and (q.quarter >= $2 and q.quarter < least(t.first_day, $3) or q.quarter >= greatest(t.first_day, t.end_day) and q.quarter < $3)
             where q.outcome = 'VALID' and ($6::text is null or q.route = $6)
           )
           select p.name as "plan!", p.price_micros as "price_micros!", p.currency as "currency!", sum(u.units)::bigint as "units!"
           from passed u join plans p on p.id = u.plan_id
           group by p.id order by 4 desc, p.id"#,
        scope.workspace.map(WorkspaceId::uuid),
        from,
        to,
        scope.key.map(KeyId::uuid),
        scope.api.map(ApiId::uuid),
        scope.route,
        scope.outcomes.as_deref() as _,
    )
    .fetch_all(db)
    .await
}
