//! Resets of second factors that operators asked for.

use crate::values::AccountId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewReset<'a> {
    pub account: AccountId,
    pub now: OffsetDateTime,
    pub due_at: OffsetDateTime,
    pub by: Option<AccountId>,
    pub by_name: &'a str,
    pub reason: &'a str,
    pub token_hash: &'a [u8],
}

/// False: one is under way already, and goes on as it is.
pub async fn insert_reset(conn: &mut PgConnection, new: NewReset<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into factor_resets (account_id, asked_at, due_at, by_account, by_name, reason, token_hash) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (account_id) do nothing",
        new.account.uuid(),
        new.now,
        new.due_at,
        new.by.map(AccountId::uuid),
        new.by_name,
        new.reason,
        new.token_hash,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whose reset a link stops.
pub async fn find_reset(db: impl PgExecutor<'_>, token_hash: &[u8]) -> sqlx::Result<Option<(AccountId, OffsetDateTime)>> {
    let row = sqlx::query!("select account_id, due_at from factor_resets where token_hash = $1", token_hash).fetch_optional(db).await?;
    Ok(row.map(|r| (AccountId::new(r.account_id), r.due_at)))
}

/// Stops it; None: it was stopped or done before.
pub async fn delete_reset(conn: &mut PgConnection, token_hash: &[u8]) -> sqlx::Result<Option<AccountId>> {
    let id = sqlx::query_scalar!("delete from factor_resets where token_hash = $1 returning account_id", token_hash).fetch_optional(conn).await?;
    Ok(id.map(AccountId::new))
}

pub async fn delete_reset_of(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from factor_resets where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(())
}

/// One that is due: its reason, and who asked.
pub struct Due {
    pub reason: String,
    /// None: the command line, or an account that is gone.
    pub by: Option<AccountId>,
    pub by_name: String,
}

/// Takes one that is due.
pub async fn take_due(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<Option<Due>> {
    let row = sqlx::query!("delete from factor_resets where account_id = $1 and due_at <= $2 returning reason, by_account, by_name", account.uuid(), now);
    Ok(row.fetch_optional(conn).await?.map(|r| Due { reason: r.reason, by: r.by_account.map(AccountId::new), by_name: r.by_name }))
}

/// Another name in the place of this account's, for the resets that it asked for.
pub async fn update_names(conn: &mut PgConnection, account: AccountId, name: &str) -> sqlx::Result<()> {
    sqlx::query!("update factor_resets set by_name = $2 where by_account = $1", account.uuid(), name).execute(conn).await?;
    Ok(())
}
