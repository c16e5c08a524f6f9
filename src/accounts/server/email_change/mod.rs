//! Another address: asked for by its owner, proven by a mail to the new one, effective only then (R58).
//!
//! The old address is told and can take the change back for seven days (`undoing`). An address that belongs to somebody is answered
//! like any other; its owner is told by mail. What waits dies with a newer request and with a new password.

pub mod http;
pub mod jobs;
mod mail;
mod undoing;

pub use undoing::{undo_changes_since, undo_email_change, undo_link};

use super::{
    Visitor,
    attempts::{self, Attempt},
    entry::{is_of_banned_domain, must_not_be_barred},
    fresh_proof::fresh_proof,
    jobs::SendNothing,
    leaving::erase_unproven,
    sessions::must_still_be_in,
    sign_up::about,
    store::{accounts, departures::lock_account, email_changes as store, tokens as token_store},
    taking_back::came_in_at,
    tokens::{self, KINDS, Purpose},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256, jobs as queue, once},
    values::{AccountId, Email, permission_names as may},
};
use jobs::{SendEmailChange, SendEmailChanged};
use secrecy::SecretString;
use sqlx::PgConnection;
use time::Duration;

/// How long the old address can take a change back.
pub const UNDO_LIVES: Duration = Duration::days(7);
/// How long a page speaks of an address that waits; its proof lives an hour from when it is mailed.
const WAITS: Duration = Duration::hours(24);

const WRONG_CODE: &str = "This code is wrong or expired. It works for ten minutes and five tries. Check the newest email, or ask again.";
const DEAD_LINK: &str = "This link was already used, it expired, or we sent a newer one. Ask again in your settings.";

/// What proves that somebody reads the mails of the new address.
#[derive(Debug, Clone)]
pub enum NewAddress {
    /// The token of the link, wherever it was opened.
    Link(String),
    /// The typed code, by who is signed in.
    Code { caller: Box<Caller>, code: String },
}

/// Mails a link and a code to the new address; until one of them is used nothing changes. The answer is the same for every address.
pub async fn ask_email_change(ctx: &Ctx, caller: &Caller, from: &Visitor, new: &str, current_password: Option<&SecretString>) -> Result<Email, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    fresh_proof(ctx, caller, current_password).await?;
    let new = Email::anew(new).map_err(|e| AppError::invalid("email", e))?;
    if new.as_str() == caller.email {
        return Err(AppError::invalid("email", "This is already your address."));
    }
    Attempt::charge(ctx, &attempts::MAIL_FROM, &attempts::network(from.address)).await?;
    Attempt::charge(ctx, &attempts::MAIL, &new.key()).await?;
    let is_banned = is_of_banned_domain(ctx, &new).await?;
    let since = came_in_at(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    lock_account(&mut tx, caller.account).await?;
    must_still_be_in(&mut tx, caller).await?;
    let cause = record(ctx, &mut tx, own("account.email_change_asked", caller, from)).await?;
    store::replace_change(&mut tx, caller.account, cause, new.as_str(), ctx.clock.now(), since).await?;
    token_store::delete_tokens(&mut tx, caller.account, &[Purpose::ChangeEmail.as_str()]).await?;
    if is_banned {
        queue::enqueue(ctx, &mut tx, &SendNothing {}).await?;
    } else {
        queue::enqueue(ctx, &mut tx, &SendEmailChange { account: caller.account, cause }).await?;
    }
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(new)
}

/// The address that the caller waits for.
pub async fn pending_email(ctx: &Ctx, caller: &Caller) -> Result<Option<String>, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    Ok(store::find_change(&ctx.db, caller.account, ctx.clock.now() - WAITS).await?)
}

/// Waits no longer; the mailed link and code die.
pub async fn cancel_email_change(ctx: &Ctx, caller: &Caller, from: &Visitor) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut tx = ctx.db.begin().await?;
    lock_account(&mut tx, caller.account).await?;
    if store::delete_change(&mut tx, caller.account).await? {
        token_store::delete_tokens(&mut tx, caller.account, &[Purpose::ChangeEmail.as_str()]).await?;
        record(ctx, &mut tx, own("account.email_change_cancelled", caller, from)).await?;
    }
    Ok(tx.commit().await?)
}

