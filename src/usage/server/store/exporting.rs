//! Counts taken apart by bucket, key, route and code, with the price that the key's plan has today.

use super::reading::{Kept, Scope};
use crate::{usage::model::PartKind, values::KeyId};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug)]
pub struct ExportRow {
    /// 1 is the bucket between the first two edges.
    pub bucket: i32,
    pub key_id: Uuid,
    pub key_name: String,
    pub api: String,
    /// None in rows by address or by permission.
    pub route: Option<String>,
    /// None in rows by route: the address or the permission; empty: of no known address.
    pub part: Option<String>,
    pub outcome: String,
    pub count: i64,
    /// Cost units of what passed; null in rows by address or by permission.
    pub units: Option<i64>,
    pub price_micros: Option<i64>,
    pub currency: Option<String>,
}

/// At most `most` rows; of one bucket also those behind a key, route and code.
pub async fn list_export(
    db: &PgPool,
    scope: &Scope,
    kept: Kept,
    edges: &[OffsetDateTime],
    after: Option<&(Uuid, String, String)>,
    most: usize,
) -> sqlx::Result<Vec<ExportRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    let (key, route, outcome) = after.map_or((None, None, None), |(key, route, outcome)| (Some(*key), Some(route.as_str()), Some(outcome.as_str())));
    sqlx::query_as!(
        ExportRow,
        r#"with cells as (
             select width_bucket(at, $1::timestamptz[]) as bucket, key_id, (array_agg(api_id))[1] as api_id, route, outcome,
               sum(count)::bigint as count, coalesce(sum(units) filter (where outcome = 'VALID'), 0)::bigint as units
             from usage_kept($2, $3, $4, $5, $6, $7, $8, $9)
             where $10::uuid is null or (key_id, route, outcome) > ($10::uuid, $11::text, $12::text)
             group by 1, key_id, route, outcome
             order by 1, key_id, route, outcome limit $13
           )
           select c.bucket as "bucket!", c.key_id as "key_id!", coalesce(k.name, '') as "key_name!", coalesce(a.slug, '') as "api!",
             c.route as "route?", null::text as part, c.outcome as "outcome!", c.count as "count!", c.units as "units?",
             p.price_micros as "price_micros?", p.currency as "currency?"
           from cells c left join keys k on k.id = c.key_id left join apis a on a.id = c.api_id
             left join workspace_plans h on h.workspace_id = k.workspace_id and a.slug <> 'tollgate'
             left join group_members m on m.workspace_id = k.workspace_id and a.slug <> 'tollgate' left join groups g on g.id = m.group_id
             left join plans p on p.id = coalesce(k.plan_id, h.plan_id, g.plan_id) and p.price_micros is not null
           order by c.bucket, c.key_id, c.route, c.outcome"#,
        edges,
        kept.as_str(),
        first,
        last,
        scope.workspace(),
        scope.key(),
        scope.api(),
        scope.route,
        scope.outcomes.as_deref() as _,
        key,
        route,
        outcome,
        i64::try_from(most).unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await
}

