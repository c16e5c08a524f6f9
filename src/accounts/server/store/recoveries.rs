//! Accounts that were taken back from somebody else.

use crate::values::{AccountId, KeyId, WorkspaceId};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A key that ended by it: `revoked` or `disabled`, and what it was before.
pub struct EndedKey {
    pub key: KeyId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub state: String,
    pub was: String,
}

/// Writes that it was, which ends the keys for Tollgate itself that were made or widened since then (a trigger of the table: keys are not
/// this feature's); answers which. `since`: none, since ever.
pub async fn insert_recovery(
    conn: &mut PgConnection,
    account: AccountId,
    (since, until): (Option<OffsetDateTime>, OffsetDateTime),
    now: OffsetDateTime,
) -> sqlx::Result<Vec<EndedKey>> {
    let ended = sqlx::query!(
        "insert into account_recoveries (account_id, at, since, until) values ($1, $2, $3, $4) returning ended, ended_from",
        account.uuid(),
        now,
        since,
        until,
    )
    .fetch_one(&mut *conn)
    .await?;
    if ended.ended.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as!(
        EndedKey,
        r#"select k.id as "key: KeyId", k.workspace_id as "workspace: WorkspaceId", k.name, k.state, e.was as "was!"
           from unnest($1::uuid[], $2::text[]) as e (id, was) join keys k on k.id = e.id order by k.id"#,
        &ended.ended,
        &ended.ended_from,
    )
    .fetch_all(conn)
    .await
}
