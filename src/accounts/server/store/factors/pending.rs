//! Sign-ins that wait for the second factor.

use crate::values::AccountId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

pub async fn insert_pending(
    db: impl PgExecutor<'_>,
    token_hash: &[u8],
    account: AccountId,
    password_set_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into pending_sign_ins (token_hash, account_id, password_set_at, created_at, expires_at) values ($1, $2, $3, $4, $5)",
        token_hash,
        account.uuid(),
        password_set_at,
        now,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whose sign-in waits, while the password that was right still stands.
pub async fn find_pending(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(
        "select p.account_id from pending_sign_ins p join accounts a on a.id = p.account_id
         where p.token_hash = $1 and p.expires_at > $2 and a.password_set_at is not distinct from p.password_set_at",
        token_hash,
        now,
    );
    Ok(id.fetch_optional(db).await?.map(AccountId::new))
}

/// Ends the waiting; of several at once, one does.
pub async fn use_pending(conn: &mut PgConnection, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "delete from pending_sign_ins p using accounts a
         where p.token_hash = $1 and p.expires_at > $2 and a.id = p.account_id and a.password_set_at is not distinct from p.password_set_at",
        token_hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_pending_of(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from pending_sign_ins where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(())
}
