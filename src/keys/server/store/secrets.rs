//! The secrets of keys: hashes, and the start that people recognise.

use crate::values::{KeyId, SecretId};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub struct SecretRow {
    pub id: Uuid,
    pub start: String,
    pub created_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
}

/// The secrets that are still accepted; the one without an end, which is the newest, first.
pub async fn list_secrets(db: &PgPool, key: KeyId, now: OffsetDateTime) -> sqlx::Result<Vec<SecretRow>> {
    sqlx::query_as!(
        SecretRow,
        "select id, start, created_at, expires_at from key_secrets where key_id = $1 and (expires_at is null or expires_at > $2) order by expires_at desc, created_at desc, id desc",
        key.uuid(),
        now,
    )
    .fetch_all(db)
    .await
}

/// Whether a key has this secret, and since when.
pub async fn find_secret(conn: &mut PgConnection, key: KeyId, hash: &[u8]) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select created_at from key_secrets where key_id = $1 and hash = $2", key.uuid(), hash).fetch_optional(conn).await
}

pub async fn insert_secret(conn: &mut PgConnection, id: SecretId, key: KeyId, hash: &[u8], start: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into key_secrets (id, key_id, hash, start, created_at) values ($1, $2, $3, $4, $5)", id.uuid(), key.uuid(), hash, start, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// No secret of the key is accepted after `until`; those that ended already are removed.
pub async fn end_secrets(conn: &mut PgConnection, key: KeyId, until: OffsetDateTime, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from key_secrets where key_id = $1 and (expires_at <= $2 or $3 <= $2)", key.uuid(), now, until).execute(&mut *conn).await?;
    sqlx::query!("update key_secrets set expires_at = $2 where key_id = $1 and (expires_at is null or expires_at > $2)", key.uuid(), until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a secret that has an end, so never the only one; its start, or none if there is no such secret.
pub async fn delete_secret(conn: &mut PgConnection, key: KeyId, id: SecretId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("delete from key_secrets where key_id = $1 and id = $2 and expires_at is not null returning start", key.uuid(), id.uuid())
        .fetch_optional(conn)
        .await
}
