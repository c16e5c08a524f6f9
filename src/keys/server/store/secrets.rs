//! The secrets of keys: hashes, the start that people recognise, and, read from the usage feature's table, who used them last.

use crate::values::{KeyId, SecretId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A secret of a key, without the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSecret {
    pub id: Uuid,
    pub start: String,
    pub created_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
    pub until_first_use: bool,
    pub last_used_at: Option<OffsetDateTime>,
    pub address: Option<String>,
    pub route: Option<String>,
}

/// The secrets that are still accepted; the one without an end, which is the newest, first.
pub async fn list_secrets(db: &PgPool, key: KeyId, now: OffsetDateTime) -> sqlx::Result<Vec<HeldSecret>> {
    sqlx::query_as!(
        HeldSecret,
        r#"select s.id, s.start, s.created_at, s.expires_at, s.until_first_use, u.last_used_at as "last_used_at?", u.address as "address?", u.route as "route?"
           from key_secrets s left join key_secret_uses u on u.secret_id = s.id
           where s.key_id = $1 and not s.ended and (s.expires_at is null or s.expires_at > $2) order by s.expires_at desc, s.created_at desc, s.id desc"#,
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

/// When the secret of a key with one of these hashes ended, if it did.
pub async fn find_end(conn: &mut PgConnection, key: KeyId, hashes: &[Vec<u8>], now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        r#"select expires_at as "expires_at!" from key_secrets where key_id = $1 and hash = any($2) and (ended or expires_at <= $3) limit 1"#,
        key.uuid(),
        hashes,
        now,
    )
    .fetch_optional(conn)
    .await
}

pub async fn insert_secret(conn: &mut PgConnection, id: SecretId, key: KeyId, hash: &[u8], start: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into key_secrets (id, key_id, hash, start, created_at) values ($1, $2, $3, $4, $5)", id.uuid(), key.uuid(), hash, start, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many secrets of a key that have ended are known.
const ENDED: i64 = 10;

/// Gives the newest secret of the key an end, or lets it live until the next one is used; older ones keep theirs. If `until` is now, all of
/// them end. Those that ended stay known, the last few.
pub async fn end_secrets(conn: &mut PgConnection, key: KeyId, until: OffsetDateTime, until_first_use: bool, now: OffsetDateTime) -> sqlx::Result<()> {
    // A salted one is not found by what a call sends, so there is nothing to know.
    sqlx::query!("delete from key_secrets where key_id = $1 and phc is not null and (expires_at <= $2 or $3 <= $2)", key.uuid(), now, until)
        .execute(&mut *conn)
        .await?;
    if until <= now {
        sqlx::query!(
            "update key_secrets set expires_at = $2, until_first_use = false, ended = true, end_noted = true
             where key_id = $1 and (expires_at is null or expires_at > $2)",
            key.uuid(),
            now,
        )
        .execute(&mut *conn)
        .await?;
    } else {
        sqlx::query!(
            "update key_secrets set expires_at = $2, until_first_use = $3 where key_id = $1 and expires_at is null",
            key.uuid(),
            until,
            until_first_use
        )
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query!(
        "delete from key_secrets where id in (
           select id from key_secrets where key_id = $1 and expires_at <= $2 order by expires_at desc, created_at desc, id desc offset $3)",
        key.uuid(),
        now,
        ENDED,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets secrets that ended before this moment and were told of, so many at most, and none of keys that are being changed; how many they were.
pub async fn delete_ended(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from key_secrets where id in (
           select s.id from key_secrets s join keys k on k.id = s.key_id where s.end_noted and s.expires_at < $1
           order by s.expires_at limit $2 for update of k skip locked)",
        before,
        most,
    );
    Ok(done.execute(db).await?.rows_affected())
}

/// The secrets that have ended and were sent since, those that were sent last first; so many at most.
pub async fn list_missed(db: &PgPool, key: KeyId, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<HeldSecret>> {
    sqlx::query_as!(
        HeldSecret,
        r#"select s.id, s.start, s.created_at, s.expires_at, s.until_first_use,
             u.last_used_at as "last_used_at?", u.address as "address?", u.route as "route?"
           from key_secrets s join key_secret_uses u on u.secret_id = s.id
           where s.key_id = $1 and s.expires_at <= $2 and u.last_used_at > s.expires_at order by u.last_used_at desc, s.id desc limit $3"#,
        key.uuid(),
        now,
        most,
    )
    .fetch_all(db)
    .await
}

/// Moves the end of an old secret that is still accepted; its start, or none if there is no such secret.
pub async fn update_end(
    conn: &mut PgConnection,
    key: KeyId,
    id: SecretId,
    until: OffsetDateTime,
    until_first_use: bool,
    now: OffsetDateTime,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "update key_secrets set expires_at = $3, until_first_use = $4 where key_id = $1 and id = $2 and expires_at > $5 and not ended returning start",
        key.uuid(),
        id.uuid(),
        until,
        until_first_use,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Ends a secret that has an end, so never the only one; its start, or none if there is no such secret, or it has ended.
pub async fn drop_secret(conn: &mut PgConnection, key: KeyId, id: SecretId, now: OffsetDateTime) -> sqlx::Result<Option<String>> {
    let salted = sqlx::query_scalar!(
        "delete from key_secrets where key_id = $1 and id = $2 and expires_at > $3 and phc is not null returning start",
        key.uuid(),
        id.uuid(),
        now,
    );
    if let Some(start) = salted.fetch_optional(&mut *conn).await? {
        return Ok(Some(start));
    }
    sqlx::query_scalar!(
        "update key_secrets set expires_at = $3, until_first_use = false, ended = true, end_noted = true
         where key_id = $1 and id = $2 and expires_at > $3 and not ended returning start",
        key.uuid(),
        id.uuid(),
        now,
    )
    .fetch_optional(conn)
    .await
}

pub async fn is_newest(conn: &mut PgConnection, key: KeyId, id: SecretId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from key_secrets where key_id = $1 and id = $2 and expires_at is null) as "is_newest!""#,
        key.uuid(),
        id.uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Ends the secrets that were to live until this one was used: these, and the others if it is still the newest; their starts.
pub async fn end_replaced(conn: &mut PgConnection, key: KeyId, by: SecretId, these: &[SecretId], now: OffsetDateTime) -> sqlx::Result<Vec<String>> {
    let these: Vec<Uuid> = these.iter().map(|id| id.uuid()).collect();
    let salted = sqlx::query_scalar!(
        "delete from key_secrets where key_id = $1 and until_first_use and expires_at is not null and phc is not null
           and (id = any($3) or exists (select from key_secrets n where n.id = $2 and n.key_id = $1 and n.expires_at is null))
         returning start",
        key.uuid(),
        by.uuid(),
        &these[..],
    );
    let mut starts = salted.fetch_all(&mut *conn).await?;
    let others = sqlx::query_scalar!(
        "update key_secrets set expires_at = least(expires_at, $4), until_first_use = false, ended = true, end_noted = true
         where key_id = $1 and until_first_use and expires_at is not null
           and (id = any($3) or exists (select from key_secrets n where n.id = $2 and n.key_id = $1 and n.expires_at is null))
         returning start",
        key.uuid(),
        by.uuid(),
        &these[..],
        now,
    );
    starts.extend(others.fetch_all(conn).await?);
    Ok(starts)
}

/// A secret that was made elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Imported<'a> {
    pub id: SecretId,
    pub key: KeyId,
    /// Of a salted one a keyed hash of that.
    pub hash: &'a [u8],
    pub origin: &'a str,
    /// The salted hash.
    pub phc: Option<&'a str>,
    pub start: &'a str,
}

/// False if its hash is here already.
pub async fn insert_imported(conn: &mut PgConnection, new: Imported<'_>, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into key_secrets (id, key_id, hash, origin, start, created_at, phc, salted) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        new.id.uuid(),
        new.key.uuid(),
        new.hash,
        new.origin,
        new.start,
        now,
        new.phc,
        new.phc.map(|_| new.hash),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A salted secret is known by its SHA-256 from here on; false if it is no salted one any more.
pub async fn replace_salted(conn: &mut PgConnection, key: KeyId, id: SecretId, hash: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update key_secrets set hash = $3, origin = 'sha256', phc = null where key_id = $1 and id = $2 and phc is not null",
        key.uuid(),
        id.uuid(),
        hash,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many salted secrets begin so, for each start that any has.
pub async fn count_salted(db: &PgPool, starts: &[String]) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(r#"select start, count(*) as "n!" from key_secrets where phc is not null and start = any($1) group by start"#, starts,);
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.start, row.n)).collect())
}

/// A hash of a secret that was dropped, rotated away or replaced.
pub struct Ended {
    pub hash: Vec<u8>,
    /// Whose it was; none: that is not known any more.
    pub workspace_id: Option<Uuid>,
}

/// Those of them that belonged to a secret which ended, forgotten or not. Only its own workspace and operators may learn that it did.
pub async fn list_ended(db: impl PgExecutor<'_>, hashes: &[Vec<u8>]) -> sqlx::Result<Vec<Ended>> {
    sqlx::query_as!(
        Ended,
        r#"select hash as "hash!", workspace_id as "workspace_id?" from ended_secrets where hash = any($1)
           union select case when s.hash = any($1) then s.hash else s.salted end, k.workspace_id
           from key_secrets s join keys k on k.id = s.key_id where s.ended and (s.hash = any($1) or s.salted = any($1))"#,
        hashes,
    )
    .fetch_all(db)
    .await
}

/// Who has a hash of a secret that did not end; a salted one also after its first use.
pub struct Holder {
    pub hash: Vec<u8>,
    pub key_id: Uuid,
    pub workspace_id: Uuid,
}

pub async fn list_holders(db: &PgPool, hashes: &[Vec<u8>]) -> sqlx::Result<Vec<Holder>> {
    sqlx::query_as!(
        Holder,
        r#"select case when s.hash = any($1) then s.hash else s.salted end as "hash!", s.key_id, k.workspace_id
           from key_secrets s join keys k on k.id = s.key_id where not s.ended and (s.hash = any($1) or s.salted = any($1))"#,
        hashes,
    )
    .fetch_all(db)
    .await
}
