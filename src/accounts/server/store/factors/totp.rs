//! Authenticator apps, and those that are being set up. Seeds come and go sealed.

use crate::values::{AccountId, SessionId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Begins anew: what was shown before is worth nothing.
pub async fn replace_enrolment(db: impl PgExecutor<'_>, account: AccountId, session: SessionId, seed: &[u8], expires_at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into totp_enrolments (account_id, session_id, seed, expires_at) values ($1, $2, $3, $4)
         on conflict (account_id) do update set session_id = excluded.session_id, seed = excluded.seed, expires_at = excluded.expires_at",
        account.uuid(),
        session.uuid(),
        seed,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The seed that this session is setting up.
pub async fn find_enrolment(db: impl PgExecutor<'_>, account: AccountId, session: SessionId, now: OffsetDateTime) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select seed from totp_enrolments where account_id = $1 and session_id = $2 and expires_at > $3", account.uuid(), session.uuid(), now,)
        .fetch_optional(db)
        .await
}

/// False: somebody was quicker.
pub async fn delete_enrolment(conn: &mut PgConnection, account: AccountId, seed: &[u8]) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from totp_enrolments where account_id = $1 and seed = $2", account.uuid(), seed).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// True if there was none before.
pub async fn replace_totp(conn: &mut PgConnection, account: AccountId, seed: &[u8], step: i64, now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"insert into totp_factors (account_id, seed, last_step, created_at, last_used_at) values ($1, $2, $3, $4, $4)
           on conflict (account_id) do update
             set seed = excluded.seed, last_step = excluded.last_step, created_at = excluded.created_at, last_used_at = excluded.last_used_at
           returning xmax = 0 as "is_new!""#,
        account.uuid(),
        seed,
        step,
        now,
    )
    .fetch_one(conn)
    .await
}

pub async fn find_seed(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select seed from totp_factors where account_id = $1", account.uuid()).fetch_optional(db).await
}

/// Accepts a step of this seed; false if it or a later one was accepted before. Of several at once, one is.
pub async fn accept_step(conn: &mut PgConnection, account: AccountId, seed: &[u8], step: i64, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update totp_factors set last_step = $3, last_used_at = $4 where account_id = $1 and seed = $2 and last_step < $3",
        account.uuid(),
        seed,
        step,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the app away, and what was being set up; true if there was one.
pub async fn delete_totp(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<bool> {
    sqlx::query!("delete from totp_enrolments where account_id = $1", account.uuid()).execute(&mut *conn).await?;
    let done = sqlx::query!("delete from totp_factors where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// The same of one that was set up since then; one that was there before stays.
pub async fn delete_totp_since(conn: &mut PgConnection, account: AccountId, since: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!("delete from totp_enrolments where account_id = $1", account.uuid()).execute(&mut *conn).await?;
    let done = sqlx::query!("delete from totp_factors where account_id = $1 and created_at >= $2", account.uuid(), since).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
