//! What time has made worthless: proofs, half-done sign-ins and forms, counters of attempts, invitations, and sign-ups that nobody proved.

use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

/// Longer than a mail is tried: a retry must find that its proof was used.
const PROOFS: Duration = Duration::days(8);
/// Longer than any rule remembers (`attempts::Rule`).
const ATTEMPTS: Duration = Duration::days(8);
const INVITES: Duration = Duration::days(30);
/// How long somebody has to prove the address of a sign-up. Until then a new sign-up overwrites it (R57).
const UNPROVEN: Duration = Duration::days(7);

/// How many rows went, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    pub proofs: u64,
    pub attempts: u64,
    pub invites: u64,
    pub accounts: u64,
}

pub async fn delete_expired(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<Gone> {
    let proofs = sqlx::query!("delete from auth_tokens where expires_at < $1", now - PROOFS).execute(db).await?.rows_affected();
    let attempts = sqlx::query!("delete from attempt_counters where last_at < $1 and blocked_until < $2", now - ATTEMPTS, now).execute(db).await?;
    let invites = sqlx::query!("delete from invites where expires_at < $1", now - INVITES).execute(db).await?;
    sqlx::query!("delete from pending_sign_ins where expires_at < $1", now).execute(db).await?;
    sqlx::query!("delete from interrupted_forms where expires_at < $1", now).execute(db).await?;
    sqlx::query!("delete from totp_enrolments where expires_at < $1", now).execute(db).await?;
    // Only what somebody typed on the sign-up page: an account that an operator made waits for its owner.
    let accounts = sqlx::query!(
        "delete from accounts a where a.verified_at is null and a.last_sign_in_at is null and a.created_at < $1
           and exists (select 1 from events e where e.subject_id = a.id and e.kind = 'account.signed_up')",
        now - UNPROVEN,
    )
    .execute(db)
    .await?;
    Ok(Gone { proofs, attempts: attempts.rows_affected(), invites: invites.rows_affected(), accounts: accounts.rows_affected() })
}
