//! How calls of keys must be signed, and the nonces that were used.

use crate::{
    keys::{model::Algorithm, server::signing::Used},
    values::KeyId,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;

pub struct SigningRow {
    pub algorithm: String,
    pub public_key: Option<Vec<u8>>,
    pub sealed_secret: Option<Vec<u8>>,
    pub fingerprint: Vec<u8>,
    pub created_at: OffsetDateTime,
}

pub async fn find_signing(db: impl PgExecutor<'_>, key: KeyId) -> sqlx::Result<Option<SigningRow>> {
    sqlx::query_as!(SigningRow, "select algorithm, public_key, sealed_secret, fingerprint, created_at from key_signings where key_id = $1", key.uuid())
        .fetch_optional(db)
        .await
}

/// On its way in.
pub struct NewRow<'a> {
    pub algorithm: Algorithm,
    pub public_key: Option<&'a [u8]>,
    pub sealed_secret: Option<&'a [u8]>,
    pub fingerprint: &'a [u8],
}

/// In the place of what was there.
pub async fn put_signing(conn: &mut PgConnection, key: KeyId, row: &NewRow<'_>, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into key_signings (key_id, algorithm, public_key, sealed_secret, fingerprint, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (key_id) do update set algorithm = excluded.algorithm, public_key = excluded.public_key, sealed_secret = excluded.sealed_secret,
           fingerprint = excluded.fingerprint, created_at = excluded.created_at",
        key.uuid(),
        row.algorithm.as_str(),
        row.public_key,
        row.sealed_secret,
        row.fingerprint,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False if there was none.
pub async fn delete_signing(conn: &mut PgConnection, key: KeyId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from key_signings where key_id = $1", key.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// True for who writes this nonce of this key first, on whichever node.
pub async fn insert_nonce(db: &PgPool, key: KeyId, nonce: &[u8], until: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("insert into signing_nonces (key_id, nonce, expires_at) values ($1, $2, $3) on conflict do nothing", key.uuid(), nonce, until)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Nonces that were accepted before they could be written.
pub async fn insert_nonces(db: &PgPool, used: &[Used]) -> sqlx::Result<()> {
    let keys: Vec<uuid::Uuid> = used.iter().map(|used| used.key.uuid()).collect();
    let nonces: Vec<Vec<u8>> = used.iter().map(|used| used.nonce.to_vec()).collect();
    let until: Vec<OffsetDateTime> = used.iter().map(|used| used.until).collect();
    sqlx::query!(
        "insert into signing_nonces (key_id, nonce, expires_at) select * from unnest($1::uuid[], $2::bytea[], $3::timestamptz[]) on conflict do nothing",
        &keys,
        &nonces,
        &until,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn delete_nonces(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from signing_nonces where expires_at < $1", now).execute(db).await?.rows_affected())
}
