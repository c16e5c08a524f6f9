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

/// Whom a limit would have held back.
pub struct HeldRow {
    pub workspace: Uuid,
    pub key: Option<Uuid>,
    pub name: String,
}

/// Who asked for more than a rolling limit allows in any window of its length; of the same usage as in `list_limited`.
pub async fn list_rolling(db: &PgPool, limit: &KeyLimit, asked: &Asked<'_>) -> sqlx::Result<Vec<HeldRow>> {
    sqlx::query_as!(
        HeldRow,
        r#"with sums as (
             select workspace_id, key_id, sum(units) over (
               partition by workspace_id, key_id order by at range between make_interval(secs => $7::integer - 1) preceding and current row
             ) > $8::bigint as is_beyond
             from asked($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ), held as (
             select workspace_id, key_id from sums where is_beyond group by 1, 2
           )
           select h.workspace_id as "workspace!", h.key_id as "key?", coalesce(k.name, w.name, 'gone') as "name!"
           from held h left join workspaces w on w.id = h.workspace_id left join keys k on k.id = h.key_id"#,
        asked.from,
        asked.whose.by_key,
        asked.whose.all_keys,
        asked.whose.of,
        asked.whose.keys,
        asked.minutes_since,
        limit.window.stored_seconds(),
        stored(limit.limit),
        limit.unit.as_str(),
    )
    .fetch_all(db)
    .await
}

/// Who would have used up these credits, full at first, had what is beyond passed too; of the same usage as in `list_limited`. What is missing of
/// a full bucket is what was used, less what came back since it was full last.
pub async fn list_without_credits(db: &PgPool, limit: &KeyLimit, asked: &Asked<'_>) -> sqlx::Result<Vec<HeldRow>> {
    sqlx::query_as!(
        HeldRow,
        r#"with used as (
             select workspace_id, key_id, at, units,
               sum(units) over (partition by workspace_id, key_id order by at) - units
                 - $7::bigint * coalesce(floor(extract(epoch from at) / nullif($8::integer, 0)), 0) as before
             from asked_quarters($1, $2, $3, $4, $5)
           ), missing as (
             select workspace_id, key_id, before - min(before) over (partition by workspace_id, key_id order by at) + units as units from used
           ), held as (
             select workspace_id, key_id from missing where units > $6::bigint group by 1, 2
           )
           select h.workspace_id as "workspace!", h.key_id as "key?", coalesce(k.name, w.name, 'gone') as "name!"
           from held h left join workspaces w on w.id = h.workspace_id left join keys k on k.id = h.key_id"#,
        asked.from,
        asked.whose.by_key,
        asked.whose.all_keys,
        asked.whose.of,
        asked.whose.keys,
        stored(limit.limit),
        limit.window.stored_refill(),
        limit.window.stored_seconds(),
    )
    .fetch_all(db)
    .await
}

/// What was asked in a quarter of an hour, or in a minute of it.
pub struct StepRow {
    pub workspace: Uuid,
    pub key: Option<Uuid>,
    /// When it began.
    pub at: OffsetDateTime,
    pub is_minute: bool,
    pub units: i64,
    pub calls: i64,
}

/// Every quarter of these, one who asks after the other and each in order of time; behind a quarter its minutes, where these `minutes` may
/// matter: the shortest of all and the longest window of the limits that are held against them. Calls are summed if `in_calls`.
pub async fn each_step(db: &PgPool, asked: &Asked<'_>, minutes: &[KeyLimit], in_calls: bool, mut each: impl FnMut(StepRow) + Send) -> sqlx::Result<()> {
    // Calls are never more than units: where units are not too many, calls are not.
    let most = minutes.iter().map(|l| stored(l.limit)).min().unwrap_or(i64::MAX);
    let longest = minutes.iter().map(|l| l.window.stored_seconds()).max().unwrap_or(0);
    let mut rows = sqlx::query_as!(
        StepRow,
        r#"select workspace_id as "workspace!", key_id as "key?", at as "at!", is_minute as "is_minute!",
             least(sum(units) filter (where unit = 'units'), 9223372036854775807)::bigint as "units!",
             least(coalesce(sum(units) filter (where unit = 'calls'), 0), 9223372036854775807)::bigint as "calls!"
           from (
             select workspace_id, key_id, at, false as is_minute, 'units' as unit, units from asked_quarters($1, $2, $3, $4, $5)
             union all
             select workspace_id, key_id, at, false, 'calls', units from asked_quarters($1, $2, $3, $4, $5, 'calls') where $9::boolean
             union all
             select workspace_id, key_id, at, true, 'units', units from asked_minutes($1, $2, $3, $4, $5, $6, $7, $8)
             where $6::timestamptz is not null
             union all
             select workspace_id, key_id, at, true, 'calls', units from asked_minutes($1, $2, $3, $4, $5, $6, $7, -1, 'calls')
             where $6::timestamptz is not null and $9::boolean
           ) parts
           group by workspace_id, key_id, at, is_minute having sum(units) filter (where unit = 'units') > 0
           order by workspace_id, key_id, floor(extract(epoch from at) / 900), is_minute, at"#,
        asked.from,
        asked.whose.by_key,
        asked.whose.all_keys,
        asked.whose.of,
        asked.whose.keys,
        asked.minutes_since,
        longest,
        most,
        in_calls,
    )
    .fetch(db);
    while let Some(row) = rows.try_next().await? {
        each(row);
    }
    Ok(())
}

fn stored(limit: u64) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Whose keys may be left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meant<'a> {
    /// Only of these workspaces, or keys that have this plan themselves.
    pub of: Option<&'a [Uuid]>,
    pub plan: Option<PlanId>,
    /// All keys of this API, not only those with limits or a plan with limits of their own.
    pub api: Option<&'a str>,
    /// But for these, which are tried.
    pub but: &'a [Uuid],
}

pub struct LeftOutRow {
    pub keys: i64,
    pub units: i64,
}

/// How many keys with usage since then are held by limits or a plan with limits of their own, and what they used and asked for.
pub async fn count_left_out(db: &PgPool, from: OffsetDateTime, meant: &Meant<'_>) -> sqlx::Result<LeftOutRow> {
    sqlx::query_as!(
        LeftOutRow,
        r#"select count(*) as "keys!", least(coalesce(sum(u.units), 0), 9223372036854775807)::bigint as "units!"
           from (
             select u.key_id, sum(taken('units', u.count, u.cost)) as units
             from usage_quarters u join apis a on a.id = u.api_id and a.slug <> 'tollgate' join keys k on k.id = u.key_id
             where u.quarter >= $1 and u.outcome in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
               and ($2::uuid[] is null or u.workspace_id = any ($2) or k.plan_id = $3) and u.key_id <> all ($4::uuid[])
               and case when $5::text is null
                 then exists (select from key_limits l where l.key_id = k.id) or exists (select from plan_limits l where l.plan_id = k.plan_id)
                 else a.slug = $5 end
             group by u.key_id
           ) u where u.units > 0"#,
        from,
        meant.of,
        meant.plan.map(PlanId::uuid),
        meant.but,
        meant.api,
    )
    .fetch_one(db)
    .await
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
