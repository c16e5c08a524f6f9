//! Locks: what becomes of an address at which somebody guesses for long (`attempts`). Its owner is told by one mail, whose link ends
//! the wait; operators see it and can end it; a new password ends it too (R20). From a browser in which the owner came in before, it
//! does not hold at all (`devices`).
//!
//! After a hundred failures in a row the password is tried no more outside those browsers, and only a new one ends that: neither the link
//! of the mail nor an operator does (R19). Passkeys and the link to set a new password work on, so nobody is shut out by it.

use super::{
    Visitor,
    administration::done_to,
    attempts::{self, Attempt},
    fresh_proof::guesses_at,
    jobs::SendNothing,
    sign_up::about,
    store::{accounts, administration, attempts as buckets, locks as store},
    tokens,
    warnings::{NoteLock, SendLocked, SendStopped},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256, jobs},
    values::{AccountId, Email, EventId, permission_names as may},
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::Duration;

/// From this wait in seconds on an address counts as locked: nine wrong passwords in a row.
const LOCKED_FROM: u64 = 60;
/// How long the link of the mail works.
const LINK_LIVES: Duration = Duration::hours(24);

/// After a wrong password by which the next try has to wait so many seconds. The same work whether the address has an account or not
/// (R16): what there is to do for an account is done by a job.
pub async fn note_failure(ctx: &Ctx, from: &Visitor, wait: u64, account: Option<AccountId>) -> Result<(), AppError> {
    if wait < LOCKED_FROM {
        return Ok(());
    }
    let mut tx = ctx.db.begin().await?;
    match account {
        Some(account) => jobs::enqueue(ctx, &mut tx, &NoteLock { account, address: from.address, device: from.device.clone() }).await?,
        None => jobs::enqueue(ctx, &mut tx, &SendNothing {}).await?,
    };
    tx.commit().await?;
    Ok(())
}

/// Writes down that an account is locked, as long as it is; the first time its owner is told.
pub async fn note_lock(ctx: &Ctx, from: &Visitor, account: AccountId) -> Result<(), AppError> {
    let Some(found) = accounts::find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let email: Email = found.email.parse().map_err(AppError::internal)?;
    let (now, bucket) = (ctx.clock.now(), attempts::SIGN_IN.bucket(ctx, &email.key()));
    let Some((failures, until)) = buckets::find_counter(&ctx.db, &bucket).await?.filter(|(_, until)| *until > now) else { return Ok(()) };

    let is_stopped = attempts::is_stopped(until, now);
    let kind = if is_stopped { "account.password_stopped" } else { "account.locked" };
    let mut tx = ctx.db.begin().await?;
    let mut data = from.facts();
    data["failures"] = json!(failures);
    let change = Change { kind, actor_name: "system", workspace: found.workspace, subject: Some(account.uuid()), data, ..Change::default() };
    let cause = record(ctx, &mut tx, change).await?;
    let is_new = store::insert_lock(&mut *tx, account, until, &sha256(token(ctx, account, cause)), now + LINK_LIVES, now).await?;
    if is_stopped {
        if store::update_stopped(&mut *tx, account, now).await? {
            jobs::enqueue(ctx, &mut tx, &SendStopped { account, cause }).await?;
            tx.commit().await?;
        }
    } else if is_new {
        jobs::enqueue(ctx, &mut tx, &SendLocked { account, cause }).await?;
        tx.commit().await?;
    } else {
        // Known already: the end is another one, and nobody is told again.
        tx.rollback().await?;
        store::insert_lock(&ctx.db, account, until, &sha256(token(ctx, account, cause)), now + LINK_LIVES, now).await?;
    }
    Ok(())
}

/// What the link of the mail holds.
pub fn token(ctx: &Ctx, account: AccountId, cause: EventId) -> String {
    tokens::secret(ctx, "unlock", account, cause)
}

/// Ends a lock by the link of its mail; once.
pub async fn unlock(ctx: &Ctx, from: &Visitor, token: &str) -> Result<(), AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let mut tx = ctx.db.begin().await?;
    let dead = || AppError::invalid("", "This link was already used, or it expired. If you still have to wait to sign in, set a new password.");
    let account = store::delete_lock_by_token(&mut *tx, &sha256(token), ctx.clock.now()).await?.ok_or_else(dead)?;
    let found = accounts::find_account(&mut *tx, account).await?.ok_or(AppError::NotFound)?;
    clear(ctx, &mut tx, account, &found.email).await?;
    record(ctx, &mut tx, Change { kind: "account.unlocked", workspace: found.workspace, ..about(account, &found.name, from) }).await?;
    tx.commit().await?;
    attempt.refund(ctx).await
}

/// Ends the lock of an account, for an operator. Nothing is done if there is none.
pub async fn unlock_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<(), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let account = administration::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    if store::is_stopped(&mut *tx, id).await? {
        return Err(AppError::conflict("After 100 wrong tries in a row only a new password ends this. Send a reset link."));
    }
    if clear(ctx, &mut tx, id, &account.email).await? {
        record(ctx, &mut tx, Change { kind: "account.unlocked", ..done_to(&account, caller, from, Value::Null) }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Forgets what was counted against an account and its address; true if it was locked.
pub async fn clear(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, email: &str) -> Result<bool, AppError> {
    let email: Email = email.parse().map_err(AppError::internal)?;
    let mut counted = guesses_at(ctx, account);
    counted.extend(attempts::SIGN_IN.buckets(ctx, &email.key()));
    buckets::delete_buckets(&mut *conn, &counted).await?;
    Ok(store::delete_lock(conn, account).await?)
}

/// True if a lock until then is the one that only a new password ends.
pub fn is_password_stopped(ctx: &Ctx, until: time::OffsetDateTime) -> bool {
    attempts::is_stopped(until, ctx.clock.now())
}
