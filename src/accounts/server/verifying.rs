//! Proving an address: by the link of a mail and a button behind it, or by the code in the same mail (R53).
//!
//! Whoever proves it need not be who signed up with it (`begun`). If they are not, nothing that was set up before stays, neither password
//! nor passkey nor any other way in, and they choose a password anew (R57).

use super::{
    Visitor,
    attempts::{self, Attempt},
    begun::Beginner,
    entry::is_of_banned_domain,
    mail_asked::{Wish, ask},
    sign_up::about,
    store::{
        accounts::{self as store, Account},
        departures::lock_account,
    },
    taking_back::take_back_all,
    tokens::{self, Purpose, Right},
};
use crate::{
    accounts::model::VerifyLink,
    activity::server::{Change, record},
    error::AppError,
    platform::Ctx,
    values::Email,
};
use serde_json::json;
use sqlx::PgConnection;

/// What proves that somebody reads the mails of an address.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The token of the link.
    Link(String),
    /// The typed code, and the address it was sent to.
    Code { email: String, code: String },
}

/// An address that is proven now.
#[derive(Debug, Clone)]
pub struct Verified {
    pub email: Email,
    /// Somebody else had signed up with it: nothing of that is left, and this token, a mailed link's, sets a password.
    pub reset: Option<String>,
}

/// What is said for every wrong code: whether the address has an account, and how many tries are left, is nobody's business.
const WRONG_CODE: &str = "This code is wrong or expired. It works for ten minutes and five tries. Check the newest email, or send a new one.";
/// What is said where none was typed: that is no try.
pub const NO_CODE: &str = "Enter the six digits from the newest email.";
const DEAD_LINK: &str = "This link expired, or we sent a newer one. Use the newest email, or send a new one.";

/// Marks the address as proven, once; of several proofs at once, one gets it. A wrong password of `beginner` uses up nothing.
pub async fn verify_email(ctx: &Ctx, from: &Visitor, proof: Proof, beginner: &Beginner) -> Result<Verified, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let right = match &proof {
        Proof::Link(token) => tokens::check_link(ctx, token, Purpose::VerifyEmail).await?,
        Proof::Code { email, code } => try_code(ctx, email, code).await?,
    };
    let Some(right) = right else { return Err(why_not(ctx, &proof).await?) };
    let before = store::find_account(&ctx.db, right.account).await?.ok_or(AppError::NotFound)?;
    beginner.must_know(ctx, &before).await?;
    let mut tx = ctx.db.begin().await?;
    // The account first, as everybody does.
    lock_account(&mut tx, right.account).await?;
    if !right.consume(ctx, &mut tx).await? {
        tx.rollback().await?;
        return Err(why_not(ctx, &proof).await?);
    }
    let account = store::find_account(&mut *tx, right.account).await?.ok_or(AppError::NotFound)?;
    if beginner.password.is_some() && account.password_hash != before.password_hash {
        return Err(AppError::conflict("Somebody just signed up with this address again. Use the newest email."));
    }
    let verified = prove(ctx, &mut tx, &account, &right, from, beginner).await?;
    tx.commit().await?;
    attempt.refund(ctx).await?;
    Ok(verified)
}

/// Compares a typed code; each try counts before it is looked at. Tries are counted as attempts, not beside the code, and for every address
/// (R15): by the mail that the code is of, and where there is none by the last time that one was asked for, so that whoever asks anew has five
/// tries anew, whatever is behind the address.
async fn try_code(ctx: &Ctx, email: &str, code: &str) -> Result<Option<Right>, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    let mailed = tokens::find_mailed_code(ctx, &email.key()).await?;
    let asked = attempts::last_of(ctx, &attempts::MAIL, &email.key()).await?;
    let counted_by = mailed.as_ref().map_or_else(|| format!("{} {asked}", email.key()), tokens::MailedCode::name);
    match Attempt::charge(ctx, &attempts::VERIFY_CODE, &counted_by).await {
        Ok(_) => Ok(tokens::right_code(ctx, mailed, code)),
        Err(AppError::RateLimited { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// How it stands with a link, for who opened it. Changes nothing (R53), and says no more than its button would.
pub async fn verify_link(ctx: &Ctx, token: &str, beginner: &Beginner) -> Result<VerifyLink, AppError> {
    let found = tokens::look_up(ctx, token).await?.filter(|found| found.kind == Purpose::VerifyEmail.as_str());
    let Some(found) = found else { return Ok(VerifyLink::Dead) };
    if found.is_used {
        return Ok(VerifyLink::Used);
    }
    let is_unproven = store::find_account(&ctx.db, found.account).await?.is_some_and(|account| !account.is_verified);
    Ok(VerifyLink::Works { is_elsewhere: is_unproven && !beginner.began(store::find_sign_up(&ctx.db, found.account).await?) })
}

/// Sends the proof again to an address that still needs it; the same answer for every address.
pub async fn resend_verification(ctx: &Ctx, from: &Visitor, email: &str) -> Result<Email, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    Attempt::charge(ctx, &attempts::MAIL_FROM, &attempts::network(from.address)).await?;
    Attempt::charge(ctx, &attempts::MAIL, &email.key()).await?;
    let is_banned = is_of_banned_domain(ctx, &email).await?;
    let mut tx = ctx.db.begin().await?;
    let account = store::find_by_email(&mut *tx, &email.key()).await?.filter(|account| !account.is_verified && !is_banned);
    ask(ctx, &mut tx, from, Wish::Proof, account.map(|account| account.id)).await?;
    tx.commit().await?;
    Ok(email)
}

async fn prove(ctx: &Ctx, conn: &mut PgConnection, account: &Account, right: &Right, from: &Visitor, beginner: &Beginner) -> Result<Verified, AppError> {
    let email: Email = account.email.parse().map_err(AppError::internal)?;
    let is_beginner = beginner.began(store::find_sign_up(&mut *conn, right.account).await?);
    let mut verified = Verified { email, reset: None };
    if store::update_verified(conn, account.id, ctx.clock.now()).await? {
        let mut change = Change { kind: "account.verified", workspace: account.workspace, ..about(account.id, &account.name, from) };
        change.data["elsewhere"] = json!(!is_beginner);
        let cause = record(ctx, conn, change).await?;
        if !is_beginner {
            // Before the sessions end, as with every new password (`sessions::begin`).
            store::clear_password(conn, account.id, ctx.clock.now()).await?;
            take_back_all(ctx, conn, account.id).await?;
            verified.reset = tokens::mint(ctx, conn, account.id, Purpose::ResetPassword, cause).await?.map(|minted| minted.token);
        }
    }
    super::store::attempts::delete_buckets(conn, &mail_buckets(ctx, &verified.email)).await?;
    Ok(verified)
}

/// Who proved an address may be sent mails again at once.
fn mail_buckets(ctx: &Ctx, email: &Email) -> Vec<String> {
    [attempts::MAIL, attempts::SIGN_IN].iter().flat_map(|rule| rule.buckets(ctx, &email.key())).collect()
}

/// Why a proof does not work: it did already, or it is wrong or dead.
async fn why_not(ctx: &Ctx, proof: &Proof) -> Result<AppError, AppError> {
    let Proof::Link(token) = proof else { return Ok(AppError::invalid("code", WRONG_CODE)) };
    let found = tokens::look_up(ctx, token).await?;
    Ok(match found {
        Some(token) if token.is_used && token.kind == Purpose::VerifyEmail.as_str() => {
            AppError::conflict("This link was already used. Your address is confirmed. Sign in.")
        }
        _ => AppError::invalid("", DEAD_LINK),
    })
}
