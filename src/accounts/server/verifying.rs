//! Proving an address: by the link of a mail and a button behind it, or by the code in the same mail (R53).

use super::{
    Visitor,
    attempts::{self, Attempt, Rule},
    entry::is_of_banned_domain,
    jobs::{SendNothing, SendVerification},
    sign_up::about,
    store::accounts as store,
    tokens::{self, Purpose},
};
use crate::{
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, Email},
};
use sqlx::PgConnection;

/// What proves that somebody reads the mails of an address.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The token of the link.
    Link(String),
    /// The typed code, and the address it was sent to.
    Code { email: String, code: String },
}

/// What is said for every wrong code: whether the address has an account, and how many tries are left, is nobody's business.
const WRONG_CODE: &str = "This code is wrong or too old: it lives ten minutes and five tries. Check the newest mail, or send a new one.";
const DEAD_LINK: &str = "This link is too old, or a newer one was sent. Use the newest mail, or send a new one.";

/// Marks the address as proven, once; of several proofs at once, one gets it.
pub async fn verify_email(ctx: &Ctx, from: &Visitor, proof: Proof) -> Result<Email, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let mut tx;
    let account = match proof {
        Proof::Link(token) => {
            tx = ctx.db.begin().await?;
            match tokens::consume(ctx, &mut tx, &token, &[Purpose::VerifyEmail]).await? {
                Some(account) => account,
                None => return Err(why_not(ctx, &token).await?),
            }
        }
        Proof::Code { email, code } => {
            let wrong = || AppError::invalid("code", WRONG_CODE);
            let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
            let right = tokens::check_code(ctx, &email.key(), &code).await?.ok_or_else(wrong)?;
            tx = ctx.db.begin().await?;
            if !right.consume(ctx, &mut tx).await? {
                return Err(wrong());
            }
            right.account
        }
    };
    let email = prove(ctx, &mut tx, account, from).await?;
    tx.commit().await?;
    attempt.refund(ctx).await?;
    Ok(email)
}

/// Sends the proof again to an address that still needs it; the same answer for every address.
pub async fn resend_verification(ctx: &Ctx, from: &Visitor, email: &str) -> Result<Email, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    Attempt::charge(ctx, &attempts::MAIL_FROM, &attempts::network(from.address)).await?;
    Attempt::charge(ctx, &attempts::MAIL, &email.key()).await?;
    let is_banned = is_of_banned_domain(ctx, &email).await?;
    let mut tx = ctx.db.begin().await?;
    match store::find_by_email(&mut *tx, &email.key()).await?.filter(|account| !account.is_verified && !is_banned) {
        Some(account) => {
            let cause = record(ctx, &mut tx, Change { kind: "account.verification_resent", ..about(account.id, &account.name, from) }).await?;
            jobs::enqueue(ctx, &mut tx, &SendVerification { account: account.id, cause }).await?;
        }
        None => {
            jobs::enqueue(ctx, &mut tx, &SendNothing {}).await?;
        }
    }
    tx.commit().await?;
    Ok(email)
}

async fn prove(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, from: &Visitor) -> Result<Email, AppError> {
    let now = ctx.clock.now();
    let found = store::find_account(&mut *conn, account).await?.ok_or(AppError::NotFound)?;
    if store::update_verified(conn, account, now).await? {
        let change = Change { kind: "account.verified", workspace: found.workspace, ..about(account, &found.name, from) };
        record(ctx, conn, change).await?;
    }
    let email: Email = found.email.parse().map_err(AppError::internal)?;
    super::store::attempts::delete_buckets(conn, &mail_buckets(ctx, &email)).await?;
    Ok(email)
}

/// Who proved an address may be sent mails again at once.
fn mail_buckets(ctx: &Ctx, email: &Email) -> [String; 2] {
    let bucket = |rule: &Rule| rule.bucket(ctx, &email.key());
    [bucket(&attempts::MAIL), bucket(&attempts::SIGN_IN)]
}

/// Why a link does not work: it did already, or it is dead.
async fn why_not(ctx: &Ctx, token: &str) -> Result<AppError, AppError> {
    let found = tokens::look_up(ctx, token).await?;
    Ok(match found {
        Some(token) if token.is_used && token.kind == Purpose::VerifyEmail.as_str() => {
            AppError::conflict("This link has done its work: the address is confirmed. Sign in.")
        }
        _ => AppError::invalid("", DEAD_LINK),
    })
}
