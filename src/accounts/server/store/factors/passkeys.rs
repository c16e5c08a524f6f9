//! Passkeys, and what authenticators call their accounts.

use crate::values::{AccountId, PasskeyId};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewPasskey<'a> {
    pub id: PasskeyId,
    pub account: AccountId,
    pub credential_id: &'a [u8],
    pub credential: &'a Value,
    pub aaguid: Uuid,
    pub name: &'a str,
    pub is_synced: bool,
    pub now: OffsetDateTime,
}

/// One to compare an answer with.
#[derive(Debug, Clone)]
pub struct Found {
    pub id: PasskeyId,
    pub account: AccountId,
    /// What its authenticator calls the account.
    pub handle: Uuid,
    pub credential: Value,
}

/// One for lists.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: PasskeyId,
    pub name: String,
    pub is_synced: bool,
    pub created_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
}

/// What authenticators call this account: as before, or this.
pub async fn find_or_insert_handle(conn: &mut PgConnection, account: AccountId, new: Uuid) -> sqlx::Result<Uuid> {
    sqlx::query!("insert into passkey_users (account_id, handle) values ($1, $2) on conflict (account_id) do nothing", account.uuid(), new)
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar!("select handle from passkey_users where account_id = $1", account.uuid()).fetch_one(conn).await
}

/// False: there is one of this credential already, of whomever.
pub async fn insert_passkey(conn: &mut PgConnection, new: NewPasskey<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into passkeys (id, account_id, credential_id, credential, aaguid, name, is_synced, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (credential_id) do nothing",
        new.id.uuid(),
        new.account.uuid(),
        new.credential_id,
        new.credential,
        new.aaguid,
        new.name,
        new.is_synced,
        new.now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn find_by_credential(db: impl PgExecutor<'_>, credential_id: &[u8]) -> sqlx::Result<Option<Found>> {
    let row = sqlx::query!(
        "select p.id, p.account_id, u.handle, p.credential from passkeys p join passkey_users u on u.account_id = p.account_id
         where p.credential_id = $1",
        credential_id,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Found { id: PasskeyId::new(r.id), account: AccountId::new(r.account_id), handle: r.handle, credential: r.credential }))
}

/// True if it belongs to an account, but to the one at this address that nobody proved: whoever signs up there again overwrites it (R57).
pub async fn is_taken(db: impl PgExecutor<'_>, credential_id: &[u8], email_key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
             select from passkeys p join accounts a on a.id = p.account_id
             where p.credential_id = $1 and (a.email_key <> $2 or a.verified_at is not null)
           ) as "taken!""#,
        credential_id,
        email_key,
    )
    .fetch_one(db)
    .await
}

/// The oldest first.
pub async fn list_passkeys(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<Line>> {
    let rows = sqlx::query!("select id, name, is_synced, created_at, last_used_at from passkeys where account_id = $1 order by created_at, id", account.uuid())
        .fetch_all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|r| Line { id: PasskeyId::new(r.id), name: r.name, is_synced: r.is_synced, created_at: r.created_at, last_used_at: r.last_used_at })
        .collect())
}

/// The ids by which authenticators find them.
pub async fn list_credential_ids(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar!("select credential_id from passkeys where account_id = $1 order by created_at, id", account.uuid()).fetch_all(db).await
}

pub async fn count_passkeys(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "n!" from passkeys where account_id = $1"#, account.uuid()).fetch_one(db).await
}

/// It proved itself: its counter and flags are those of this answer. False: it is not any more what the answer was compared with (`before`),
/// or it is gone. Of several answers at once that move the counter, one does.
pub async fn update_used(
    conn: &mut PgConnection,
    id: PasskeyId,
    before: &Value,
    credential: &Value,
    is_synced: bool,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update passkeys set credential = $3, is_synced = $4, last_used_at = $5 where id = $1 and credential = $2",
        id.uuid(),
        before,
        credential,
        is_synced,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False: there is none, or it has this name already.
pub async fn update_name(conn: &mut PgConnection, account: AccountId, id: PasskeyId, name: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!("update passkeys set name = $3 where id = $2 and account_id = $1 and name <> $3", account.uuid(), id.uuid(), name);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

pub async fn is_of_account(db: impl PgExecutor<'_>, account: AccountId, id: PasskeyId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from passkeys where id = $2 and account_id = $1) as "is!""#, account.uuid(), id.uuid()).fetch_one(db).await
}

/// False: there is none.
pub async fn delete_passkey(conn: &mut PgConnection, account: AccountId, id: PasskeyId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from passkeys where id = $2 and account_id = $1", account.uuid(), id.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// All of an account that were added since then; true if there was one.
pub async fn delete_passkeys_since(conn: &mut PgConnection, account: AccountId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from passkeys where account_id = $1 and created_at >= $2", account.uuid(), since).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// All of an account, and what authenticators called it; true if there was one.
pub async fn delete_passkeys(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from passkeys where account_id = $1", account.uuid()).execute(&mut *conn).await?;
    sqlx::query!("delete from passkey_users where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}
