//! Calls of keys, read from the tables of the usage feature.

use crate::values::{ApiId, Counts, KeyId, Outcome, WorkspaceId};
use sqlx::{PgExecutor, PgPool};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// The calls of these keys between each two edges; keys without calls are left out.
pub async fn list_calls(db: impl PgExecutor<'_>, keys: &[KeyId], edges: &[OffsetDateTime]) -> sqlx::Result<HashMap<KeyId, Vec<Counts>>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(HashMap::new()) };
    let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select key_id, width_bucket(quarter, $1::timestamptz[]) as "bucket!", outcome, sum(count)::bigint as "count!"
           from usage_quarters where key_id = any($2) and quarter >= $3 and quarter < $4 group by 1, 2, 3"#,
        edges,
        &ids,
        first,
        last,
    )
    .fetch_all(db)
    .await?;
    let mut calls: HashMap<KeyId, Vec<Counts>> = HashMap::new();
    for row in rows {
        let buckets = calls.entry(KeyId::new(row.key_id)).or_insert_with(|| vec![Counts::default(); edges.len() - 1]);
        // The first bucket of width_bucket is 1.
        let bucket = usize::try_from(row.bucket).ok().and_then(|b| b.checked_sub(1)).and_then(|b| buckets.get_mut(b));
        if let (Some(bucket), Ok(outcome), Ok(count)) = (bucket, row.outcome.parse::<Outcome>(), u64::try_from(row.count)) {
            bucket.add(outcome, count);
        }
    }
    Ok(calls)
}

/// All calls since an instant.
pub async fn sum_calls(db: impl PgExecutor<'_>, workspace: Option<WorkspaceId>, since: OffsetDateTime) -> sqlx::Result<Counts> {
    let rows = sqlx::query!(
        r#"select outcome, sum(count)::bigint as "count!" from usage_quarters where quarter >= $1 and ($2::uuid is null or workspace_id = $2) group by outcome"#,
        since,
        workspace.map(WorkspaceId::uuid),
    )
    .fetch_all(db)
    .await?;
    let mut calls = Counts::default();
    for row in rows {
        if let (Ok(outcome), Ok(count)) = (row.outcome.parse::<Outcome>(), u64::try_from(row.count)) {
            calls.add(outcome, count);
        }
    }
    Ok(calls)
}

/// A route as it was counted.
pub struct RouteCalls {
    pub label: String,
    pub calls: u64,
    /// To a quarter of an hour.
    pub last: OffsetDateTime,
}

/// What a key called since an instant, as far as nothing but a limit refused it.
pub async fn list_routes_called(db: &PgPool, key: KeyId, since: OffsetDateTime) -> sqlx::Result<Vec<RouteCalls>> {
    let rows = sqlx::query!(
        r#"select route, sum(count)::bigint as "calls!", max(quarter) as "last!" from usage_quarters
           where key_id = $1 and quarter >= $2 and outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED') group by route"#,
        key.uuid(),
        since,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| RouteCalls { label: r.route, calls: u64::try_from(r.calls).unwrap_or(0), last: r.last }).collect())
}

/// What calls of a key needed.
pub struct PermissionCalls {
    pub permission: String,
    pub calls: i64,
    /// To a quarter of an hour; none: no call needed it.
    pub last: Option<OffsetDateTime>,
    /// Calls of some key of the API needed it.
    pub is_asked: bool,
}

/// Of each of these permissions the calls of a key since an instant that needed it.
pub async fn list_permissions_needed(db: &PgPool, key: KeyId, api: ApiId, permissions: &[String], since: OffsetDateTime) -> sqlx::Result<Vec<PermissionCalls>> {
    sqlx::query_as!(
        PermissionCalls,
        r#"select n.permission as "permission!", coalesce(u.calls, 0) as "calls!", u.last as "last?",
             exists (select from usage_permissions a where a.api_id = $2 and a.permission = n.permission and a.quarter >= $3) as "is_asked!"
           from unnest($4::text[]) n(permission)
           left join lateral (
             select sum(count)::bigint as calls, max(quarter) as last from usage_permissions p
             where p.key_id = $1 and p.quarter >= $3 and p.permission = n.permission
           ) u on true"#,
        key.uuid(),
        api.uuid(),
        since,
        permissions,
    )
    .fetch_all(db)
    .await
}

