//! Leaving: for a while (deactivated), or for good after three confirmations and 30 days (R60).
//!
//! Either way every session and mailed proof ends in the same transaction, and the keys are answered BANNED. Who knows the password
//! brings the account back, as does the link of the mail; after the 30 days a job erases it (`erasing`). The last operator stays.

mod erasing;
pub mod http;
pub mod jobs;
mod mail;
mod refusing;
mod returning;

pub use erasing::{erase_all_unproven, erase_departed, erase_unproven};
pub use refusing::{KeysRefused, Refused, said};
pub use returning::{Return, Ticket, come_back, return_ticket, returning};

use super::{
    Visitor,
    attempts::{self, Attempt},
    entry::must_not_be_barred,
    fresh_proof::fresh_proof,
    sessions::must_still_be_in,
    sign_up::about,
    store::{
        accounts, administration,
        administration::AccountFacts,
        departures::{self as store, Departure},
        email_changes,
        factors::pending,
        operators, sessions, tokens as token_store,
    },
    tokens::{self, KINDS, Purpose},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs as queue},
    values::{AccountId, Email, EventId, permission_names as may},
};
use jobs::{SendDeletionLink, SendDeparted};
use refusing::keys_refused;
use secrecy::SecretString;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// How long an account that was deleted can be brought back.
pub const GRACE: Duration = tokens::KEEP_LINK_LIVES;

const DEAD_LINK: &str = "This link was already used, it expired, or we sent a newer one. Ask again in your settings.";

/// Leaves for a while: a right password brings the account back. Answers when every live server refuses the account's keys, or with which may
/// not yet.
pub async fn deactivate(ctx: &Ctx, caller: &Caller, from: &Visitor, current_password: Option<&SecretString>) -> Result<Refused, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    fresh_proof(ctx, caller, current_password).await?;
    let mut tx = ctx.db.begin().await?;
    store::lock_account(&mut tx, caller.account).await?;
    must_still_be_in(&mut tx, caller).await?;
    if let Some((account, cause)) = depart(ctx, &mut tx, caller.account, None, from).await? {
        queue::enqueue(ctx, &mut tx, &SendDeparted { account, cause }).await?;
    }
    tx.commit().await?;
    Ok(keys_refused(ctx, caller.account).await)
}

/// Asks to be deleted, with a recent proof and the typed address or handle; mails the link that does it. Answers where it went.
pub async fn ask_deletion(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &str, current_password: Option<&SecretString>) -> Result<Email, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    fresh_proof(ctx, caller, current_password).await?;
    let email: Email = caller.email.parse().map_err(AppError::internal)?;
    let profile = super::profile(ctx, caller).await?;
    let is_address = typed.parse::<Email>().is_ok_and(|typed| typed.key() == email.key());
    if !is_address && profile.handle.as_ref().is_none_or(|handle| *handle != typed.trim().to_ascii_lowercase()) {
        return Err(AppError::invalid("email", format!("Type {email} to confirm.")));
    }
    // By the account, not its address: strangers who ask for mails there do not keep its owner from leaving.
    Attempt::charge(ctx, &attempts::MAIL, &caller.account.to_string()).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let facts = administration::find_account(&mut *tx, caller.account, now).await?.ok_or(AppError::NotFound)?;
    not_the_last_operator(&mut tx, &facts, now).await?;
    let change = Change { kind: "account.deletion_asked", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    queue::enqueue(ctx, &mut tx, &SendDeletionLink { account: caller.account, cause }).await?;
    tx.commit().await?;
    Ok(email)
}

/// Whose account a link deletes, while it works. Changes nothing (R53).
pub async fn deletion_link(ctx: &Ctx, token: &str) -> Result<Option<String>, AppError> {
    match tokens::check_link(ctx, token, Purpose::DeleteAccount).await? {
        Some(right) => Ok(accounts::find_account(&ctx.db, right.account).await?.map(|account| account.email)),
        None => Ok(None),
    }
}

/// The last confirmation: the account is left, and erased 30 days later. Of several at once, one counts. Answers as `deactivate`.
pub async fn confirm_deletion(ctx: &Ctx, from: &Visitor, token: &str) -> Result<Refused, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let dead = || AppError::invalid("", DEAD_LINK);
    let right = tokens::check_link(ctx, token, Purpose::DeleteAccount).await?.ok_or_else(dead)?;
    let holder = accounts::find_account(&ctx.db, right.account).await?.ok_or_else(dead)?;
    must_not_be_barred(ctx, &holder, from.address).await?;
    let mut tx = ctx.db.begin().await?;
    if !store::lock_account(&mut tx, right.account).await? || !right.consume(ctx, &mut tx).await? {
        return Err(dead());
    }
    if let Some((account, cause)) = depart(ctx, &mut tx, right.account, Some(GRACE), from).await? {
        queue::enqueue(ctx, &mut tx, &SendDeparted { account, cause }).await?;
    }
    tx.commit().await?;
    let refused = keys_refused(ctx, right.account).await;
    attempt.refund(ctx).await?;
    Ok(refused)
}

/// Everything that lets somebody in ends, and it is written down. None: it was left already.
async fn depart(ctx: &Ctx, conn: &mut PgConnection, id: AccountId, grace: Option<Duration>, from: &Visitor) -> Result<Option<(AccountId, EventId)>, AppError> {
    let now = ctx.clock.now();
    let account = administration::find_account(&mut *conn, id, now).await?.ok_or(AppError::NotFound)?;
    not_the_last_operator(conn, &account, now).await?;
    if !store::insert_departure(conn, id, Departure { at: now, erase_at: grace.map(|days| now + days) }).await? {
        return Ok(None);
    }
    sessions::delete_sessions(&mut *conn, id, None).await?;
    pending::delete_pending_of(conn, id).await?;
    email_changes::delete_change(conn, id).await?;
    token_store::delete_tokens(conn, id, &KINDS).await?;
    let kind = if grace.is_some() { "account.deleted" } else { "account.deactivated" };
    let cause = record(ctx, conn, Change { kind, workspace: account.workspace, ..about(id, &account.name, from) }).await?;
    Ok(Some((id, cause)))
}

/// Somebody must be left who can let others in (R65); of two who leave at once, one stays.
async fn not_the_last_operator(conn: &mut PgConnection, account: &AccountFacts, now: OffsetDateTime) -> Result<(), AppError> {
    if account.is_operator && operators::count_others(conn, account.id, now).await? == 0 {
        return Err(AppError::conflict("You are the last operator who can come in. Make another one first: tollgate admin create."));
    }
    Ok(())
}
