//! Accounts whose address met so many wrong passwords that the wait is long, and the link that ends it.

use crate::values::AccountId;
use sqlx::PgExecutor;
use time::OffsetDateTime;

/// Writes or prolongs the lock. True if it is a new one, of which the owner does not know yet; so is one whose link is too old.
pub async fn insert_lock(
    db: impl PgExecutor<'_>,
    account: AccountId,
    until: OffsetDateTime,
    token_hash: &[u8],
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let is_new = sqlx::query_scalar!(
        r#"insert into account_locks as l (account_id, at, until, token_hash, expires_at) values ($1, $2, $3, $4, $5)
           on conflict (account_id) do update set until = greatest(l.until, excluded.until),
             at = case when l.expires_at <= $2 then excluded.at else l.at end,
             token_hash = case when l.expires_at <= $2 then excluded.token_hash else l.token_hash end,
             expires_at = case when l.expires_at <= $2 then excluded.expires_at else l.expires_at end
           returning (l.token_hash = $4) as "is_new!""#,
        account.uuid(),
        now,
        until,
        token_hash,
        expires_at,
    );
    is_new.fetch_one(db).await
}

/// Takes the lock away by the link of its mail, unless the password is tried no more; of several uses at once, one gets the account.
pub async fn delete_lock_by_token(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<AccountId>> {
    let id =
        sqlx::query_scalar!("delete from account_locks where token_hash = $1 and expires_at > $2 and stopped_at is null returning account_id", token_hash, now);
    Ok(id.fetch_optional(db).await?.map(AccountId::new))
}

/// Notes that the password is tried no more. True the first time.
pub async fn update_stopped(db: impl PgExecutor<'_>, account: AccountId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("update account_locks set stopped_at = $2 where account_id = $1 and stopped_at is null", account.uuid(), now).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// True if the password is tried no more.
pub async fn is_stopped(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select exists (select from account_locks where account_id = $1 and stopped_at is not null) as "is_stopped!""#, account.uuid());
    found.fetch_one(db).await
}

/// Takes a lock away that only makes people wait.
pub async fn delete_open_lock(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from account_locks where account_id = $1 and stopped_at is null", account.uuid()).execute(db).await?;
    Ok(())
}

/// True if there was one.
pub async fn delete_lock(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from account_locks where account_id = $1", account.uuid()).execute(db).await?;
    Ok(done.rows_affected() == 1)
}
