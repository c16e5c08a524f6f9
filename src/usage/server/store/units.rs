//! Cost units of calls that passed. Whole days (UTC) are read from their rollup and the rest from quarters of an hour, so rows are bounded
//! by days × routes.

use super::reading::{BucketRow, Kept, Scope};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// The units of some keys.
pub async fn sum_by_key(db: &PgPool, scope: &Scope, keys: &[Uuid], from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<HashMap<Uuid, i64>> {
    let rows = sqlx::query!(
        r#"with days as (
             select date_trunc('day', $2::timestamptz + interval '1 day' - interval '1 second', 'UTC') as first_day, date_trunc('day', $3::timestamptz, 'UTC') as end_day
           ), passed as (
             select d.key_id, d.cost as units
             from days t join usage_by_day($2, $3) d on d.day >= t.first_day and d.day < t.end_day
             where d.key_id = any($1::uuid[]) and d.outcome = 'VALID' and ($4::uuid is null or d.api_id = $4) and ($5::text is null or d.route = $5)
             union all
             select q.key_id, coalesce(q.cost, q.count)
             from days t join usage_quarters q on q.quarter >= $2 and q.quarter < $3 and (q.quarter < t.first_day or q.quarter >= t.end_day)
             where q.key_id = any($1::uuid[]) and q.outcome = 'VALID' and ($4::uuid is null or q.api_id = $4) and ($5::text is null or q.route = $5)
           )
           select key_id as "key_id!", sum(units)::bigint as "units!" from passed group by key_id"#,
        keys,
        from,
        to,
        scope.api(),
        scope.route,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.key_id, r.units)).collect())
}

/// The units between these edges, by bucket; of minutes, quarters of an hour or days of UTC, as the edges are.
pub async fn list_buckets(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime], kept: Kept) -> sqlx::Result<Vec<BucketRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    sqlx::query_as!(
        BucketRow,
        r#"select width_bucket(at, $1::timestamptz[]) as "bucket!", 'VALID' as "outcome!", sum(units)::bigint as "count!"
           from usage_kept($2, $3, $4, $5, $6, $7, $8, $9) where outcome = 'VALID' group by 1"#,
        edges,
        kept.as_str(),
        first,
        last,
        scope.workspace(),
        scope.key(),
        scope.api(),
        scope.route,
        scope.outcomes.as_deref() as _,
    )
    .fetch_all(db)
    .await
}
