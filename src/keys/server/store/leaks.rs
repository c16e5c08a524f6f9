//! Leaked keys: whose secret was found where, who may report it, and what workspaces want done.

use crate::values::{AccountId, KeyId, SecretId, WorkspaceId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A key of somebody who may report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerRow {
    pub identifier: String,
    /// PEM.
    pub public_key: String,
    pub is_current: bool,
}

pub async fn list_signers(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<SignerRow>> {
    sqlx::query_as!(SignerRow, "select identifier, public_key, is_current from leak_signers order by identifier").fetch_all(db).await
}

/// These and no others.
pub async fn replace_signers(conn: &mut PgConnection, signers: &[SignerRow], now: OffsetDateTime) -> sqlx::Result<()> {
    let identifiers: Vec<String> = signers.iter().map(|s| s.identifier.clone()).collect();
    let keys: Vec<String> = signers.iter().map(|s| s.public_key.clone()).collect();
    let current: Vec<bool> = signers.iter().map(|s| s.is_current).collect();
    sqlx::query!("delete from leak_signers").execute(&mut *conn).await?;
    sqlx::query!(
        "insert into leak_signers (identifier, public_key, is_current, set_at) select i, k, c, $4 from unnest($1::text[], $2::text[], $3::boolean[]) as t (i, k, c)",
        &identifiers,
        &keys,
        &current,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A secret that somebody holds who should not.
#[derive(Debug, Clone)]
pub struct HeldRow {
    pub hash: Vec<u8>,
    pub key_id: Uuid,
    pub secret_id: Uuid,
    pub start: String,
    /// Neither ended by a rotation nor of a revoked key: it still says who one is.
    pub is_accepted: bool,
}

/// Those of the hashes that belong to keys here.
pub async fn list_held(db: &PgPool, hashes: &[Vec<u8>], now: OffsetDateTime) -> sqlx::Result<Vec<HeldRow>> {
    sqlx::query_as!(
        HeldRow,
        r#"select s.hash, s.key_id, s.id as secret_id, s.start, k.state <> 'revoked' and (s.expires_at is null or s.expires_at > $2) as "is_accepted!"
           from key_secrets s join keys k on k.id = s.key_id where s.hash = any($1)"#,
        hashes,
        now,
    )
    .fetch_all(db)
    .await
}

/// The secret that a key has without an end, and its start.
pub async fn find_newest(conn: &mut PgConnection, key: KeyId) -> sqlx::Result<Option<(SecretId, String)>> {
    let row = sqlx::query!("select id, start from key_secrets where key_id = $1 order by expires_at desc, created_at desc, id desc limit 1", key.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|r| (SecretId::new(r.id), r.start)))
}

/// A place on its way in.
pub struct NewLeak<'a> {
    pub id: Uuid,
    pub key: KeyId,
    pub secret: SecretId,
    /// SHA-256 of the url.
    pub place: [u8; 32],
    pub url: &'a str,
    pub source: &'a str,
    /// None: secret scanning, or the command line.
    pub reporter: Option<AccountId>,
    pub reported_by: &'a str,
    /// One that was cleared counts again.
    pub reopens: bool,
}

/// False if this place of this secret is known, or the secret is gone.
pub async fn insert_leak(conn: &mut PgConnection, leak: &NewLeak<'_>, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into key_leaks as l (id, key_id, secret_id, place, url, source, reported_by, at, reporter_id)
         select $1::uuid, s.key_id, s.id, $4::bytea, $5::text, $6::text, $7::text, $8::timestamptz, $10::uuid
         from key_secrets s where s.id = $3 and s.key_id = $2
         on conflict (secret_id, place) do update
           set cleared_at = null, reported_by = excluded.reported_by, reporter_id = excluded.reporter_id, source = excluded.source, at = excluded.at
         where $9::boolean and l.cleared_at is not null",
        leak.id,
        leak.key.uuid(),
        leak.secret.uuid(),
        &leak.place[..],
        leak.url,
        leak.source,
        leak.reported_by,
        now,
        leak.reopens,
        leak.reporter.map(AccountId::uuid),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether this secret was found somewhere, which nobody said means no harm.
pub async fn is_leaked(conn: &mut PgConnection, secret: SecretId) -> sqlx::Result<bool> {
    let is_leaked = sqlx::query_scalar!(r#"select exists (select from key_leaks where secret_id = $1 and cleared_at is null) as "is_leaked!""#, secret.uuid());
    is_leaked.fetch_one(conn).await
}

/// Where a secret was found.
#[derive(Debug, Clone)]
pub struct LeakRow {
    pub start: String,
    pub url: String,
    pub source: String,
    pub reported_by: String,
    pub at: OffsetDateTime,
}

/// Where secrets of the key that are still accepted were found, the newest first; without what was cleared.
pub async fn list_open(db: impl PgExecutor<'_>, key: KeyId, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<LeakRow>> {
    sqlx::query_as!(
        LeakRow,
        "select s.start, l.url, l.source, l.reported_by, l.at from key_leaks l join key_secrets s on s.id = l.secret_id
         where l.key_id = $1 and l.cleared_at is null and (s.expires_at is null or s.expires_at > $2) order by l.at desc, l.id desc limit $3",
        key.uuid(),
        now,
        most,
    )
    .fetch_all(db)
    .await
}

/// How many places were cleared.
pub async fn clear_leaks(conn: &mut PgConnection, key: KeyId, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!("update key_leaks set cleared_at = $2 where key_id = $1 and cleared_at is null", key.uuid(), now).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Whether the workspace wants leaked keys disabled.
pub async fn find_choice(db: impl PgExecutor<'_>, workspace: WorkspaceId) -> sqlx::Result<bool> {
    let disables = sqlx::query_scalar!("select disables from leak_choices where workspace_id = $1", workspace.uuid()).fetch_optional(db).await?;
    Ok(disables.unwrap_or(false))
}

pub async fn upsert_choice(conn: &mut PgConnection, workspace: WorkspaceId, disables: bool, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into leak_choices (workspace_id, disables, updated_at) values ($1, $2, $3)
         on conflict (workspace_id) do update set disables = excluded.disables, updated_at = excluded.updated_at",
        workspace.uuid(),
        disables,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who is told of a leaked key, and what of it.
#[derive(Debug)]
pub struct OwnerRow {
    pub email: String,
    pub name: String,
    pub time_zone: String,
    /// The tag of a `Language`.
    pub language: String,
    pub key_name: String,
    pub is_disabled: bool,
}

/// The owner of the key's workspace, unless they may not come in (any more), or the key is revoked.
pub async fn find_owner(db: &PgPool, key: KeyId) -> sqlx::Result<Option<OwnerRow>> {
    sqlx::query_as!(
        OwnerRow,
        r#"select a.email, a.name, a.time_zone, a.language, k.name as key_name, k.state = 'disabled' as "is_disabled!"
           from keys k join workspaces w on w.id = k.workspace_id join accounts a on a.id = w.personal_of
           where k.id = $1 and k.state <> 'revoked' and a.verified_at is not null and not exists (select from account_disablements d where d.account_id = a.id)"#,
        key.uuid(),
    )
    .fetch_optional(db)
    .await
}
