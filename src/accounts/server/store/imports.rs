//! Accounts that another system knew: their rows, and the kinds of hashes that they brought (`salted_hash::kind`).

use crate::values::{AccountId, ImportId, Language};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{Duration, OffsetDateTime};

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct Imported<'a> {
    pub id: AccountId,
    pub email: &'a str,
    pub email_key: &'a str,
    pub name: &'a str,
    pub language: Language,
    pub password_hash: Option<&'a str>,
    pub is_verified: bool,
    pub created_at: OffsetDateTime,
}

/// Whatever account has the address, proven or not, stays as it is. False: there is one.
pub async fn insert_imported(conn: &mut PgConnection, new: Imported<'_>, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into accounts (id, email, email_key, name, password_hash, password_set_at, verified_at, created_at, updated_at, language)
         values ($1, $2, $3, $4, $5, case when $5::text is not null then $8::timestamptz end, case when $6::boolean then $8::timestamptz end, $7, $8, $9)
         on conflict (email_key) do nothing",
        new.id.uuid(),
        new.email,
        new.email_key,
        new.name,
        new.password_hash,
        new.is_verified,
        new.created_at,
        now,
        new.language.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Which of these addresses have an account.
pub async fn list_known(db: &PgPool, email_keys: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("select email_key from accounts where email_key = any($1)", email_keys).fetch_all(db).await
}

/// A sealed list that waits until its operator has looked at it.
pub async fn insert_list(conn: &mut PgConnection, id: ImportId, account: AccountId, sealed: &[u8], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into account_imports (id, account_id, list, created_at) values ($1, $2, $3, $4)", id.uuid(), account.uuid(), sealed, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Leaves the newest ones of an operator.
pub async fn delete_older_lists(conn: &mut PgConnection, account: AccountId, most: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from account_imports where account_id = $1 and id not in (
           select i.id from account_imports i where i.account_id = $1 order by i.created_at desc, i.id desc limit $2
         )",
        account.uuid(),
        most,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find_list(db: &PgPool, account: AccountId, id: ImportId) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select list from account_imports where id = $1 and account_id = $2", id.uuid(), account.uuid()).fetch_optional(db).await
}

pub async fn delete_list(db: &PgPool, id: ImportId) -> sqlx::Result<()> {
    sqlx::query!("delete from account_imports where id = $1", id.uuid()).execute(db).await?;
    Ok(())
}

pub async fn delete_lists(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from account_imports where created_at < $1", before).execute(db).await?;
    Ok(())
}

/// Every kind that an account may still have.
pub async fn list_kinds(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("select kind from imported_hash_kinds order by kind").fetch_all(db).await
}

pub async fn insert_kind(conn: &mut PgConnection, kind: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("insert into imported_hash_kinds (kind, added_at) values ($1, $2) on conflict (kind) do update set added_at = excluded.added_at", kind, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes away the kinds that no account has any more; one that was added within a day may be of an import that goes on. `$2b$` is that of
/// every spelling of bcrypt.
pub async fn delete_kinds(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from imported_hash_kinds k where k.added_at < $1 and not exists (
           select from accounts a where a.password_hash is not null and a.password_hash not like '%,keyid=%'
             and starts_with(regexp_replace(a.password_hash, '^\\$2[ay]\\$', '$2b$'), k.kind)
         )",
        now - Duration::DAY,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
