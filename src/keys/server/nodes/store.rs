//! The SQL of the nodes. Time is always that of the database, so that machines need not agree on it.

use super::{Members, members::Member};
use crate::{
    platform::clock::steady_millis,
    values::{AccountId, ApiId, KeyId, NodeId},
};
use sqlx::{PgExecutor, PgPool};

/// Tells the nodes of changed keys, of `apis`, or of each other (`nodes`).
pub const CHANGED: &str = "keys_changed";
/// Tells how far a node is: its id and its snapshot.
pub const CONFIRMED: &str = "keys_confirmed";

/// Asks the nodes that gave these places to free them: ids of holds, with a space between.
pub const RELEASED: &str = "places_released";

/// A node on its way in, or on its way back.
pub struct Joining<'a> {
    pub id: NodeId,
    pub name: &'a str,
    pub stops_after: u64,
    pub keys: usize,
    /// How far its key table is.
    pub seen: &'a str,
}

/// Makes the node known, as one that counts by lease, and wakes the others; not while another decides that it is alone. Returns the transaction that they must have seen.
pub async fn join(db: impl PgExecutor<'_>, node: &Joining<'_>) -> sqlx::Result<u64> {
    let transaction = sqlx::query_scalar!(
        r#"with alone as materialized (select pg_advisory_xact_lock(hashtext('tollgate.nodes'))),
             woken as materialized (select pg_notify('keys_changed', 'nodes') from alone)
           insert into nodes (id, name, version, started_at, beat_at, stops_after, keys, seen)
           select $1, $2, $3, clock_timestamp(), clock_timestamp(), $4, $5, $6::text::pg_snapshot from woken
           on conflict (id) do update set beat_at = excluded.beat_at, keys = excluded.keys, seen = excluded.seen, counts_alone = false
           returning pg_current_xact_id()::text::bigint as "transaction!""#,
        node.id.uuid(),
        node.name,
        env!("CARGO_PKG_VERSION"),
        i32::try_from(node.stops_after).unwrap_or(i32::MAX),
        i64::try_from(node.keys).unwrap_or(0),
        node.seen,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(transaction).unwrap_or(0))
}

