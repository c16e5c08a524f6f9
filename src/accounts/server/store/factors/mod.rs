//! Second factors and proofs: one file per table.

pub mod admin_pin;
pub mod challenges;
pub mod interrupted;
pub mod passkeys;
pub mod pending;
pub mod recovery;
pub mod resealing;
pub mod resets;
pub mod totp;

mod proofs;

pub use proofs::is_proven_since;

use crate::values::AccountId;
use sqlx::PgExecutor;
use time::OffsetDateTime;

/// What an account has besides its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    pub totp_since: Option<OffsetDateTime>,
    pub totp_used: Option<OffsetDateTime>,
    /// Recovery codes that were not used.
    pub codes_left: i64,
    pub passkeys: i64,
    /// When an operator's reset takes the factors away.
    pub reset_due: Option<OffsetDateTime>,
}

pub async fn find_facts(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Facts> {
    sqlx::query_as!(
        Facts,
        r#"select t.created_at as "totp_since?", t.last_used_at as "totp_used?", r.due_at as "reset_due?",
             (select count(*) from recovery_codes c where c.account_id = a.id and c.used_at is null) as "codes_left!",
             (select count(*) from passkeys p where p.account_id = a.id) as "passkeys!"
           from accounts a left join totp_factors t on t.account_id = a.id left join factor_resets r on r.account_id = a.id
           where a.id = $1"#,
        account.uuid(),
    )
    .fetch_optional(db)
    .await
    .map(Option::unwrap_or_default)
}

/// True if a password is not enough to come in.
pub async fn has_second(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from totp_factors where account_id = $1) or exists (select from passkeys where account_id = $1) as "has!""#,
        account.uuid(),
    )
    .fetch_one(db)
    .await
}
