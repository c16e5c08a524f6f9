//! Proofs that travel by mail or by the terminal: made, and used once.

use super::store::tokens as store;
use crate::{
    error::AppError,
    platform::{Ctx, crypto::sha256},
    values::{AccountId, EventId, TokenId},
};
use sqlx::PgConnection;
use subtle::{Choice, ConstantTimeEq};
use time::Duration;
use uuid::Uuid;

/// What a proof is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
    /// The first password of an operator.
    OperatorLink,
    /// A new address of an account that has one.
    ChangeEmail,
    /// The last of the three confirmations of leaving for good.
    DeleteAccount,
    /// The way back from it, as long as there is one.
    KeepAccount,
}

/// What dies with a password, an address or a disabled account (R52). The way back from leaving stays.
pub const KINDS: [&str; 5] = ["verify_email", "reset_password", "operator_link", "change_email", "delete_account"];

const LINK_LIVES: Duration = Duration::minutes(60);
/// Printed, not mailed: `serve` and `admin create` say "within a day".
const OPERATOR_LINK_LIVES: Duration = Duration::hours(24);
/// As long as an account that is left can be brought back.
pub const KEEP_LINK_LIVES: Duration = Duration::days(30);
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
            Self::ChangeEmail => "change_email",
            Self::DeleteAccount => "delete_account",
            Self::KeepAccount => "keep_account",
        }
    }

    const fn lives(self) -> Duration {
        match self {
            Self::VerifyEmail | Self::ResetPassword | Self::ChangeEmail | Self::DeleteAccount => LINK_LIVES,
            Self::OperatorLink => OPERATOR_LINK_LIVES,
            Self::KeepAccount => KEEP_LINK_LIVES,
        }
    }

    /// Whether a code may be typed in place of the link.
    const fn has_code(self) -> bool {
        matches!(self, Self::VerifyEmail | Self::ChangeEmail | Self::ResetPassword)
    }
}

/// The proof that belongs to an event; older ones of the same purpose die. Made again for the same event, it is the same proof: a
/// mail server that took the mail and failed to say so shows its reader one mail, whose link works. None: it was used already.
pub async fn mint(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, purpose: Purpose, cause: EventId) -> sqlx::Result<Option<Minted>> {
    let digits = ctx.vault.keyed_hash_of(cause.uuid(), "mailed digits", format!("{}:{account}:{cause}", purpose.as_str()).as_bytes());
    let digits = digits.iter().fold(0, |n: u64, byte| (n * 256 + u64::from(*byte)) % 1_000_000);
    let minted = Minted { token: secret(ctx, purpose.as_str(), account, cause), code: format!("{digits:06}") };
    let now = ctx.clock.now();
    let code_hash = ctx.vault.keyed_hash(MAILED_CODE, coded(account, &minted.code).as_bytes());
    let new = store::NewToken {
        id: TokenId::new(cause.uuid()),
        account,
        kind: purpose.as_str(),
        token_hash: &sha256(&minted.token),
        code_hash: purpose.has_code().then_some(&code_hash[..]),
        now,
        expires_at: now + purpose.lives(),
        code_expires_at: now + CODE_LIVES,
    };
    Ok(store::replace_token(conn, new).await?.then_some(minted))
}

/// What the link of a mail about this event holds: 256 bits that only the master key can make, the same each time.
pub fn secret(ctx: &Ctx, purpose: &str, account: AccountId, cause: EventId) -> String {
    let made = ctx.vault.keyed_hash_of(cause.uuid(), "mailed link", format!("{purpose}:{account}:{cause}").as_bytes());
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

/// A right code or link, not used up yet.
pub struct Right {
    pub account: AccountId,
    id: TokenId,
}

/// Whom a link of this purpose speaks of, while it works. Changes nothing.
pub async fn check_link(ctx: &Ctx, token: &str, purpose: Purpose) -> Result<Option<Right>, AppError> {
    let found = look_up(ctx, token).await?.filter(|t| !t.is_used && t.kind == purpose.as_str());
    Ok(found.map(|t| Right { account: t.account, id: t.id }))
}

/// The newest code that was mailed to prove an address.
pub struct MailedCode {
    id: TokenId,
    account: AccountId,
    /// None: it is too old.
    hash: Option<Vec<u8>>,
}

/// The code that this address may type. Changes nothing: whoever compares it counts the tries (`attempts`).
pub async fn find_mailed_code(ctx: &Ctx, email_key: &str) -> Result<Option<MailedCode>, AppError> {
    let found = store::find_verify_code(&ctx.db, email_key, ctx.clock.now()).await?;
    Ok(found.map(|(id, account, hash)| MailedCode { id, account, hash }))
}

/// Compares a typed code. Without a mailed one as much is computed.
pub fn right_code(ctx: &Ctx, mailed: Option<MailedCode>, typed: &str) -> Option<Right> {
    let mailed = mailed.unwrap_or_else(|| MailedCode { id: TokenId::new(Uuid::nil()), account: AccountId::new(Uuid::nil()), hash: None });
    // Nothing has this hash: what is compared has 32 bytes.
    let expected = mailed.hash.unwrap_or_default();
    is_code(ctx, mailed.account, typed, &expected).then_some(Right { account: mailed.account, id: mailed.id })
}

/// Compares a code that was mailed to somebody who is signed in; each try counts before it is looked at.
pub async fn check_code_of(ctx: &Ctx, account: AccountId, purpose: Purpose, code: &str) -> Result<Option<Right>, AppError> {
    let Some((id, expected)) = store::try_code_of(&ctx.db, account, purpose.as_str(), CODE_TRIES, ctx.clock.now()).await? else { return Ok(None) };
    Ok(is_code(ctx, account, code, &expected).then_some(Right { account, id }))
}

/// What the link of the mail holds that was asked for by this event and address, for its right code. Tries are counted by who calls.
pub async fn token_of_reset_code(ctx: &Ctx, flow: Uuid, email_key: &str, code: &str) -> Result<Option<String>, AppError> {
    let found = store::find_reset_code(&ctx.db, TokenId::new(flow), email_key, ctx.clock.now()).await?;
    let right = found.filter(|(account, expected)| is_code(ctx, *account, code, expected));
    Ok(right.map(|(account, _)| secret(ctx, Purpose::ResetPassword.as_str(), account, EventId::new(flow))))
}

impl MailedCode {
    /// Tells it from any other one.
    pub fn name(&self) -> String {
        self.id.to_string()
    }
}

impl Right {
    /// The event that this proof belongs to.
    pub fn cause(&self) -> EventId {
        EventId::new(self.id.uuid())
    }

    /// Uses it up; false if somebody was quicker.
    pub async fn consume(&self, ctx: &Ctx, conn: &mut PgConnection) -> sqlx::Result<bool> {
        store::use_token_by_id(conn, self.id, ctx.clock.now()).await
    }
}

fn is_code(ctx: &Ctx, account: AccountId, typed: &str, expected: &[u8]) -> bool {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let hashes = ctx.vault.keyed_hashes(MAILED_CODE, coded(account, &digits).as_bytes());
    hashes.iter().fold(Choice::from(0), |is_one, hash| is_one | hash[..].ct_eq(expected)).into()
}

/// Six digits are few: without the master key their hash tells nothing.
const MAILED_CODE: &str = "mailed code";

fn coded(account: AccountId, code: &str) -> String {
    format!("{account}:{code}")
}
