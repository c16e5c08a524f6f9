//! Proofs that travel by mail or by the terminal: made, and used once.

use super::store::tokens as store;
use crate::{
    error::AppError,
    platform::{Ctx, crypto::sha256},
    values::{AccountId, EventId, TokenId},
};
use sqlx::PgConnection;
use subtle::ConstantTimeEq;
use time::Duration;

/// What a proof is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
    /// The first password of an operator.
    OperatorLink,
}

const LINK_LIVES: Duration = Duration::minutes(60);
const OPERATOR_LINK_LIVES: Duration = Duration::hours(24);
const CODE_LIVES: Duration = Duration::minutes(10);
/// So many wrong codes end a code (R35).
const CODE_TRIES: i16 = 5;

/// A proof on its way out: the only place where it stands in clear.
#[derive(Clone)]
pub struct Minted {
    pub token: String,
    pub code: String,
}

impl Purpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::OperatorLink => "operator_link",
        }
    }

    const fn lives(self) -> Duration {
        match self {
            Self::VerifyEmail | Self::ResetPassword => LINK_LIVES,
            Self::OperatorLink => OPERATOR_LINK_LIVES,
        }
    }
}

/// The proof that belongs to an event; older ones of the same purpose die. Made again for the same event, it is the same proof: a
/// mail server that took the mail and failed to say so shows its reader one mail, whose link works. None: it was used already.
pub async fn mint(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, purpose: Purpose, cause: EventId) -> sqlx::Result<Option<Minted>> {
    let digits = ctx.vault.keyed_hash("mailed digits", format!("{}:{account}:{cause}", purpose.as_str()).as_bytes());
    let digits = digits.iter().fold(0, |n: u64, byte| (n * 256 + u64::from(*byte)) % 1_000_000);
    let minted = Minted { token: secret(ctx, purpose.as_str(), account, cause), code: format!("{digits:06}") };
    let now = ctx.clock.now();
    let code_hash = code_hash(ctx, account, &minted.code);
    let new = store::NewToken {
        id: TokenId::new(cause.uuid()),
        account,
        kind: purpose.as_str(),
        token_hash: &sha256(&minted.token),
        code_hash: (purpose == Purpose::VerifyEmail).then_some(&code_hash[..]),
        now,
        expires_at: now + purpose.lives(),
        code_expires_at: now + CODE_LIVES,
    };
    Ok(store::replace_token(conn, new).await?.then_some(minted))
}

/// What the link of a mail about this event holds: 256 bits that only the master key can make, the same each time.
pub fn secret(ctx: &Ctx, purpose: &str, account: AccountId, cause: EventId) -> String {
    let made = ctx.vault.keyed_hash("mailed link", format!("{purpose}:{account}:{cause}").as_bytes());
    made.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Whom a link speaks of, and whether it was used before. Changes nothing.
pub async fn look_up(ctx: &Ctx, token: &str) -> Result<Option<store::Token>, AppError> {
    Ok(store::find_token(&ctx.db, &sha256(token), ctx.clock.now()).await?)
}

/// Uses up a link; of several at once, one gets the account.
pub async fn consume(ctx: &Ctx, conn: &mut PgConnection, token: &str, purposes: &[Purpose]) -> sqlx::Result<Option<AccountId>> {
    let kinds: Vec<&str> = purposes.iter().map(|p| p.as_str()).collect();
    store::use_token(conn, &sha256(token), &kinds, ctx.clock.now()).await
}

/// A right code, not used up yet.
pub struct RightCode {
    pub account: AccountId,
    id: TokenId,
}

/// Compares a typed code; each try counts before it is looked at.
pub async fn check_code(ctx: &Ctx, email_key: &str, code: &str) -> Result<Option<RightCode>, AppError> {
    let Some((id, account, expected)) = store::try_code(&ctx.db, email_key, CODE_TRIES, ctx.clock.now()).await? else { return Ok(None) };
    let digits: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let is_right: bool = code_hash(ctx, account, &digits)[..].ct_eq(&expected[..]).into();
    Ok(is_right.then_some(RightCode { account, id }))
}

impl RightCode {
    /// Uses it up; false if somebody was quicker.
    pub async fn consume(&self, ctx: &Ctx, conn: &mut PgConnection) -> sqlx::Result<bool> {
        store::use_token_by_id(conn, self.id, ctx.clock.now()).await
    }
}

/// Six digits are few: without the master key their hash tells nothing.
fn code_hash(ctx: &Ctx, account: AccountId, code: &str) -> [u8; 32] {
    ctx.vault.keyed_hash("mailed code", format!("{account}:{code}").as_bytes())
}
