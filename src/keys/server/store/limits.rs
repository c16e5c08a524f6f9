//! The limits of keys, their plans, and what each level would give.

use crate::{
    keys::model::{KeyLimit, LimitUnit, Over, Window},
    values::{KeyId, Slug, WorkspaceId},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns that every table of limits has, by their names.
#[derive(Debug, Deserialize)]
pub struct StoredLimit {
    name: String,
    max_calls: i64,
    kind: String,
    window_seconds: i32,
    zone: String,
    refill: i64,
    unit: String,
    over: String,
}

impl From<StoredLimit> for KeyLimit {
    fn from(row: StoredLimit) -> Self {
        limit(row.name, row.max_calls, Window::stored(&row.kind, row.window_seconds, &row.zone, row.refill), (&row.unit, &row.over))
    }
}

/// The same of these limits, for `jsonb_to_recordset`.
pub fn stored_limits(limits: &[KeyLimit]) -> Value {
    let stored = |limit: &KeyLimit| {
        json!({
            "name": limit.name,
            "max_calls": i64::try_from(limit.limit).unwrap_or(i64::MAX),
            "kind": limit.window.kind().as_str(),
            "window_seconds": limit.window.stored_seconds(),
            "zone": limit.window.stored_zone(),
            "refill": limit.window.stored_refill(),
            "unit": limit.unit.as_str(),
            "over": limit.over.to_string(),
        })
    };
    limits.iter().map(stored).collect()
}

/// The limits of these keys, by name.
pub async fn limits_of(conn: &mut PgConnection, keys: &[KeyId]) -> sqlx::Result<Vec<(KeyId, KeyLimit)>> {
    let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "select key_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from key_limits where key_id = any($1) order by key_id, name",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let found = rows.into_iter().map(|r| {
        let window = Window::stored(&r.kind, r.window_seconds, &r.zone, r.refill);
        (KeyId::new(r.key_id), limit(r.name, r.max_calls, window, (&r.unit, &r.over)))
    });
    Ok(found.collect())
}

fn limit(name: String, max_calls: i64, window: Window, (unit, over): (&str, &str)) -> KeyLimit {
    KeyLimit { unit: LimitUnit::stored(unit), over: Over::stored(over), ..KeyLimit::new(name, u64::try_from(max_calls).unwrap_or(0), window) }
}

/// Which of these time zones Postgres knows; names in lower case. It reads its whole list of zones for that.
pub async fn list_known_zones(db: &PgPool, names: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(r#"select lower(name) as "name!" from pg_timezone_names where lower(name) = any($1)"#, names).fetch_all(db).await
}

/// The plans that these keys have themselves; a key without one is left out.
pub async fn plans_of(conn: &mut PgConnection, keys: &[KeyId]) -> sqlx::Result<Vec<(KeyId, Slug)>> {
    let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!("select k.id, p.slug from keys k join plans p on p.id = k.plan_id where k.id = any($1)", &ids).fetch_all(conn).await?;
    Ok(rows.into_iter().filter_map(|r| Some((KeyId::new(r.id), r.slug.parse().ok()?))).collect())
}

/// The plan of this slug, which nobody deletes until the transaction ends: its id and name.
pub async fn lock_plan(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<(Uuid, String)>> {
    let row = sqlx::query!("select id, name from plans where slug = $1 for key share", slug).fetch_optional(conn).await?;
    Ok(row.map(|r| (r.id, r.name)))
}

/// Slug and name of each plan, by name.
pub async fn list_plans(db: &PgPool) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!("select slug, name from plans order by name, slug").fetch_all(db).await?;
    Ok(rows.into_iter().map(|r| (r.slug, r.name)).collect())
}

pub async fn has_plan(db: &PgPool, slug: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from plans where slug = $1) as "is_there!""#, slug).fetch_one(db).await
}

pub async fn update_plan(conn: &mut PgConnection, key: KeyId, plan: Option<Uuid>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update keys set plan_id = $2, updated_at = $3 where id = $1", key.uuid(), plan, now).execute(conn).await?;
    Ok(())
}

/// Whose the levels of a key are.
pub struct Holders {
    pub workspace: String,
    pub api: String,
    pub is_own_api: bool,
    pub key_plan: Option<String>,
    pub workspace_plan: Option<String>,
    pub group: Option<String>,
    pub group_plan: Option<String>,
}

/// None for a key that is gone.
pub async fn find_holders(db: &PgPool, key: KeyId) -> sqlx::Result<Option<Holders>> {
    sqlx::query_as!(
        Holders,
        r#"select w.name as workspace, a.name as api, a.slug = 'tollgate' as "is_own_api!", kp.name as "key_plan?", wp.name as "workspace_plan?",
             gr.name as "group?", gp.name as "group_plan?"
           from keys k join workspaces w on w.id = k.workspace_id join apis a on a.id = k.api_id
             left join workspace_plans h on h.workspace_id = k.workspace_id left join plans kp on kp.id = k.plan_id left join plans wp on wp.id = h.plan_id
             left join group_members gm on gm.workspace_id = k.workspace_id left join groups gr on gr.id = gm.group_id left join plans gp on gp.id = gr.plan_id
           where k.id = $1"#,
        key.uuid(),
    )
    .fetch_optional(db)
    .await
}

/// What each level has for a key: by number of the level, then by name.
pub async fn list_levels(db: &PgPool, key: KeyId) -> sqlx::Result<Vec<(i32, KeyLimit)>> {
    let rows = sqlx::query!(
        r#"select f.level as "level!", f.name as "name!", f.max_calls as "max_calls!", f.kind as "kind!", f.window_seconds as "window_seconds!",
             f.zone as "zone!", f.refill as "refill!", f.unit as "unit!", f.over as "over!"
           from keys k join apis a on a.id = k.api_id left join workspace_plans h on h.workspace_id = k.workspace_id
             cross join lateral limit_levels(k.id, k.plan_id, case when a.slug <> 'tollgate' then k.workspace_id end,
               case when a.slug <> 'tollgate' then h.plan_id end, k.api_id) f
           where k.id = $1 order by 1, 2"#,
        key.uuid(),
    )
    .fetch_all(db)
    .await?;
    let found = rows.into_iter().map(|r| {
        let window = Window::stored(&r.kind, r.window_seconds, &r.zone, r.refill);
        (r.level, limit(r.name, r.max_calls, window, (&r.unit, &r.over)))
    });
    Ok(found.collect())
}

/// What holds a new key of a workspace at each API, by the API's slug and then by name: all that the nearest level gives which gives
/// anything. An API where none does is left out. The plan is joined: an argument that asked for it would keep the function from being read as
/// part of the statement, and it would then be run for each API.
pub async fn list_limits_of_new_keys(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> sqlx::Result<Vec<(String, i32, KeyLimit)>> {
    let rows = sqlx::query!(
        r#"select l.slug as "slug!", l.level as "level!", l.name as "name!", l.max_calls as "max_calls!", l.kind as "kind!",
             l.window_seconds as "window_seconds!", l.zone as "zone!", l.refill as "refill!", l.unit as "unit!", l.over as "over!"
           from (
             select a.slug, f.*, min(f.level) over (partition by a.id) as nearest
             from apis a left join workspace_plans h on h.workspace_id = $1 and a.slug <> 'tollgate'
               cross join lateral limit_levels(null, null, case when a.slug <> 'tollgate' then $1::uuid end, h.plan_id, a.id) f
           ) l
           where l.level = l.nearest order by l.slug, l.name"#,
        workspace.uuid(),
    )
    .fetch_all(db)
    .await?;
    let found = rows.into_iter().map(|r| {
        let window = Window::stored(&r.kind, r.window_seconds, &r.zone, r.refill);
        (r.slug, r.level, limit(r.name, r.max_calls, window, (&r.unit, &r.over)))
    });
    Ok(found.collect())
}

/// The limits of a key become these.
pub async fn replace_limits(conn: &mut PgConnection, key: KeyId, limits: &[KeyLimit]) -> sqlx::Result<()> {
    sqlx::query!(
        "with new as (
           select * from jsonb_to_recordset($2) as t (name text, max_calls bigint, window_seconds integer, zone text, unit text, over text, kind text, refill bigint)
         ), gone as (
           delete from key_limits where key_id = $1 and name not in (select name from new)
         )
         insert into key_limits (key_id, name, max_calls, window_seconds, zone, unit, over, kind, refill)
         select $1, name, max_calls, window_seconds, zone, unit, over, kind, refill from new
         on conflict (key_id, name) do update set max_calls = excluded.max_calls, window_seconds = excluded.window_seconds,
           zone = excluded.zone, unit = excluded.unit, over = excluded.over, kind = excluded.kind, refill = excluded.refill",
        key.uuid(),
        stored_limits(limits),
    )
    .execute(conn)
    .await?;
    Ok(())
}
