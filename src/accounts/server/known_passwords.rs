//! Accounts that were made with a password that everybody can read, as those of the demo: whether one still has it, and taking it out of
//! use (R13). Which accounts these are is for the caller to say.

use super::{
    Visitor,
    administration::{disable_in, done_to},
    factors::require_admin_proof,
    passwords::{Passwords, Verdict},
    sign_up::DEVELOPER,
    store::{accounts, administration as store, departures::lock_account},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::Ctx,
    values::{Email, permission_names as may},
};
use secrecy::SecretString;
use serde_json::Value;

/// Whether the account at this address has this password. A disabled one counts: enabled again, it would let in whoever knows it.
pub async fn has_password(ctx: &Ctx, email: &Email, password: &SecretString) -> Result<bool, AppError> {
    let Some(hash) = accounts::find_by_email(&ctx.db, &email.key()).await?.and_then(|account| account.password_hash) else { return Ok(false) };
    Ok(Passwords::of(ctx)?.verify(Some(&hash), password).await? != Verdict::Wrong)
}

/// Disables an account for good: it has no password and is no operator any more, also where it was the only one. False if there is none.
pub async fn close_account(ctx: &Ctx, caller: &Caller, from: &Visitor, email: &Email, reason: &str) -> Result<bool, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let Some(account) = accounts::find_by_email(&mut *tx, &email.key()).await? else { return Ok(false) };
    lock_account(&mut tx, account.id).await?;
    accounts::replace_roles(&mut tx, account.id, &[DEVELOPER], now).await?;
    accounts::clear_password(&mut tx, account.id, now).await?;
    let facts = store::find_account(&mut *tx, account.id, now).await?.ok_or(AppError::NotFound)?;
    record(ctx, &mut tx, Change { kind: "account.closed", reason, ..done_to(&facts, caller, from, Value::Null) }).await?;
    disable_in(ctx, &mut tx, caller, from, &facts, reason).await?;
    tx.commit().await?;
    Ok(true)
}
