//! How long calls took: buckets added up, never percentiles.

use super::reading::Scope;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Counts as columns, for `unnest`.
#[derive(Debug, Default)]
pub struct LatencyColumns {
    pub key: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub route: Vec<String>,
    pub bucket: Vec<i16>,
    pub workspace: Vec<Uuid>,
    pub api: Vec<Uuid>,
    pub count: Vec<i64>,
}

pub async fn insert_quarters(conn: &mut PgConnection, rows: &LatencyColumns) -> sqlx::Result<()> {
    add_columns!(
        conn,
        rows,
        [key, at, route, bucket, workspace, api, count],
        "insert into latency_quarters as l (key_id, quarter, route, bucket, workspace_id, api_id, count)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::smallint[], $5::uuid[], $6::uuid[], $7::bigint[])
         on conflict (key_id, quarter, route, bucket) do update set count = l.count + excluded.count"
    )
}

pub async fn insert_days(conn: &mut PgConnection, rows: &LatencyColumns) -> sqlx::Result<()> {
    add_columns!(
        conn,
        rows,
        [key, at, route, bucket, workspace, api, count],
        "insert into latency_days as l (key_id, day, route, bucket, workspace_id, api_id, count)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::smallint[], $5::uuid[], $6::uuid[], $7::bigint[])
         on conflict (key_id, day, route, bucket) do update set count = l.count + excluded.count"
    )
}

/// Sums by bucket since `from` and before `to`, the quickest first: whole days (UTC) from their rollup, the rest from quarters of an hour.
/// Outcomes are not known here.
pub async fn list_buckets(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<(i16, i64)>> {
    let rows = sqlx::query!(
        r#"with days as (
             select date_trunc('day', $2::timestamptz + interval '1 day' - interval '1 microsecond', 'UTC') as first, date_trunc('day', $3::timestamptz, 'UTC') as last
           ), cells as (
             select bucket, count from latency_days
             where day >= (select first from days) and day < (select last from days)
               and ($1::uuid is null or workspace_id = $1) and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5)
               and ($6::text is null or route = $6)
             union all
             select bucket, count from latency_quarters
             where quarter >= $2 and quarter < (select least(first, $3) from days)
               and ($1::uuid is null or workspace_id = $1) and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5)
               and ($6::text is null or route = $6)
             union all
             select bucket, count from latency_quarters
             where quarter >= (select greatest(first, last) from days) and quarter < $3
               and ($1::uuid is null or workspace_id = $1) and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5)
               and ($6::text is null or route = $6)
           )
           select bucket as "bucket!", sum(count)::bigint as "count!" from cells group by 1 order by 1"#,
        scope.workspace(),
        from,
        to,
        scope.key(),
        scope.api(),
        scope.route,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.bucket, row.count)).collect())
}

/// Sums by place between the edges (1 is behind the first) and by bucket, the quickest first; from days (UTC) or quarters of an hour.
pub async fn list_series(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime], of_days: bool) -> sqlx::Result<Vec<(i32, i16, i64)>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    let rows = sqlx::query!(
        r#"with cells as (
             select day as at, bucket, count from latency_days
             where $8 and day >= $3 and day < $4 and ($2::uuid is null or workspace_id = $2)
               and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text is null or route = $7)
             union all
             select quarter, bucket, count from latency_quarters
             where not $8 and quarter >= $3 and quarter < $4 and ($2::uuid is null or workspace_id = $2)
               and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text is null or route = $7)
           )
           select width_bucket(at, $1::timestamptz[]) as "place!", bucket as "bucket!", sum(count)::bigint as "count!" from cells group by 1, 2 order by 1, 2"#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.route,
        of_days,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.place, row.bucket, row.count)).collect())
}
