//! Who lost the app and the codes asks an operator. The operator's word is not enough at once (R34): the owner is mailed and has a day
//! to stop it, by a link that works without signing in. From the server's own command line it is done at once.

use super::{SendFactorChanged, Told, require_admin_proof, totp};
use crate::{
    accounts::{
        model::Caller,
        server::{
            Visitor,
            administration::{checked_reason, done_to},
            devices,
            profile::in_full,
            sign_up::about,
            store::{accounts, administration, departures::lock_account, factors as all, factors::resets as store, sessions},
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{
        Ctx,
        crypto::sha256,
        jobs::{self, Job, JobError},
    },
    values::{AccountId, EventId, permission_names as may},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// How long the owner has to stop it.
const DELAY: Duration = Duration::hours(24);

/// Takes the factors away when the time has come, unless it was stopped.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResetFactors {
    pub account: AccountId,
}

impl Job for ResetFactors {
    const KIND: &'static str = "accounts.reset_factors";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let mut tx = ctx.db.begin().await?;
        let Some(due) = store::take_due(&mut tx, self.account, ctx.clock.now()).await? else { return Ok(()) };
        let change = Change {
            actor: due.by,
            actor_name: &due.by_name,
            subject: Some(self.account.uuid()),
            reason: &due.reason,
            data: json!({ "delayed": true }),
            ..Change::default()
        };
        take_away(ctx, &mut tx, self.account, change).await?;
        Ok(tx.commit().await?)
    }
}

/// Asks for the removal of an account's second factors; answers when it happens.
pub async fn ask_reset(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, reason: &str) -> Result<OffsetDateTime, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let reason = checked_reason(reason)?;
    if reason.is_empty() {
        return Err(AppError::invalid("reason", "Say why, and how you know that the request is from the owner."));
    }
    if caller.actor() == Some(id) {
        return Err(AppError::conflict("Remove your own second factors under Security, or ask another operator."));
    }
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let account = administration::find_account(&mut *tx, id, now).await?.ok_or(AppError::NotFound)?;
    if !all::has_second(&mut *tx, id).await? {
        return Err(AppError::conflict("This account has no second factor."));
    }
    let due_at = now + DELAY;
    let change = Change { kind: "factor.reset_asked", reason: &reason, ..done_to(&account, caller, from, Value::Null) };
    let cause = record(ctx, &mut tx, change).await?;
    let token_hash = sha256(token(ctx, id, cause));
    let new = store::NewReset { account: id, now, due_at, by: caller.actor(), by_name: &caller.name, reason: &reason, token_hash: &token_hash };
    if !store::insert_reset(&mut tx, new).await? {
        return Err(AppError::conflict("A reset is already under way. The owner was told and can stop it."));
    }
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: id, cause, told: Told::ResetAsked }).await?;
    jobs::enqueue_at(ctx, &mut tx, &ResetFactors { account: id }, due_at).await?;
    tx.commit().await?;
    Ok(due_at)
}

/// Removes them now: for the command line of the server, where nobody can be asked.
pub async fn reset_factors_now(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, reason: &str) -> Result<bool, AppError> {
    if caller.actor().is_some() {
        return Err(AppError::refused("Only the command line of the server does this at once."));
    }
    let reason = checked_reason(reason)?;
    let mut tx = ctx.db.begin().await?;
    let account = administration::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    let had = take_away(ctx, &mut tx, id, Change { reason: &reason, ..done_to(&account, caller, from, Value::Null) }).await?;
    tx.commit().await?;
    Ok(had)
}

/// When the reset that the link stops would happen, in full, in the zone of its account. Changes nothing (R53).
pub async fn waiting_reset(ctx: &Ctx, token: &str) -> Result<Option<String>, AppError> {
    let Some((id, due_at)) = store::find_reset(&ctx.db, &sha256(token)).await? else { return Ok(None) };
    let account = accounts::find_account(&ctx.db, id).await?;
    Ok(account.map(|account| in_full(due_at, &account.time_zone)))
}

/// Stops a reset: by the mailed link, once.
pub async fn stop_reset(ctx: &Ctx, from: &Visitor, token: &str) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    let dead = || AppError::invalid("", "This link no longer works. The removal was already stopped or completed.");
    let id = store::delete_reset(&mut tx, &sha256(token)).await?.ok_or_else(dead)?;
    let account = accounts::find_account(&mut *tx, id).await?.ok_or(AppError::NotFound)?;
    let change = Change { kind: "factor.reset_stopped", workspace: account.workspace, ..about(id, &account.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: id, cause, told: Told::ResetStopped }).await?;
    Ok(tx.commit().await?)
}

/// The token of the link in the mail about this event: made again, it is the same.
pub(super) fn token(ctx: &Ctx, account: AccountId, cause: EventId) -> String {
    let hash = ctx.vault.keyed_hash_of(cause.uuid(), "factor reset link", format!("{account}:{cause}").as_bytes());
    data_encoding::HEXLOWER.encode(&hash)
}

/// Factors, half-finished sign-ins and sessions end together: whoever has the lost factor has nothing.
async fn take_away(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, change: Change<'_>) -> sqlx::Result<bool> {
    if !lock_account(conn, account).await? || !totp::delete_all(conn, account).await? {
        return Ok(false);
    }
    all::pending::delete_pending_of(conn, account).await?;
    sessions::delete_sessions(&mut *conn, account, None).await?;
    devices::forget_others(ctx, conn, account).await?;
    let cause = record(ctx, conn, Change { kind: "factor.reset", ..change }).await?;
    jobs::enqueue(ctx, conn, &SendFactorChanged { account, cause, told: Told::ResetDone }).await?;
    Ok(true)
}