/// The new address that a link stands for, while it works. Changes nothing (R53).
pub async fn change_link(ctx: &Ctx, token: &str) -> Result<Option<String>, AppError> {
    match tokens::check_link(ctx, token, Purpose::ChangeEmail).await? {
        Some(right) => Ok(store::find_change(&ctx.db, right.account, ctx.clock.now() - WAITS).await?),
        None => Ok(None),
    }
}

/// The new address takes the place of the old one, which is told; of several proofs at once, one counts. Signing in with the old one
/// ends here, and every mailed proof of the account with it.
pub async fn confirm_email_change(ctx: &Ctx, from: &Visitor, proof: NewAddress) -> Result<Email, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let (found, refused) = match proof {
        NewAddress::Link(token) => (tokens::check_link(ctx, &token, Purpose::ChangeEmail).await?, AppError::invalid("", DEAD_LINK)),
        NewAddress::Code { caller, code } => {
            caller.require(&may::ACCOUNT_WRITE)?;
            (tokens::check_code_of(ctx, caller.account, Purpose::ChangeEmail, &code).await?, AppError::invalid("code", WRONG_CODE))
        }
    };
    let Some(right) = found else { return Err(refused) };
    let holder = accounts::find_account(&ctx.db, right.account).await?.ok_or(AppError::NotFound)?;
    must_not_be_barred(ctx, &holder, from.address).await?;
    let mut tx = ctx.db.begin().await?;
    // The account first, then what waits, then its proof: everybody locks them in this order.
    lock_account(&mut tx, right.account).await?;
    let Some((new, since)) = store::take_change(&mut tx, right.account, right.cause()).await? else { return Err(refused) };
    if !right.consume(ctx, &mut tx).await? {
        return Err(refused);
    }
    let new: Email = new.parse().map_err(AppError::internal)?;
    let account = accounts::find_account(&mut *tx, right.account).await?.ok_or(AppError::NotFound)?;
    put_address(ctx, &mut tx, account.id, &new).await?;
    let change = Change { kind: "account.email_changed", workspace: account.workspace, ..about(account.id, &account.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    let now = ctx.clock.now();
    let undo = store::Undo { id: cause, account: account.id, old_email: account.email, until: now + UNDO_LIVES, since: since.unwrap_or(now) };
    store::insert_undo(&mut tx, &undo, &sha256(undoing::token(ctx, cause))).await?;
    queue::enqueue(ctx, &mut tx, &SendEmailChanged { account: account.id, cause }).await?;
    tx.commit().await?;
    attempt.refund(ctx).await?;
    Ok(new)
}

/// Writes the address, over a sign-up with it that nobody proved; what was mailed to the account before is dead (S67).
async fn put_address(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, email: &Email) -> Result<(), AppError> {
    let taken = || AppError::conflict("Another account now has this address. Nothing was changed.");
    // Room at an address that somebody signed up with and never proved (R57).
    if let Some((unproven, workspace)) = store::lock_unproven(conn, &email.key()).await? {
        erase_unproven(ctx, conn, unproven, workspace).await?;
    }
    let written = accounts::update_identity(&mut *conn, account, email.as_str(), &email.key(), ctx.clock.now()).await;
    match written {
        Ok(true) => {}
        Ok(false) => return Err(taken()),
        // Two wrote it in the same moment.
        Err(sqlx::Error::Database(refused)) if refused.is_unique_violation() => return Err(taken()),
        Err(other) => return Err(other.into()),
    }
    Ok(token_store::delete_tokens(conn, account, &KINDS).await?)
}

fn own<'a>(kind: &'a str, caller: &'a Caller, from: &Visitor) -> Change<'a> {
    Change { kind, workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) }
}
