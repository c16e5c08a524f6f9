//! A forgotten password, and a new one: by a mailed link, or from the settings by who knows the present one.
//!
//! A new password ends sessions: all of them after a link (R46), all others after a change.

use super::{
    Visitor,
    attempts::{self, Attempt},
    devices,
    entry::is_of_banned_domain,
    fresh_proof::{guesses_at, must_know_password},
    jobs::SendPasswordChanged,
    mail_asked::{Wish, ask},
    password_rules,
    passwords::Passwords,
    reset_codes::Asked,
    sessions::must_still_be_in,
    sign_up::about,
    store::{
        accounts as store, attempts as buckets, departures::lock_account, devices::list_devices, email_changes, factors::pending, locks, sessions,
        tokens as token_store,
    },
    taking_back::take_back_all,
    tokens::{self, Purpose},
};
use crate::{
    accounts::model::{Caller, ResetLink, Via},
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::Email,
    values::permission_names as may,
};
use secrecy::SecretString;
use sqlx::PgConnection;

/// The address of an operator who has not chosen one yet (see `operators::ensure_first_operator`).
pub const PLACEHOLDER_OPERATOR: &str = "operator@localhost";

const DEAD_LINK: &str = "This link was already used, it expired, or we sent a newer one. Ask for a new one.";

/// Sends a link and a code to set a new password; the same answer for every address (S64). An unproven address gets its proof again.
pub async fn forgot_password(ctx: &Ctx, from: &Visitor, email: &str) -> Result<Asked, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    Attempt::charge(ctx, &attempts::MAIL_FROM, &attempts::network(from.address)).await?;
    Attempt::charge(ctx, &attempts::MAIL, &email.key()).await?;
    let is_banned = is_of_banned_domain(ctx, &email).await?;
    let mut tx = ctx.db.begin().await?;
    let account = store::find_by_email(&mut *tx, &email.key()).await?.filter(|_| !is_banned);
    let cause = ask(ctx, &mut tx, from, Wish::Reset, account.map(|account| account.id)).await?;
    tx.commit().await?;
    Ok(Asked { email, flow: cause.uuid() })
}

/// What stands behind a link, if it still works. Changes nothing (R53).
pub async fn reset_link(ctx: &Ctx, token: &str) -> Result<Option<ResetLink>, AppError> {
    let sets_password = |kind: &str| [Purpose::ResetPassword, Purpose::OperatorLink].iter().any(|p| p.as_str() == kind);
    let Some(found) = tokens::look_up(ctx, token).await?.filter(|t| !t.is_used && sets_password(&t.kind)) else {
        return Ok(None);
    };
    let account = store::find_account(&ctx.db, found.account).await?;
    Ok(account.map(|a| ResetLink { asks_email: a.email == PLACEHOLDER_OPERATOR, email: a.email, name: a.name }))
}

/// Sets the password that a link stands for and ends every session; of several uses at once, one works. Nobody is signed in by it.
/// `email` is read only for the first operator, who has none yet.
pub async fn reset_password(ctx: &Ctx, from: &Visitor, token: &str, email: Option<&str>, password: &SecretString) -> Result<Email, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let dead = || AppError::invalid("", DEAD_LINK);
    let link = reset_link(ctx, token).await?.ok_or_else(dead)?;
    let email: Email = match (link.asks_email, email) {
        (true, given) => given.unwrap_or_default().parse().map_err(|e| AppError::invalid("email", e))?,
        (false, _) => link.email.parse().map_err(AppError::internal)?,
    };
    check_new(ctx, password, &link.name, &email).await?;
    let hash = Passwords::of(ctx)?.hash(&ctx.rng, password).await?;

    let found = tokens::look_up(ctx, token).await?.ok_or_else(dead)?;
    let mut tx = ctx.db.begin().await?;
    // The account first, as everybody does.
    lock_account(&mut tx, found.account).await?;
    let account = tokens::consume(ctx, &mut tx, token, &[Purpose::ResetPassword, Purpose::OperatorLink]).await?.ok_or_else(dead)?;
    let now = ctx.clock.now();
    if link.asks_email && !store::update_identity(&mut tx, account, email.as_str(), &email.key(), now).await? {
        return Err(AppError::invalid("email", "Another account has this address. Choose a different one."));
    }
    if store::update_verified(&mut tx, account, now).await? {
        // What somebody left behind who signed up with this address and never proved it (R57).
        take_back_all(ctx, &mut tx, account).await?;
    }
    set_password(ctx, &mut tx, &email, &hash, Change { kind: "account.password_reset", ..about(account, &link.name, from) }).await?;
    sessions::delete_sessions(&mut *tx, account, None).await?;
    tx.commit().await?;
    attempt.refund(ctx).await?;
    Ok(email)
}