/// Since when permissions are counted; none: from the beginning.
pub async fn find_counted_since(db: &PgPool) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select since from permission_counting").fetch_optional(db).await
}

/// Calls with these secrets in each hour that begins at these edges, the last of which goes on; secrets without calls are left out.
pub async fn list_hours_of_secrets(db: &PgPool, secrets: &[Uuid], edges: &[OffsetDateTime]) -> sqlx::Result<HashMap<Uuid, Vec<Counts>>> {
    let Some(first) = edges.first() else { return Ok(HashMap::new()) };
    let rows = sqlx::query!(
        r#"select secret_id, width_bucket(quarter, $1::timestamptz[]) as "bucket!", sum(passed)::bigint as "passed!", sum(limited)::bigint as "limited!",
             sum(refused)::bigint as "refused!"
           from usage_secrets where secret_id = any($2) and quarter >= $3 group by 1, 2"#,
        edges,
        secrets,
        first,
    )
    .fetch_all(db)
    .await?;
    let mut hours: HashMap<Uuid, Vec<Counts>> = HashMap::new();
    for row in rows {
        let buckets = hours.entry(row.secret_id).or_insert_with(|| vec![Counts::default(); edges.len()]);
        // The first bucket of width_bucket is 1.
        if let Some(bucket) = usize::try_from(row.bucket).ok().and_then(|b| b.checked_sub(1)).and_then(|b| buckets.get_mut(b)) {
            *bucket += counts(row.passed, row.limited, row.refused);
        }
    }
    Ok(hours)
}

/// From where a secret was used.
#[derive(Debug, Clone)]
pub struct SecretUserRow {
    pub secret: Uuid,
    /// Folded; empty: nobody told.
    pub address: String,
    /// All others, whose address is empty.
    pub is_rest: bool,
    /// The busiest five; of all others empty.
    pub routes: Vec<String>,
    pub all_routes: i64,
    pub passed: i64,
    pub limited: i64,
    pub refused: i64,
    pub last: OffsetDateTime,
}

impl SecretUserRow {
    pub fn calls(&self) -> Counts {
        counts(self.passed, self.limited, self.refused)
    }
}

fn counts(passed: i64, limited: i64, refused: i64) -> Counts {
    let whole = |n: i64| u64::try_from(n).unwrap_or(0);
    Counts { passed: whole(passed), limited: whole(limited), refused: whole(refused) }
}

/// From where these secrets were used since an instant: of each the busiest addresses, then the others in one row. Their sum is that of all
/// calls.
pub async fn list_users_of_secrets(db: &PgPool, secrets: &[Uuid], since: OffsetDateTime, most: i64) -> sqlx::Result<Vec<SecretUserRow>> {
    sqlx::query_as!(
        SecretUserRow,
        r#"with cells as (
             select secret_id, address, route, sum(passed)::bigint as passed, sum(limited)::bigint as limited, sum(refused)::bigint as refused,
               max(last_at) as last_at
             from usage_secrets where secret_id = any($1) and quarter >= $2 group by 1, 2, 3
           ), busiest as (
             select secret_id, address, row_number() over (partition by secret_id order by sum(passed + limited + refused) desc, address) as place
             from cells where route <> '' group by 1, 2
           ), named as (
             select c.secret_id, case when b.place <= $3 then c.address else '' end as address, coalesce(b.place > $3, true) as is_rest,
               case when b.place <= $3 then c.route end as route, c.passed, c.limited, c.refused, c.last_at
             from cells c left join busiest b on b.secret_id = c.secret_id and b.address = c.address and c.route <> ''
           )
           select secret_id as "secret!", address as "address!", is_rest as "is_rest!",
             coalesce((array_agg(route order by passed + limited + refused desc, route) filter (where route is not null))[1:5], '{}') as "routes!",
             count(route) as "all_routes!", sum(passed)::bigint as "passed!", sum(limited)::bigint as "limited!", sum(refused)::bigint as "refused!",
             max(last_at) as "last!"
           from named group by secret_id, address, is_rest
           order by secret_id, is_rest, sum(passed + limited + refused) desc, address"#,
        secrets,
        since,
        most,
    )
    .fetch_all(db)
    .await
}
