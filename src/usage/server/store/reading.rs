//! Summing counts between edges. The caller computes the edges on the person's calendar; `usage_cells` (migration 0012) gives the
//! counts between them in the largest pieces that no edge cuts, and `width_bucket` sorts these (1 is the first bucket). So one grouped
//! query answers one panel, and reads rows bounded by hours × codes of what the filters leave.

use super::parts;
use crate::{
    usage::model::PartKind,
    values::{ApiId, KeyId, WorkspaceId},
};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// Which counts: of one workspace (for operators of all), and what the filters leave of it.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub workspace: Option<WorkspaceId>,
    pub key: Option<KeyId>,
    pub api: Option<ApiId>,
    pub route: Option<String>,
    /// Only these codes.
    pub outcomes: Option<Vec<String>>,
    /// Only calls from this address, as it is counted; never beside a route or a permission.
    pub address: Option<String>,
    /// Only calls that needed this permission; never beside a route or an address.
    pub permission: Option<String>,
}

impl Scope {
    /// What else than a route it is about, if it is.
    pub fn part(&self) -> Option<(PartKind, &str)> {
        let address = self.address.as_deref().map(|address| (PartKind::Address, address));
        address.or_else(|| self.permission.as_deref().map(|permission| (PartKind::Permission, permission)))
    }
    pub fn workspace(&self) -> Option<Uuid> {
        self.workspace.map(WorkspaceId::uuid)
    }
    pub fn key(&self) -> Option<Uuid> {
        self.key.map(KeyId::uuid)
    }
    pub fn api(&self) -> Option<Uuid> {
        self.api.map(ApiId::uuid)
    }
}

/// Which counts are read (the function `usage_kept`, migration 0071): minutes for some weeks, of all others the sums of whole quarters of an
/// hour or days of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Minutes,
    Quarters,
    Days,
}

impl Kept {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Quarters => "quarters",
            Self::Days => "days",
        }
    }
}

#[derive(Debug)]
pub struct BucketRow {
    /// 1 is the bucket between the first two edges.
    pub bucket: i32,
    pub outcome: String,
    pub count: i64,
}

/// Sums by bucket and code.
pub async fn list_buckets(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime]) -> sqlx::Result<Vec<BucketRow>> {
    if edges.len() < 2 {
        return Ok(Vec::new());
    }
    if let Some(part) = scope.part() {
        return parts::list_buckets(db, scope, part, edges).await;
    }
    sqlx::query_as!(
        BucketRow,
        r#"select width_bucket(at, $1::timestamptz[]) as "bucket!", outcome as "outcome!", sum(count)::bigint as "count!"
           from usage_cells($1, $2, $3, $4, $5, $6) group by 1, 2"#,
        edges,
        scope.workspace(),
        scope.key(),
        scope.api(),
        scope.route,
        scope.outcomes.as_deref() as _,
    )
    .fetch_all(db)
    .await
}

/// The same by minutes, which are kept for some weeks.
pub async fn list_minute_buckets(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime]) -> sqlx::Result<Vec<BucketRow>> {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    sqlx::query_as!(
        BucketRow,
        r#"select width_bucket(at, $1::timestamptz[]) as "bucket!", outcome as "outcome!", sum(count)::bigint as "count!"
           from usage_kept($2, $3, $4, $5, $6, $7, $8, $9) group by 1, 2"#,
        edges,
        Kept::Minutes.as_str(),
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

#[derive(Debug)]
pub struct KeyRow {
    pub key_id: Uuid,
    pub name: String,
    /// False: it was deleted.
    pub is_there: bool,
    pub bucket: i32,
    pub outcome: String,
    pub count: i64,
    /// How many keys have calls at all.
    pub keys: i64,
}

/// Sums of the busiest keys by bucket and code.
pub async fn list_keys(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime], most: i64) -> sqlx::Result<Vec<KeyRow>> {
    if edges.len() < 2 {
        return Ok(Vec::new());
    }
    if let Some(part) = scope.part() {
        return parts::list_keys(db, scope, part, edges, most).await;
    }
    sqlx::query_as!(
        KeyRow,
        r#"with cells as (
             select key_id, width_bucket(at, $1::timestamptz[]) as bucket, outcome, sum(count)::bigint as count
             from usage_cells($1, $2, $3, $4, $5, $6) group by 1, 2, 3
           ), busiest as (
             select key_id, count(*) over () as keys from cells group by key_id order by sum(count) desc, key_id limit $7
           )
           select c.key_id as "key_id!", coalesce(k.name, 'A deleted key') as "name!", k.id is not null as "is_there!", c.bucket as "bucket!", c.outcome as "outcome!", c.count as "count!", b.keys as "keys!"
           from cells c join busiest b using (key_id) left join keys k on k.id = c.key_id"#,
        edges,
        scope.workspace(),
        scope.key(),
        scope.api(),
        scope.route,
        scope.outcomes.as_deref() as _,
        most,
    )
    .fetch_all(db)
    .await
}