/// Sets a new password for the caller, who knows the present one; ends all other sessions and says how many.
pub async fn change_password(ctx: &Ctx, caller: &Caller, from: &Visitor, current: &SecretString, new: &SecretString) -> Result<u64, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let email: Email = caller.email.parse().map_err(AppError::internal)?;
    check_new(ctx, new, &caller.name, &email).await?;
    let before = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    must_know_password(ctx, caller, current).await?;
    let hash = Passwords::of(ctx)?.hash(&ctx.rng, new).await?;

    let mut tx = ctx.db.begin().await?;
    // Hashing takes its time: a password that was replaced meanwhile, by its owner perhaps, is not replaced by who knew the old one.
    lock_account(&mut tx, caller.account).await?;
    must_still_be_in(&mut tx, caller).await?;
    let now = store::find_account(&mut *tx, caller.account).await?.ok_or(AppError::NotFound)?;
    if now.password_hash != before.password_hash {
        return Err(AppError::conflict("The password was just changed. Sign in with the new one."));
    }
    let keep = match caller.via {
        // A program asks again who it is: what it stands on has changed.
        Via::Session(id) => Some(id),
        Via::Key(_) | Via::Token(_) | Via::Cli | Via::Acting(_) => None,
    };
    let change = Change { kind: "account.password_changed", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    set_password(ctx, &mut tx, &email, &hash, change).await?;
    let ended = sessions::delete_sessions(&mut *tx, caller.account, keep).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn check_new(ctx: &Ctx, password: &SecretString, name: &str, email: &Email) -> Result<(), AppError> {
    password_rules::check_new(ctx, password, name, email.as_str()).await.map_err(|reason| AppError::invalid("new_password", reason))
}

/// What every new password does, before sessions are ended (`sessions::begin` relies on that order): mailed proofs die (R52), the lock opens (R20), the event, the mail (R26).
async fn set_password(ctx: &Ctx, conn: &mut PgConnection, email: &Email, hash: &str, change: Change<'_>) -> sqlx::Result<()> {
    let Some(account) = change.actor else { return Ok(()) };
    store::update_password(conn, account, hash, ctx.clock.now()).await?;
    email_changes::delete_change(conn, account).await?;
    token_store::delete_tokens(conn, account, &tokens::KINDS).await?;
    pending::delete_pending_of(conn, account).await?;
    devices::forget_others(ctx, conn, account).await?;
    let mut locks = guesses_at(ctx, account);
    locks.extend(attempts::SIGN_IN.buckets(ctx, &email.key()));
    let known = list_devices(&mut *conn, account).await?;
    locks.extend(known.into_iter().flat_map(|device| attempts::SIGN_IN_DEVICE.buckets(ctx, &device.to_string())));
    buckets::delete_buckets(&mut *conn, &locks).await?;
    locks::delete_lock(&mut *conn, account).await?;
    let cause = record(ctx, conn, change).await?;
    jobs::enqueue(ctx, conn, &SendPasswordChanged { account, cause }).await?;
    Ok(())
}
