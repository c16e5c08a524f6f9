//! Usage held against limits, summed in Postgres.

use crate::{keys::model::KeyLimit, values::PlanId};
use futures_util::TryStreamExt;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

pub struct LimitedRow {
    pub workspace: Uuid,
    pub key: Option<Uuid>,
    pub name: String,
    pub windows: i64,
    pub beyond: i64,
    pub units: i64,
    /// Of all rows, also those that are left out.
    pub limited: i64,
}

/// Whose usage is summed, and how. Keys for Tollgate's own API never count.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// Each key alone, not all keys of a workspace together.
    pub by_key: bool,
    /// Also keys that have limits or a plan with limits of their own, which no other level holds.
    pub all_keys: bool,
    /// Only of these workspaces.
    pub of: Option<&'a [Uuid]>,
    /// Only these keys.
    pub keys: Option<&'a [Uuid]>,
}

/// What limits are held against: the usage of these since `from`, by quarters of an hour, or by the minute since `minutes_since` (the function
/// `asked`, migration 0071).
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub whose: &'a Whose<'a>,
    pub from: OffsetDateTime,
    pub minutes_since: Option<OffsetDateTime>,
}

/// Who asked for more than these limits, all of one unit and of fixed windows of whole quarters or minutes, allow, the most beyond first, and how many they
/// are. What was asked is what passed and what a limit held.
pub async fn list_limited(db: &PgPool, limits: &[KeyLimit], asked: &Asked<'_>, most: i64) -> sqlx::Result<Vec<LimitedRow>> {
    let calls: Vec<i64> = limits.iter().map(|l| i64::try_from(l.limit).unwrap_or(i64::MAX)).collect();
    let windows: Vec<i32> = limits.iter().map(|l| l.window.stored_seconds()).collect();
    let zones: Vec<String> = limits.iter().map(|l| l.window.stored_zone()).collect();
    let unit = limits.first().map(|l| l.unit).unwrap_or_default();
    sqlx::query_as!(
        LimitedRow,
        r#"with cells as (
             select a.workspace_id, a.key_id, a.all_units, l.max, sum(a.units) as units
             from asked($1, $2, $3, $4, $5, $6, $7, $8, $13) a
               cross join unnest($9::bigint[], $10::integer[], $11::text[]) with ordinality as l (max, seconds, zone, place)
             group by a.workspace_id, a.key_id, a.all_units, l.max, l.place, case
               when l.zone <> 'UTC' then extract(epoch from date_trunc(case l.seconds when 0 then 'month' else 'day' end, a.at at time zone l.zone))
               when l.seconds = 0 then extract(epoch from date_trunc('month', a.at at time zone 'UTC'))
               else floor(extract(epoch from a.at) / nullif(l.seconds, 0)) end
           ), held as (
             select workspace_id, key_id, all_units, count(*) as windows, sum(units - max) as beyond from cells where units > max group by 1, 2, 3
           )
           select h.workspace_id as "workspace!", h.key_id as "key?", coalesce(k.name, w.name, 'gone') as "name!", h.windows as "windows!",
             least(h.beyond, 9223372036854775807)::bigint as "beyond!", least(h.all_units, 9223372036854775807)::bigint as "units!",
             count(*) over () as "limited!"
           from held h left join workspaces w on w.id = h.workspace_id left join keys k on k.id = h.key_id
           order by h.beyond desc, h.workspace_id, h.key_id limit $12"#,
        asked.from,
        asked.whose.by_key,
        asked.whose.all_keys,
        asked.whose.of,
        asked.whose.keys,
        asked.minutes_since,
        windows.iter().copied().max().unwrap_or(0),
        calls.iter().copied().min().unwrap_or(i64::MAX),
        &calls,
        &windows,
        &zones,
        most,
        unit.as_str(),
    )
    .fetch_all(db)
    .await
}

/// What was asked in a quarter of an hour or a minute by one of those who asked for more than a rolling limit allows.
pub struct AskedRow {
    pub workspace: Uuid,
    pub key: Option<Uuid>,
    pub name: String,
    /// When it began.
    pub at: OffsetDateTime,
    pub units: i64,
    /// Of all of it.
    pub total: i64,
}

