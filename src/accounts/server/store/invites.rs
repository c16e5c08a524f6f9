//! Invitations to sign up, found by the hash of their token.

use crate::values::{AccountId, InviteId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewInvite<'a> {
    pub id: InviteId,
    pub token_hash: &'a [u8],
    pub by: Option<AccountId>,
    pub uses: i32,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

pub async fn insert_invite(conn: &mut PgConnection, new: NewInvite<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into invites (id, token_hash, created_by, uses_left, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        new.id.uuid(),
        new.token_hash,
        new.by.map(AccountId::uuid),
        new.uses,
        new.now,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes one use of an invitation. False: there is none left, or it is too old.
pub async fn use_invite(conn: &mut PgConnection, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("update invites set uses_left = uses_left - 1 where token_hash = $1 and uses_left > 0 and expires_at > $2", token_hash, now,)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// True while an invitation could be used.
pub async fn is_invite_open(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let open =
        sqlx::query_scalar!(r#"select exists (select from invites where token_hash = $1 and uses_left > 0 and expires_at > $2) as "open!""#, token_hash, now,);
    open.fetch_one(db).await
}
