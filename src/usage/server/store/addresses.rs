//! Calls by the client's address: a part of the exact counts, by quarters of an hour. What is left out here is of other addresses, or of
//! calls of which none was told.

use super::reading::{BucketRow, CodeRow, KeyRow, Scope};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Counts as columns, for `unnest`.
#[derive(Debug, Default)]
pub struct AddressColumns {
    pub key: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub address: Vec<String>,
    pub outcome: Vec<String>,
    pub workspace: Vec<Uuid>,
    pub api: Vec<Uuid>,
    pub count: Vec<i64>,
}

pub async fn insert_addresses(conn: &mut PgConnection, rows: &AddressColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into usage_addresses as u (key_id, quarter, address, outcome, workspace_id, api_id, count)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[])
         on conflict (key_id, quarter, address, outcome) do update set count = u.count + excluded.count",
        &rows.key,
        &rows.at,
        &rows.address,
        &rows.outcome,
        &rows.workspace,
        &rows.api,
        &rows.count,
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Debug)]
pub struct AddressRow {
    pub address: String,
    pub outcome: String,
    pub count: i64,
}

/// Sums of the busiest addresses by code, whatever address is chosen: they are the choices, too.
pub async fn list_addresses(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime, most: i64) -> sqlx::Result<Vec<AddressRow>> {
    sqlx::query_as!(
        AddressRow,
        r#"with cells as (
             select address, outcome, sum(count)::bigint as count from usage_addresses
             where ($1::uuid is null or workspace_id = $1) and quarter >= $2 and quarter < $3
               and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5) and ($6::text[] is null or outcome = any($6))
             group by 1, 2
           ), busiest as (
             select address from cells group by address order by sum(count) desc, address limit $7
           )
           select c.address as "address!", c.outcome as "outcome!", c.count as "count!" from cells c join busiest using (address)"#,
        scope.workspace(),
        from,
        to,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        most,
    )
    .fetch_all(db)
    .await
}

/// Of the address of the scope: sums by bucket and code.
pub async fn list_buckets(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime]) -> sqlx::Result<Vec<BucketRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    sqlx::query_as!(
        BucketRow,
        r#"select width_bucket(quarter, $1::timestamptz[]) as "bucket!", outcome, sum(count)::bigint as "count!"
           from usage_addresses
           where ($2::uuid is null or workspace_id = $2) and quarter >= $3 and quarter < $4
             and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text[] is null or outcome = any($7))
             and address is not distinct from $8
           group by 1, 2"#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        scope.address,
    )
    .fetch_all(db)
    .await
}

/// Of the address of the scope: sums of the busiest keys by bucket and code.
pub async fn list_keys(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime], most: i64) -> sqlx::Result<Vec<KeyRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    sqlx::query_as!(
        KeyRow,
        r#"with cells as (
             select key_id, width_bucket(quarter, $1::timestamptz[]) as bucket, outcome, sum(count)::bigint as count
             from usage_addresses
             where ($2::uuid is null or workspace_id = $2) and quarter >= $3 and quarter < $4
               and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text[] is null or outcome = any($7))
               and address is not distinct from $8
             group by 1, 2, 3
           ), busiest as (
             select key_id, count(*) over () as keys from cells group by key_id order by sum(count) desc, key_id limit $9
           )
           select c.key_id as "key_id!", coalesce(k.name, 'A deleted key') as "name!", c.bucket as "bucket!", c.outcome as "outcome!", c.count as "count!", b.keys as "keys!"
           from cells c join busiest b using (key_id) left join keys k on k.id = c.key_id"#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        scope.address,
        most,
    )
    .fetch_all(db)
    .await
}

/// Of the address of the scope: sums by code since `from` and before `to`, the most first.
pub async fn list_codes(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<CodeRow>> {
    sqlx::query_as!(
        CodeRow,
        r#"select outcome, sum(count)::bigint as "count!" from usage_addresses
           where ($1::uuid is null or workspace_id = $1) and quarter >= $2 and quarter < $3
             and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5) and ($6::text[] is null or outcome = any($6))
             and address is not distinct from $7
           group by 1 order by 2 desc"#,
        scope.workspace(),
        from,
        to,
        scope.key(),
        scope.api(),
        scope.outcomes.as_deref() as _,
        scope.address,
    )
    .fetch_all(db)
    .await
}

/// Of one quarter of an hour: of each key only the `kept` busiest addresses stay. Ranks the addresses of at most `keys` keys, those that
/// have more; answers how many rows went, at most `most`.
pub async fn delete_rare(db: &PgPool, quarter: OffsetDateTime, kept: i64, keys: i64, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from usage_addresses where ctid in (
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
