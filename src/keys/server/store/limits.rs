//! The limits of keys.

use crate::{keys::model::KeyLimit, values::KeyId};
use sqlx::PgConnection;
use uuid::Uuid;

/// The limits of these keys, by name.
pub async fn limits_of(conn: &mut PgConnection, keys: &[KeyId]) -> sqlx::Result<Vec<(KeyId, KeyLimit)>> {
    let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!("select key_id, name, max_calls, window_seconds from key_limits where key_id = any($1) order by key_id, name", &ids)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let limit = KeyLimit { name: r.name, limit: u64::try_from(r.max_calls).unwrap_or(0), window: u32::try_from(r.window_seconds).unwrap_or(1) };
            (KeyId::new(r.key_id), limit)
        })
        .collect())
}

/// The limits of a key become these.
pub async fn replace_limits(conn: &mut PgConnection, key: KeyId, limits: &[KeyLimit]) -> sqlx::Result<()> {
    let names: Vec<String> = limits.iter().map(|l| l.name.clone()).collect();
    let calls: Vec<i64> = limits.iter().map(|l| i64::try_from(l.limit).unwrap_or(i64::MAX)).collect();
    let windows: Vec<i32> = limits.iter().map(|l| i32::try_from(l.window).unwrap_or(i32::MAX)).collect();
    sqlx::query!("delete from key_limits where key_id = $1 and name <> all($2)", key.uuid(), &names).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into key_limits (key_id, name, max_calls, window_seconds)
         select $1, n, c, w from unnest($2::text[], $3::bigint[], $4::integer[]) as t (n, c, w)
         on conflict (key_id, name) do update set max_calls = excluded.max_calls, window_seconds = excluded.window_seconds",
        key.uuid(),
        &names,
        &calls,
        &windows,
    )
    .execute(conn)
    .await?;
    Ok(())
}
