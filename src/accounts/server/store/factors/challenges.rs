//! Questions to authenticators that wait for their answers.

use crate::values::AccountId;
use serde_json::Value;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// So many wait in one browser; older ones go.
const MOST: i64 = 8;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewChallenge<'a> {
    pub challenge_hash: &'a [u8],
    pub holder: &'a [u8],
    pub purpose: &'a str,
    pub account: Option<AccountId>,
    pub handle: Option<Uuid>,
    pub state: &'a Value,
    pub options: &'a Value,
    pub expires_at: OffsetDateTime,
}

/// What an answer is compared with.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Whose passkey must answer, where that was known.
    pub account: Option<AccountId>,
    /// Of an account that is yet to be.
    pub handle: Option<Uuid>,
    pub state: Value,
}

pub async fn insert_challenge(db: impl PgExecutor<'_>, new: NewChallenge<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "with old as (
           delete from passkey_challenges where challenge_hash in (
             select challenge_hash from passkey_challenges where holder = $2 order by expires_at desc, challenge_hash offset $9)
         )
         insert into passkey_challenges (challenge_hash, holder, purpose, account_id, handle, state, options, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.challenge_hash,
        new.holder,
        new.purpose,
        new.account.map(AccountId::uuid),
        new.handle,
        new.state,
        new.options,
        new.expires_at,
        MOST - 1,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Hands it out once.
pub async fn take_challenge(
    db: impl PgExecutor<'_>,
    challenge_hash: &[u8],
    holder: &[u8],
    purpose: &str,
    now: OffsetDateTime,
) -> sqlx::Result<Option<Challenge>> {
    let row = sqlx::query!(
        "delete from passkey_challenges where challenge_hash = $1 and holder = $2 and purpose = $3 and expires_at > $4
         returning account_id, handle, state",
        challenge_hash,
        holder,
        purpose,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Challenge { account: r.account_id.map(AccountId::new), handle: r.handle, state: r.state }))
}

/// The same to a form that may be sent twice: handed out to it again while there is time, and to no other one. `form` is a hash of it.
pub async fn answer_challenge(
    db: impl PgExecutor<'_>,
    challenge_hash: &[u8],
    holder: &[u8],
    purpose: &str,
    form: &[u8],
    now: OffsetDateTime,
) -> sqlx::Result<Option<Challenge>> {
    let row = sqlx::query!(
        "update passkey_challenges set answered = $4
         where challenge_hash = $1 and holder = $2 and purpose = $3 and (answered is null or answered = $4) and expires_at > $5
         returning account_id, handle, state",
        challenge_hash,
        holder,
        purpose,
        form,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Challenge { account: r.account_id.map(AccountId::new), handle: r.handle, state: r.state }))
}

/// What the newest one of a browser tells it.
pub async fn find_options(db: impl PgExecutor<'_>, holder: &[u8], purpose: &str, now: OffsetDateTime) -> sqlx::Result<Option<Value>> {
    sqlx::query_scalar!(
        "select options from passkey_challenges where holder = $1 and purpose = $2 and expires_at > $3
         order by expires_at desc, challenge_hash limit 1",
        holder,
        purpose,
        now,
    )
    .fetch_optional(db)
    .await
}
