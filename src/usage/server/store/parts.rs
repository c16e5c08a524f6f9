//! What calls are counted by beside their route, by quarters of an hour: the client's address, and the permissions that they needed. They
//! are read through one view, `usage_parts`, whose `kind` says by what.

use super::reading::{BucketRow, CodeRow, KeyRow, Scope};
use crate::usage::model::PartKind;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Counts as columns, for `unnest`.
#[derive(Debug, Default)]
pub struct PartColumns {
    pub key: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub part: Vec<String>,
    pub outcome: Vec<String>,
    pub workspace: Vec<Uuid>,
    pub api: Vec<Uuid>,
    pub count: Vec<i64>,
}

pub async fn insert_addresses(conn: &mut PgConnection, rows: &PartColumns) -> sqlx::Result<()> {
    add_columns!(
        conn,
        rows,
        [key, at, part, outcome, workspace, api, count],
        "insert into usage_addresses as u (key_id, quarter, address, outcome, workspace_id, api_id, count)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[])
         on conflict (key_id, quarter, address, outcome) do update set count = u.count + excluded.count"
    )
}

pub async fn insert_permissions(conn: &mut PgConnection, rows: &PartColumns) -> sqlx::Result<()> {
    add_columns!(
        conn,
        rows,
        [key, at, part, outcome, workspace, api, count],
        "insert into usage_permissions as u (key_id, quarter, permission, outcome, workspace_id, api_id, count)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[])
         on conflict (key_id, quarter, permission, outcome) do update set count = u.count + excluded.count"
    )
}

#[derive(Debug)]
pub struct PartRow {
    pub part: String,
    pub outcome: String,
    pub count: i64,
}

/// Sums of the busiest of a kind by code, whatever one is chosen: they are the choices, too.
pub async fn list_parts(db: &PgPool, scope: &Scope, kind: PartKind, from: OffsetDateTime, to: OffsetDateTime, most: i64) -> sqlx::Result<Vec<PartRow>> {
    sqlx::query_as!(
        PartRow,
        r#"with cells as (
             select part, outcome, sum(count)::bigint as count from usage_parts
             where kind = $8 and ($1::uuid is null or workspace_id = $1) and quarter >= $2 and quarter < $3
               and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5) and ($6::text[] is null or outcome = any($6))
             group by 1, 2
           ), busiest as (
             select part from cells group by part order by sum(count) desc, part limit $7
           )
           select c.part as "part!", c.outcome as "outcome!", c.count as "count!" from cells c join busiest using (part)"#,
        scope.workspace(),
        from,
        to,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        most,
        kind.as_str(),
    )
    .fetch_all(db)
    .await
}

/// Of the part of the scope: sums by bucket and code.
pub async fn list_buckets(db: &PgPool, scope: &Scope, (kind, part): (PartKind, &str), edges: &[OffsetDateTime]) -> sqlx::Result<Vec<BucketRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    sqlx::query_as!(
        BucketRow,
        r#"select width_bucket(quarter, $1::timestamptz[]) as "bucket!", outcome as "outcome!", sum(count)::bigint as "count!"
           from usage_parts
           where kind = $9 and ($2::uuid is null or workspace_id = $2) and quarter >= $3 and quarter < $4
             and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text[] is null or outcome = any($7))
             and part = $8
           group by 1, 2"#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        part,
        kind.as_str(),
    )
    .fetch_all(db)
    .await
}

/// Of the part of the scope: sums of the busiest keys by bucket and code.
pub async fn list_keys(db: &PgPool, scope: &Scope, (kind, part): (PartKind, &str), edges: &[OffsetDateTime], most: i64) -> sqlx::Result<Vec<KeyRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    sqlx::query_as!(
        KeyRow,
        r#"with cells as (
             select key_id, width_bucket(quarter, $1::timestamptz[]) as bucket, outcome, sum(count)::bigint as count
             from usage_parts
             where kind = $10 and ($2::uuid is null or workspace_id = $2) and quarter >= $3 and quarter < $4
               and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text[] is null or outcome = any($7))
               and part = $8
             group by 1, 2, 3
           ), busiest as (
             select key_id, count(*) over () as keys from cells group by key_id order by sum(count) desc, key_id limit $9
           )
           select c.key_id as "key_id!", coalesce(k.name, 'A deleted key') as "name!", k.id is not null as "is_there!", c.bucket as "bucket!", c.outcome as "outcome!", c.count as "count!", b.keys as "keys!"
           from cells c join busiest b using (key_id) left join keys k on k.id = c.key_id"#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        part,
        most,
        kind.as_str(),
    )
    .fetch_all(db)
    .await
}

/// Of the part of the scope: sums by code since `from` and before `to`, the most first.
pub async fn list_codes(db: &PgPool, scope: &Scope, (kind, part): (PartKind, &str), from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<CodeRow>> {
    sqlx::query_as!(
        CodeRow,
        r#"select outcome as "outcome!", sum(count)::bigint as "count!" from usage_parts
           where kind = $8 and ($1::uuid is null or workspace_id = $1) and quarter >= $2 and quarter < $3
             and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5) and ($6::text[] is null or outcome = any($6))
             and part = $7
           group by 1 order by 2 desc"#,
        scope.workspace(),
        from,
        to,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        part,
        kind.as_str(),
    )
    .fetch_all(db)
    .await
}

/// Of one quarter of an hour: of each key only the `kept` busiest addresses stay. Ranks the addresses of at most `keys` keys, those that
/// have more; answers how many rows went, at most `most`.
pub async fn delete_rare(db: &PgPool, quarter: OffsetDateTime, kept: i64, keys: i64, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        // The quarter is said twice: a ctid is one of its partition.
        "delete from usage_addresses where quarter = $1 and ctid in (
           select u.ctid from usage_addresses u join (
             select key_id, address, row_number() over (partition by key_id order by sum(count) desc, address) as place
             from usage_addresses
             where quarter = $1 and key_id in (
               select key_id from usage_addresses where quarter = $1 group by key_id having count(distinct address) > $2 order by key_id limit $3)
             group by key_id, address
           ) ranked using (key_id, address)
           where u.quarter = $1 and ranked.place > $2 limit $4)",
        quarter,
        kept,
        keys,
        most,
    );
    Ok(done.execute(db).await?.rows_affected())
}
