//! The SQL of the gate: reading keys into the table, and what they used of their windows. It writes nothing.

mod copied;
mod levels;
mod loading;
mod reading;

pub use levels::read_held;
pub use loading::load_keys;

use super::{ApiFacts, Gate, apis::Apis, routing::Rules, sync::within};
use crate::{
    keys::model::{ApiRoute, Taken, Unmatched},
    values::{ApiId, KeyId},
};
use futures_util::TryStreamExt;
use reading::Reading;
use sqlx::{PgConnection, PgExecutor};
use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// What happened since a snapshot.
pub struct News {
    /// The snapshot of now.
    pub seen: String,
    /// Keys that are gone since.
    pub removed: Vec<KeyId>,
    /// An API or a route of one is another.
    pub apis_changed: bool,
    /// Plans, groups, workspaces and APIs whose limits changed since, and bundles that give something else.
    pub holders: Vec<Uuid>,
    /// A block, or a rule that makes them, is another.
    pub blocks_changed: bool,
}

/// Takes a snapshot, and says what was not so in `before`.
pub async fn look(db: impl PgExecutor<'_>, before: Option<&str>) -> sqlx::Result<News> {
    let row = sqlx::query!(
        r#"select pg_current_snapshot()::text as "seen!",
             array(select key_id from removed_keys where $1::text is not null and not pg_visible_in_snapshot(removed_in, $1::text::pg_snapshot)) as "removed!",
             exists (
               select from apis
               where $1::text is not null and changed_in < pg_snapshot_xmax(pg_current_snapshot()) and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "apis_changed!",
             array(
               select holder from limit_changes
               where $1::text is not null and changed_in >= pg_snapshot_xmin($1::text::pg_snapshot) and changed_in < pg_snapshot_xmax(pg_current_snapshot())
                 and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "holders!",
             exists (
               select from (select changed_in from blocks union all select changed_in from block_rules union all select changed_in from block_exemptions) b
               where $1::text is not null and changed_in >= pg_snapshot_xmin($1::text::pg_snapshot) and changed_in < pg_snapshot_xmax(pg_current_snapshot())
                 and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "blocks_changed!""#,
        before,
    )
    .fetch_one(db)
    .await?;
    let removed = row.removed.into_iter().map(KeyId::new).collect();
    Ok(News { seen: row.seen, removed, apis_changed: row.apis_changed, holders: row.holders, blocks_changed: row.blocks_changed })
}

/// Every API with its routes.
pub async fn load_apis(gate: &Gate, conn: &mut PgConnection) -> sqlx::Result<()> {
    let rows =
        sqlx::query!(r#"select id, slug, unmatched as "unmatched: Unmatched", answers_preflights, sample_one_in from apis"#).fetch_all(&mut *conn).await?;
    let mut routes: HashMap<Uuid, Vec<ApiRoute>> = HashMap::new();
    for row in sqlx::query!("select api_id, method, pattern, permission, cost, is_counted from api_routes").fetch_all(conn).await? {
        routes.entry(row.api_id).or_default().push(ApiRoute {
            method: row.method,
            pattern: row.pattern,
            permission: row.permission.and_then(|p| p.parse().ok()),
            cost: u32::try_from(row.cost).unwrap_or(1),
            is_counted: row.is_counted,
            description: String::new(),
        });
    }
    let apis = rows.into_iter().map(|row| {
        let rules = Rules::new(&routes.remove(&row.id).unwrap_or_default(), row.unmatched);
        let sample_one_in = u32::try_from(row.sample_one_in).ok().and_then(NonZeroU32::new);
        (ApiFacts { id: ApiId::new(row.id), slug: row.slug.into(), answers_preflights: row.answers_preflights, sample_one_in }, rules)
    });
    gate.apis.store(Arc::new(Apis::new(apis)));
    Ok(())
}

/// Which keys to read.
pub enum Which<'a> {
    /// One that is made or changed meanwhile may be missed: whoever follows sees it in the next look.
    All,
    These(&'a [KeyId]),
    /// Those that a transaction changed which this snapshot does not include.
    /// Between two rows it waits no longer than this.
    NotIn(&'a str, Duration),
    /// Those of these workspaces, and those that hold these bundles. Waits as long.
    HeldBy(&'a [Uuid], Duration),
}

/// A whole table may take its time to begin.
const LONG: Duration = Duration::from_secs(30);
/// How many keys one statement reads: one for a million would take longer than a statement may.
const CHUNK: usize = 20_000;
/// Reads keys with everything the gate needs of them and puts each into the table. Answers which they are.
pub async fn read_keys(gate: &Gate, conn: &mut PgConnection, which: Which<'_>) -> sqlx::Result<HashSet<KeyId>> {
    let (patience, is_open) = match &which {
        Which::All => (LONG, true),
        Which::These(_) => (LONG, false),
        Which::NotIn(_, patience) | Which::HeldBy(_, patience) => (*patience, true),
    };
    let mut ids = list_ids(&mut *conn, which, patience).await?;
    ids.sort_unstable(); // neighbours lie together in the indexes too
    let mut reading = Reading::new(gate, patience, is_open, ids.len());
    for chunk in ids.chunks(CHUNK) {
        reading.read(&mut *conn, chunk).await?;
    }
    Ok(reading.done())
}

async fn list_ids(conn: &mut PgConnection, which: Which<'_>, patience: Duration) -> sqlx::Result<Vec<Uuid>> {
    let mut rows = match which {
        Which::These(keys) => return Ok(keys.iter().map(|key| key.uuid()).collect()),
        Which::All => sqlx::query_scalar!("select id from keys").fetch(conn),
        Which::NotIn(seen, _) => sqlx::query_scalar!(
            "select id from keys
             where changed_in >= pg_snapshot_xmin($1::text::pg_snapshot) and changed_in < pg_snapshot_xmax(pg_current_snapshot())
               and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)",
            seen,
        )
        .fetch(conn),
        Which::HeldBy(holders, _) => sqlx::query_scalar!(
            r#"select id as "id!" from keys where workspace_id = any($1) union select key_id from key_bundles where bundle_id = any($1)"#,
            holders,
        )
        .fetch(conn),
    };
    let mut ids = Vec::new();
    while let Some(id) = within(patience, rows.try_next()).await? {
        ids.push(id);
    }
    Ok(ids)
}

/// A statement of a start may take its time, until its transaction ends.
pub async fn take_time(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("set local statement_timeout = 0").execute(conn).await.map(|_| ())
}

/// Seconds.
const QUARTER: i64 = 900;
const DAY: i64 = 86_400;

/// What a key used.
struct Used {
    key: Uuid,
    units: i64,
    calls: i64,
}

/// The first moment from then on that is a multiple of so many seconds.
fn rounded_up(at: OffsetDateTime, seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp((at.unix_timestamp() + seconds - 1).div_euclid(seconds) * seconds).unwrap_or(at)
}

/// Shows what passed since then, in units and in calls, by key: from days of UTC, before the first of them from quarters of an hour, and before
/// the first of these from minutes, the one that it lies in taken whole; from before `minutes_since`, of which no minutes are kept, the
/// quarter of an hour that it lies in. Of these keys, or of all.
pub async fn each_used(
    conn: &mut PgConnection,
    since: OffsetDateTime,
    minutes_since: OffsetDateTime,
    keys: Option<&[Uuid]>,
    mut show: impl FnMut(KeyId, Taken),
) -> sqlx::Result<()> {
    let (all, keys) = (keys.is_none(), keys.unwrap_or_default());
    let since = if since < minutes_since { since - time::Duration::seconds(since.unix_timestamp().rem_euclid(QUARTER)) } else { since };
    let mut rows = match since.unix_timestamp() {
        at if at % DAY == 0 => sqlx::query_as!(
            Used,
            r#"select key_id as "key!", sum(cost)::bigint as "units!", sum(taken('calls', count, cost))::bigint as "calls!" from usage_by_day($3, 'infinity')
               where ($1 or key_id = any($2)) and outcome = 'VALID' and day >= $3 group by key_id"#,
            all,
            keys,
            since,
        )
        .fetch(conn),
        at if at % QUARTER == 0 => sqlx::query_as!(
            Used,
            r#"select key_id as "key!", sum(part)::bigint as "units!", sum(calls)::bigint as "calls!" from (
                 select key_id, coalesce(cost, count) as part, taken('calls', count, cost) as calls from usage_quarters
                 where ($1 or key_id = any($2)) and outcome = 'VALID' and quarter >= $3 and quarter < $4
                 union all
                 select key_id, cost, taken('calls', count, cost) from usage_by_day($4, 'infinity') where ($1 or key_id = any($2)) and outcome = 'VALID' and day >= $4
               ) parts group by key_id"#,
            all,
            keys,
            since,
            rounded_up(since, DAY),
        )
        .fetch(conn),
        _ => sqlx::query_as!(
            Used,
            r#"select key_id as "key!", sum(part)::bigint as "units!", sum(calls)::bigint as "calls!" from (
                 select key_id, coalesce(cost, count) as part, taken('calls', count, cost) as calls from usage_minutes
                 where ($1 or key_id = any($2)) and outcome = 'VALID' and minute > $3::timestamptz - interval '1 minute' and minute < $4
                 union all
                 select key_id, coalesce(cost, count), taken('calls', count, cost) from usage_quarters
                 where ($1 or key_id = any($2)) and outcome = 'VALID' and quarter >= $4 and quarter < $5
                 union all
                 select key_id, cost, taken('calls', count, cost) from usage_by_day($5, 'infinity') where ($1 or key_id = any($2)) and outcome = 'VALID' and day >= $5
               ) parts group by key_id"#,
            all,
            keys,
            since,
            rounded_up(since, QUARTER),
            rounded_up(since, DAY),
        )
        .fetch(conn),
    };
    while let Some(used) = rows.try_next().await? {
        let whole = |n: i64| u64::try_from(n).unwrap_or(0);
        show(KeyId::new(used.key), Taken { units: whole(used.units), calls: whole(used.calls) });
    }
    Ok(())
}
