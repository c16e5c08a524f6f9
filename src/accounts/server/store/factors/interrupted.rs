//! Forms that wait for a proof, sealed.

use crate::values::{AccountId, SessionId};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// So many wait for one session; older ones go.
const MOST: i64 = 5;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewForm<'a> {
    pub id: Uuid,
    pub session: SessionId,
    pub account: AccountId,
    pub form: &'a [u8],
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

pub async fn insert_form(db: impl PgExecutor<'_>, new: NewForm<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "with old as (
           delete from interrupted_forms where id in (select id from interrupted_forms where session_id = $2 order by created_at desc, id desc offset $7)
         )
         insert into interrupted_forms (id, session_id, account_id, form, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        new.id,
        new.session.uuid(),
        new.account.uuid(),
        new.form,
        new.now,
        new.expires_at,
        MOST - 1,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn find_form(db: impl PgExecutor<'_>, id: Uuid, session: SessionId, account: AccountId, now: OffsetDateTime) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select form from interrupted_forms where id = $1 and session_id = $2 and account_id = $3 and expires_at > $4",
        id,
        session.uuid(),
        account.uuid(),
        now,
    )
    .fetch_optional(db)
    .await
}

/// Hands it out once.
pub async fn take_form(db: impl PgExecutor<'_>, id: Uuid, session: SessionId, account: AccountId, now: OffsetDateTime) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "delete from interrupted_forms where id = $1 and session_id = $2 and account_id = $3 and expires_at > $4 returning form",
        id,
        session.uuid(),
        account.uuid(),
        now,
    )
    .fetch_optional(db)
    .await
}
