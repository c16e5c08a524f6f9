//! Recovery codes, as hashes.

use crate::values::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Older ones are dead, used or not.
pub async fn replace_codes(conn: &mut PgConnection, account: AccountId, hashes: &[Vec<u8>], master_key: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    delete_codes(conn, account).await?;
    sqlx::query!(
        "insert into recovery_codes (account_id, hash, made_at, master_key) select $1, h, $3, $4 from unnest($2::bytea[]) h",
        account.uuid(),
        hashes,
        now,
        master_key,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete_codes(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from recovery_codes where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(())
}

/// Uses up the code with one of these hashes; of several tries at once, one does.
pub async fn use_code(conn: &mut PgConnection, account: AccountId, hashes: &[Vec<u8>], now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("update recovery_codes set used_at = $3 where account_id = $1 and hash = any($2) and used_at is null", account.uuid(), hashes, now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Those that were made since then; true if there were any.
pub async fn delete_codes_since(conn: &mut PgConnection, account: AccountId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from recovery_codes where account_id = $1 and made_at >= $2", account.uuid(), since).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}