/// The node lives, has read so far, and counts alone or not. False if its row is gone.
pub async fn beat(db: impl PgExecutor<'_>, id: NodeId, keys: usize, seen: &str, counts_alone: bool) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update nodes set beat_at = clock_timestamp(), keys = $2, seen = $3::text::pg_snapshot, counts_alone = $4 where id = $1",
        id.uuid(),
        i64::try_from(keys).unwrap_or(0),
        seen,
        counts_alone,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Tells the other nodes how far this one is. A snapshot that a notification can't hold they read from the table, within a second.
pub async fn tell(db: impl PgExecutor<'_>, id: NodeId, seen: &str) -> sqlx::Result<()> {
    let payload = format!("{id} {seen}");
    if payload.len() < 8_000 {
        sqlx::query!("select pg_notify($1, $2)", CONFIRMED, payload).execute(db).await?;
    }
    Ok(())
}

/// Sends holds that were given back here to the nodes that gave them.
pub async fn tell_released(db: impl PgExecutor<'_>, holds: &str) -> sqlx::Result<()> {
    sqlx::query!("select pg_notify($1, $2)", RELEASED, holds).execute(db).await?;
    Ok(())
}

/// Every node.
pub async fn list(db: impl PgExecutor<'_>) -> sqlx::Result<Members> {
    let read_at = steady_millis();
    let rows = sqlx::query!(
        r#"select id, name, version, started_at, keys, stops_after, counts_alone, seen::text as "seen!",
             (extract(epoch from clock_timestamp() - beat_at) * 1000)::bigint as "silent!"
           from nodes order by started_at, id"#
    )
    .fetch_all(db)
    .await?;
    let list = rows.into_iter().map(|r| Member {
        id: NodeId::new(r.id),
        name: r.name.into(),
        version: r.version.into(),
        started_at: r.started_at,
        keys: u64::try_from(r.keys).unwrap_or(0),
        stops_after: u64::try_from(r.stops_after).unwrap_or(0),
        counts_alone: r.counts_alone,
        silent: u64::try_from(r.silent).unwrap_or(0),
        seen: r.seen.parse().unwrap_or_default(),
    });
    Ok(Members { list: list.collect(), read_at })
}

/// These are no nodes any more: they have ended.
pub async fn delete(db: impl PgExecutor<'_>, ids: &[NodeId]) -> sqlx::Result<()> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!("with gone as (delete from nodes where id = any($1) returning id) select pg_notify('keys_changed', 'nodes') from gone", &ids)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets nodes that must have stopped more than an hour ago, and removed keys that everybody who counts has read of.
pub async fn forget_old(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from nodes where beat_at < clock_timestamp() - make_interval(secs => stops_after) - interval '1 hour'").execute(db).await?;
    sqlx::query!("delete from removed_keys where removed_at < clock_timestamp() - interval '1 hour 10 minutes'").execute(db).await?;
    Ok(())
}

/// The transaction that last changed one of these keys. One that is not in this database's past (keys restored from a dump keep
/// their numbers) changed nothing here.
pub async fn last_change(db: &PgPool, keys: &[KeyId]) -> sqlx::Result<Option<u64>> {
    let keys: Vec<_> = keys.iter().map(|key| key.uuid()).collect();
    let last = sqlx::query_scalar!(
        r#"select changed_in::text::bigint as "changed_in!" from keys
           where id = any($1) and changed_in < pg_snapshot_xmax(pg_current_snapshot()) order by changed_in desc limit 1"#,
        &keys,
    )
    .fetch_optional(db)
    .await?;
    Ok(last.and_then(|n| u64::try_from(n).ok()))
}

/// The transaction that last changed a block or a rule that makes them.
pub async fn last_block_change(db: &PgPool) -> sqlx::Result<Option<u64>> {
    let last = sqlx::query_scalar!(
        r#"select changed_in::text::bigint as "changed_in!"
           from (select changed_in from blocks union all select changed_in from block_rules union all select changed_in from block_exemptions) b
           where changed_in < pg_snapshot_xmax(pg_current_snapshot()) order by b.changed_in desc limit 1"#
    )
    .fetch_optional(db)
    .await?;
    Ok(last.and_then(|n| u64::try_from(n).ok()))
}

/// The transaction that last changed what these bundles give, or the limits of these plans, workspaces or APIs.
pub async fn last_holder_change(db: &PgPool, holders: &[uuid::Uuid]) -> sqlx::Result<Option<u64>> {
    let last = sqlx::query_scalar!(
        r#"select changed_in::text::bigint as "changed_in!" from limit_changes
           where holder = any($1) and changed_in < pg_snapshot_xmax(pg_current_snapshot()) order by changed_in desc limit 1"#,
        holders,
    )
    .fetch_optional(db)
    .await?;
    Ok(last.and_then(|n| u64::try_from(n).ok()))
}

/// The transaction that last changed this API or its routes.
pub async fn last_api_change(db: &PgPool, api: ApiId) -> sqlx::Result<Option<u64>> {
    let last = sqlx::query_scalar!(
        r#"select changed_in::text::bigint as "changed_in!" from apis where id = $1 and changed_in < pg_snapshot_xmax(pg_current_snapshot())"#,
        api.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(last.and_then(|n| u64::try_from(n).ok()))
}

/// The keys of the own workspaces of these accounts.
pub async fn keys_of_accounts(db: &PgPool, accounts: &[AccountId]) -> sqlx::Result<Vec<KeyId>> {
    let accounts: Vec<uuid::Uuid> = accounts.iter().map(|id| id.uuid()).collect();
    let keys = sqlx::query_scalar!("select k.id from keys k join workspaces w on w.id = k.workspace_id where w.personal_of = any($1)", &accounts);
    Ok(keys.fetch_all(db).await?.into_iter().map(KeyId::new).collect())
}
