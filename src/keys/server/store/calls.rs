//! Calls of keys, read from the tables of the usage feature.

use crate::values::{ApiId, Counts, KeyId, Outcome, WorkspaceId};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// The calls of these keys between each two edges; keys without calls are left out.
pub async fn list_calls(db: &PgPool, keys: &[KeyId], edges: &[OffsetDateTime]) -> sqlx::Result<HashMap<KeyId, Vec<Counts>>> {
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
pub async fn sum_calls(db: &PgPool, workspace: Option<WorkspaceId>, since: OffsetDateTime) -> sqlx::Result<Counts> {
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

/// Of each of these permissions the calls of a key since an instant that needed it. What the key called is read once, whatever the number of
/// permissions; whether some key was asked for one is settled by the newest row:
/// all three columns are compared and sorted by, since only the index by API, permission and quarter serves that.
pub async fn list_permissions_needed(db: &PgPool, key: KeyId, api: ApiId, permissions: &[String], since: OffsetDateTime) -> sqlx::Result<Vec<PermissionCalls>> {
    sqlx::query_as!(
        PermissionCalls,
        r#"select n.permission as "permission!", coalesce(u.calls, 0) as "calls!", u.last as "last?",
             coalesce((select (a.api_id, a.permission) = ($2, n.permission) and a.quarter >= $3 from usage_permissions a
               where (a.api_id, a.permission, a.quarter) <= ($2, n.permission, 'infinity')
               order by a.api_id desc, a.permission desc, a.quarter desc limit 1), false) as "is_asked!"
           from unnest($4::text[]) n(permission)
           left join (
             select permission, sum(count)::bigint as calls, max(quarter) as last from usage_permissions
             where key_id = $1 and quarter >= $3 group by permission
           ) u on u.permission = n.permission"#,
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
