//! Accounts that were taken back from somebody else.

use crate::values::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Writes that it was, which ends the keys for Tollgate itself that were made or widened since then (a trigger of the table: keys are not
/// this feature's); answers how many. `since`: none, since ever.
pub async fn insert_recovery(
    conn: &mut PgConnection,
    account: AccountId,
    (since, until): (Option<OffsetDateTime>, OffsetDateTime),
    now: OffsetDateTime,
) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "insert into account_recoveries (account_id, at, since, until) values ($1, $2, $3, $4) returning keys_ended",
        account.uuid(),
        now,
        since,
        until,
    )
    .fetch_one(conn)
    .await
}