/// Every quarter, or every minute that may matter, of those who asked for more than this limit allows in any window of its length, one after
/// the other in order of time; of the same usage as in `list_limited`. Who never did is left out by Postgres.
pub async fn each_asked(db: &PgPool, limit: &KeyLimit, asked: &Asked<'_>, mut each: impl FnMut(AskedRow) + Send) -> sqlx::Result<()> {
    let mut rows = sqlx::query_as!(
        AskedRow,
        r#"with sums as (
             select workspace_id, key_id, at, units, all_units, sum(units) over (
               partition by workspace_id, key_id order by at range between make_interval(secs => $7::integer - 1) preceding and current row
             ) > $8::bigint as is_beyond
             from asked($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ), held as (
             select workspace_id, key_id, at, units, all_units, bool_or(is_beyond) over (partition by workspace_id, key_id) as is_held from sums
           )
           select h.workspace_id as "workspace!", h.key_id as "key?", coalesce(k.name, w.name, 'gone') as "name!", h.at as "at!",
             least(h.units, 9223372036854775807)::bigint as "units!", least(h.all_units, 9223372036854775807)::bigint as "total!"
           from held h left join workspaces w on w.id = h.workspace_id left join keys k on k.id = h.key_id
           where h.is_held order by h.workspace_id, h.key_id, h.at"#,
        asked.from,
        asked.whose.by_key,
        asked.whose.all_keys,
        asked.whose.of,
        asked.whose.keys,
        asked.minutes_since,
        limit.window.stored_seconds(),
        i64::try_from(limit.limit).unwrap_or(i64::MAX),
        limit.unit.as_str(),
    )
    .fetch(db);
    while let Some(row) = rows.try_next().await? {
        each(row);
    }
    Ok(())
}

/// The workspaces that a plan holds, by themselves or by their group: those with limits of their own, and of a group with limits of its own,
/// are held by these.
pub async fn list_holding(db: &PgPool, plan: PlanId) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"select h.workspace_id as "id!" from workspace_plans h where h.plan_id = $1
             and not exists (select from workspace_limits l where l.workspace_id = h.workspace_id)
             and not exists (select from group_members m join group_limits l on l.group_id = m.group_id where m.workspace_id = h.workspace_id)
           union select m.workspace_id from group_members m join groups g on g.id = m.group_id where g.plan_id = $1
             and not exists (select from workspace_limits l where l.workspace_id = m.workspace_id)
             and not exists (select from group_limits l where l.group_id = g.id)
             and not exists (select from workspace_plans h join plan_limits l on l.plan_id = h.plan_id
               where h.workspace_id = m.workspace_id and h.plan_id <> $1)"#,
        plan.uuid(),
    )
    .fetch_all(db)
    .await
}

/// The keys that a plan holds by themselves, each alone: those with limits of their own are held by these.
pub async fn list_holding_keys(db: &PgPool, plan: PlanId) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select k.id from keys k where k.plan_id = $1 and not exists (select from key_limits l where l.key_id = k.id)", plan.uuid())
        .fetch_all(db)
        .await
}

/// The keys of an API that its limits hold: those that nothing nearer limits.
pub async fn list_met_by_api(db: &PgPool, slug: &str) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select k.id from keys k join apis a on a.id = k.api_id where a.slug = $1
           and not exists (select from key_limits l where l.key_id = k.id)
           and not exists (select from plan_limits l where l.plan_id = k.plan_id)
           and not exists (select from workspace_limits l where l.workspace_id = k.workspace_id)
           and not exists (select from group_members m join group_limits l on l.group_id = m.group_id where m.workspace_id = k.workspace_id)
           and not exists (select from workspace_plans h join plan_limits l on l.plan_id = h.plan_id where h.workspace_id = k.workspace_id)
           and not exists (select from group_members m join groups g on g.id = m.group_id join plan_limits l on l.plan_id = g.plan_id
             where m.workspace_id = k.workspace_id)",
        slug,
    )
    .fetch_all(db)
    .await
}
