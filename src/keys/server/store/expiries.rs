//! Keys that have expired and old secrets that have ended, as far as the history does not tell of it yet.

use crate::values::KeyId;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Keys of which something is to be told, at most so many; of old secrets also revoked ones, which are looked at once more and never again.
pub async fn list_due(conn: &mut PgConnection, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<KeyId>> {
    let ids = sqlx::query_scalar!(
        r#"select id as "id!" from (
             (select id from keys where expires_at <= $1 and state <> 'revoked' and expiry_noted is distinct from expires_at order by expires_at limit $2)
             union
             (select key_id from key_secrets where expires_at <= $1 and not end_noted order by expires_at limit $2)
           ) due order by id limit $2"#,
        now,
        most,
    );
    Ok(ids.fetch_all(conn).await?.into_iter().map(KeyId::new).collect())
}

/// Until the end of the transaction nobody else looks; false: somebody does.
pub async fn lock_looking(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext('tollgate.note_expiries')) as "is_first!""#).fetch_one(conn).await
}

/// Those of the keys that nobody is changing, locked: who holds many keys waits for none.
pub async fn lock_free(conn: &mut PgConnection, keys: &[KeyId]) -> sqlx::Result<Vec<KeyId>> {
    let ids: Vec<uuid::Uuid> = keys.iter().map(|key| key.uuid()).collect();
    let locked = sqlx::query_scalar!("select id from keys where id = any($1) order by id for update skip locked", &ids).fetch_all(conn).await?;
    Ok(locked.into_iter().map(KeyId::new).collect())
}

/// Marks the expiry of a key as told; when it was, if it is news.
pub async fn mark_expiry(conn: &mut PgConnection, key: KeyId, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        r#"update keys set expiry_noted = expires_at where id = $1 and expires_at <= $2 and expiry_noted is distinct from expires_at
           returning expires_at as "expires_at!""#,
        key.uuid(),
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Marks old secrets of a key that have ended as told; the starts of those that are news.
pub async fn mark_ended_secrets(conn: &mut PgConnection, key: KeyId, now: OffsetDateTime) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("update key_secrets set end_noted = true where key_id = $1 and expires_at <= $2 and not end_noted returning start", key.uuid(), now,)
        .fetch_all(conn)
        .await
}