/// The same by address or by permission in place of by route; of that of the scope, if it has one. There is no price: no cost is kept of
/// them. By address there are also rows with an empty part, of what no address is known of, so that all add up to the exact counts.
pub async fn list_part_export(
    db: &PgPool,
    scope: &Scope,
    kind: PartKind,
    edges: &[OffsetDateTime],
    after: Option<&(Uuid, String, String)>,
    most: usize,
) -> sqlx::Result<Vec<ExportRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    let (key, behind, outcome) = after.map_or((None, None, None), |(key, part, outcome)| (Some(*key), Some(part.as_str()), Some(outcome.as_str())));
    sqlx::query_as!(
        ExportRow,
        r#"with known as (
             select width_bucket(quarter, $1::timestamptz[]) as bucket, key_id, (array_agg(api_id))[1] as api_id, part, outcome, sum(count)::bigint as count
             from usage_parts
             where kind = $13 and ($2::uuid is null or workspace_id = $2) and quarter >= $3 and quarter < $4
               and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text is null or part = $7)
               and ($8::text[] is null or outcome = any($8))
             group by 1, key_id, part, outcome
           ), every as (
             select width_bucket(at, $1::timestamptz[]) as bucket, key_id, (array_agg(api_id))[1] as api_id, outcome, sum(count)::bigint as count
             from usage_kept('quarters', $3, $4, $2, $5, $6, null, $8)
             where $13 = 'address' and $7::text is null
             group by 1, key_id, outcome
           ), cells as (
             select * from (
               select bucket, key_id, api_id, part, outcome, count from known
               union all
               select e.bucket, e.key_id, e.api_id, '', e.outcome, e.count - coalesce(k.count, 0)
               from every e left join (select bucket, key_id, outcome, sum(count)::bigint as count from known group by 1, 2, 3) k using (bucket, key_id, outcome)
               where e.count > coalesce(k.count, 0)
             ) all_of_them
             where $9::uuid is null or (key_id, part, outcome) > ($9::uuid, $10::text, $11::text)
             order by bucket, key_id, part, outcome limit $12
           )
           select c.bucket as "bucket!", c.key_id as "key_id!", coalesce(k.name, '') as "key_name!", coalesce(a.slug, '') as "api!",
             null::text as route, c.part as "part?", c.outcome as "outcome!", c.count as "count!", null::bigint as units,
             null::bigint as price_micros, null::text as currency
           from cells c left join keys k on k.id = c.key_id left join apis a on a.id = c.api_id
           order by c.bucket, c.key_id, c.part, c.outcome"#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.part().map(|(_, part)| part),
        scope.outcomes.as_deref() as _,
        key,
        behind,
        outcome,
        i64::try_from(most).unwrap_or(i64::MAX),
        kind.as_str(),
    )
    .fetch_all(db)
    .await
}

/// How many rows there are in all by route.
pub async fn count_export(db: &PgPool, scope: &Scope, kept: Kept, edges: &[OffsetDateTime]) -> sqlx::Result<i64> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(0) };
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from (
             select from usage_kept($2, $3, $4, $5, $6, $7, $8, $9) group by width_bucket(at, $1::timestamptz[]), key_id, route, outcome
           ) cells"#,
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
    .fetch_one(db)
    .await
}

/// How many rows there are in all by a kind of part.
pub async fn count_part_export(db: &PgPool, scope: &Scope, kind: PartKind, edges: &[OffsetDateTime]) -> sqlx::Result<i64> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(0) };
    sqlx::query_scalar!(
        r#"with known as (
             select width_bucket(quarter, $1::timestamptz[]) as bucket, key_id, part, outcome, sum(count)::bigint as count
             from usage_parts
             where kind = $9 and ($2::uuid is null or workspace_id = $2) and quarter >= $3 and quarter < $4
               and ($5::uuid is null or key_id = $5) and ($6::uuid is null or api_id = $6) and ($7::text is null or part = $7)
               and ($8::text[] is null or outcome = any($8))
             group by 1, key_id, part, outcome
           ), every as (
             select width_bucket(at, $1::timestamptz[]) as bucket, key_id, outcome, sum(count)::bigint as count
             from usage_kept('quarters', $3, $4, $2, $5, $6, null, $8)
             where $9 = 'address' and $7::text is null
             group by 1, key_id, outcome
           )
           select (select count(*) from known) + (
             select count(*)
             from every e left join (select bucket, key_id, outcome, sum(count)::bigint as count from known group by 1, 2, 3) k using (bucket, key_id, outcome)
             where e.count > coalesce(k.count, 0)
           ) as "n!""#,
        edges,
        scope.workspace(),
        first,
        last,
        scope.key(),
        scope.api(),
        scope.part().map(|(_, part)| part),
        scope.outcomes.as_deref() as _,
        kind.as_str(),
    )
    .fetch_one(db)
    .await
}

pub async fn find_key_name(db: &PgPool, key: KeyId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select name from keys where id = $1", key.uuid()).fetch_optional(db).await
}
