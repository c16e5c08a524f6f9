//! Calls of keys, read from the tables of the usage feature.

use crate::values::{ApiId, Counts, KeyId, Outcome};
use sqlx::{PgExecutor, PgPool};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

struct CallRow {
    key_id: Uuid,
    bucket: i32,
    outcome: String,
    count: i64,
}

/// The calls of these keys between each two edges; keys without calls are left out. Hours know no routes, so they are few rows;
/// where a day begins at half past, it is cut from quarters. Keys are looked up one by one: of several at once a plan that is kept for
/// any times takes the index by time for the shorter way, and reads the calls of everybody's keys.
pub async fn list_calls(db: impl PgExecutor<'_>, keys: &[KeyId], edges: &[OffsetDateTime]) -> sqlx::Result<HashMap<KeyId, Vec<Counts>>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(HashMap::new()) };
    let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
    let rows = if edges.iter().all(|edge| edge.unix_timestamp() % 3_600 == 0) {
        sqlx::query_as!(
            CallRow,
            r#"select k.id as "key_id!", c.bucket as "bucket!", c.outcome as "outcome!", c.count as "count!"
               from unnest($2::uuid[]) k (id) cross join lateral (
                 select width_bucket(hour, $1::timestamptz[]) as bucket, outcome, sum(count)::bigint as count
                 from usage_by_hour($3, $4) where key_id = k.id and hour >= $3 and hour < $4 group by 1, 2) c"#,
            edges,
            &ids,
            first,
            last,
        )
        .fetch_all(db)
        .await?
    } else {
        sqlx::query_as!(
            CallRow,
            r#"select k.id as "key_id!", c.bucket as "bucket!", c.outcome as "outcome!", c.count as "count!"
               from unnest($2::uuid[]) k (id) cross join lateral (
                 select width_bucket(quarter, $1::timestamptz[]) as bucket, outcome, sum(count)::bigint as count
                 from usage_quarters where key_id = k.id and quarter >= $3 and quarter < $4 group by 1, 2) c"#,
            edges,
            &ids,
            first,
            last,
        )
        .fetch_all(db)
        .await?
    };
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
    /// Since when it is counted here.
    pub since: OffsetDateTime,
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

/// What is read of one secret: so many of its newest rows, and the rest of the quarter of an hour that the last of them is of, however many
/// servers wrote it. It had several hundred thousand after a month of calls from everywhere, which took seconds.
const NEWEST: i64 = 10_000;

/// From where these secrets were used since an instant, or as far back as its newest rows reach: of each the busiest addresses, then the
/// others in one row. Their sum is that of all calls since then. `offset 0`: each secret by its own range of the index, whatever is estimated.
pub async fn list_users_of_secrets(db: &PgPool, secrets: &[Uuid], since: OffsetDateTime, most: i64) -> sqlx::Result<Vec<SecretUserRow>> {
    sqlx::query_as!(
        SecretUserRow,
        r#"with reach as materialized (
             select s.id, coalesce((select u.quarter from usage_secrets u where u.secret_id = s.id and u.quarter >= $2 order by u.quarter desc offset $4 limit 1), $2) as since
             from unnest($1::uuid[]) s (id)
           ), cells as (
             select r.id as secret_id, r.since, u.address, u.route, sum(u.passed)::bigint as passed, sum(u.limited)::bigint as limited,
               sum(u.refused)::bigint as refused, max(u.last_at) as last_at
             from reach r cross join lateral (
               select * from usage_secrets u where u.secret_id = r.id and u.quarter >= r.since offset 0
             ) u group by 1, 2, 3, 4
           ), sums as (
             select *, sum(passed + limited + refused) over (partition by secret_id, address, route = '') as of_address from cells
           ), ranked as (
             select *, route = '' or dense_rank() over (partition by secret_id order by route = '', of_address desc, address) > $3 as is_rest from sums
           ), named as (
             select secret_id, since, is_rest, case when is_rest then '' else address end as address, case when not is_rest then route end as route, passed, limited,
               refused, last_at
             from ranked
           )
           select secret_id as "secret!", since as "since!", address as "address!", is_rest as "is_rest!",
             coalesce((array_agg(route order by passed + limited + refused desc, route) filter (where route is not null))[1:5], '{}') as "routes!",
             count(route) as "all_routes!", sum(passed)::bigint as "passed!", sum(limited)::bigint as "limited!", sum(refused)::bigint as "refused!",
             max(last_at) as "last!"
           from named group by secret_id, since, is_rest, address
           order by secret_id, is_rest, sum(passed + limited + refused) desc, address"#,
        secrets,
        since,
        most,
        NEWEST,
    )
    .fetch_all(db)
    .await
}