#[derive(Debug)]
pub struct RouteRow {
    pub route: String,
    pub count: i64,
    /// Cost units of what passed.
    pub units: i64,
    /// Of all routes, also those that are not listed.
    pub all_units: i64,
    /// A call to any of all routes cost more or less than one unit.
    pub differs: bool,
}

/// The busiest routes, whatever route is chosen: they are the choices, too. Whole days of UTC are read as such, what is left of the
/// first and the last day by quarters of an hour.
pub async fn list_routes(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime, most: i64) -> sqlx::Result<Vec<RouteRow>> {
    if scope.part().is_some() {
        return Ok(Vec::new()); // of an address or a permission no routes are kept
    }
    sqlx::query_as!(
        RouteRow,
        r#"with days as (
             select least(case when $2 = date_trunc('day', $2::timestamptz, 'UTC') then $2 else date_trunc('day', $2, 'UTC') + interval '1 day' end, $3::timestamptz) as first,
               date_trunc('day', $3, 'UTC') as last
           ), cells as (
             select route, count, case when outcome = 'VALID' then cost else 0 end as units, outcome = 'VALID' and cost <> count as differs from usage_by_day($2, $3)
             where day >= (select first from days) and day < (select last from days)
               and ($1::uuid is null or workspace_id = $1) and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5)
               and ($6::text[] is null or outcome = any($6))
             union all
             select route, count, case when outcome = 'VALID' then coalesce(cost, count) else 0 end, outcome = 'VALID' and coalesce(cost, count) <> count from usage_quarters
             where quarter >= $2 and quarter < (select first from days)
               and ($1::uuid is null or workspace_id = $1) and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5)
               and ($6::text[] is null or outcome = any($6))
             union all
             select route, count, case when outcome = 'VALID' then coalesce(cost, count) else 0 end, outcome = 'VALID' and coalesce(cost, count) <> count from usage_quarters
             where quarter >= (select greatest(first, last) from days) and quarter < $3
               and ($1::uuid is null or workspace_id = $1) and ($4::uuid is null or key_id = $4) and ($5::uuid is null or api_id = $5)
               and ($6::text[] is null or outcome = any($6))
           )
           select route as "route!", sum(count)::bigint as "count!", sum(units)::bigint as "units!", (sum(sum(units)) over ())::bigint as "all_units!",
             bool_or(bool_or(differs)) over () as "differs!"
           from cells group by route order by 2 desc, route limit $7"#,
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

/// Whether any call of this workspace is kept.
pub async fn find_any(db: &PgPool, workspace: WorkspaceId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from usage_quarters where workspace_id = $1) as "any!""#, workspace.uuid()).fetch_one(db).await
}

/// The workspace that a key belongs to.
pub async fn find_workspace_of_key(db: &PgPool, key: KeyId) -> sqlx::Result<Option<WorkspaceId>> {
    let id = sqlx::query_scalar!("select workspace_id from keys where id = $1", key.uuid()).fetch_optional(db).await?;
    Ok(id.map(WorkspaceId::new))
}

pub async fn find_api(db: &PgPool, slug: &str) -> sqlx::Result<Option<ApiId>> {
    let id = sqlx::query_scalar!("select id from apis where slug = $1", slug).fetch_optional(db).await?;
    Ok(id.map(ApiId::new))
}

#[derive(Debug)]
pub struct CodeRow {
    pub outcome: String,
    pub count: i64,
}

/// Sums by code since `from` and before `to`, the most first.
pub async fn list_codes(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Vec<CodeRow>> {
    if let Some(part) = scope.part() {
        return parts::list_codes(db, scope, part, from, to).await;
    }
    sqlx::query_as!(
        CodeRow,
        r#"select outcome as "outcome!", sum(count)::bigint as "count!"
           from usage_cells(array[$1, $2]::timestamptz[], $3, $4, $5, $6, $7) group by 1 order by 2 desc"#,
        from,
        to,
        scope.workspace(),
        scope.key(),
        scope.api(),
        scope.route,
        scope.outcomes.as_deref() as _,
    )
    .fetch_all(db)
    .await
}

/// Calls of one key to one route with one code in one minute.
pub async fn count_minute(db: &PgPool, key: Uuid, minute: OffsetDateTime, route: &str, outcome: &str) -> sqlx::Result<i64> {
    let count =
        sqlx::query_scalar!("select count from usage_minutes where key_id = $1 and minute = $2 and route = $3 and outcome = $4", key, minute, route, outcome,);
    Ok(count.fetch_optional(db).await?.unwrap_or(0))
}

/// Attempts without a known key since `from`, by reason. Calls of slowed keys and workspaces, which stand beside them by their ids, are none.
pub async fn list_attempts(db: &PgPool, from: OffsetDateTime) -> sqlx::Result<Vec<CodeRow>> {
    sqlx::query_as!(
        CodeRow,
        r#"select reason as outcome, sum(count)::bigint as "count!" from unknown_attempts where minute >= $1 and strpos(address, '_') = 0 group by 1 order by 2 desc"#,
        from
    )
    .fetch_all(db)
    .await
}
