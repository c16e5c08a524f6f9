//! Signing in with a password. Every refusal costs one run of Argon2 and says one sentence, whoever is or isn't behind the
//! address (R15, R16); only the right password is told that the address is not proven, or the account kept out or left (R18).

use super::{
    Visitor,
    attempts::{self, Attempt},
    devices,
    entry::{Barred, Entrant, may_come_in},
    locks,
    passwords::{Passwords, Verdict},
    sign_up::about,
    store::{
        accounts::{self as store, Account},
        departures::find_departure,
        locks::delete_lock,
    },
};
use crate::{
    activity::server::{Change, record},
    error::{AppError, wait_in_words},
    platform::Ctx,
    values::{AccountId, Email},
};
use secrecy::SecretString;
use std::sync::Arc;
use time::OffsetDateTime;

/// How a right password ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// The account may have a session.
    Done(Proven),
    /// The address is not proven yet.
    Unproven(Email),
    /// Its owner left it, for a while or for good, and may bring it back.
    Departed(AccountId),
}

/// Who knew the password, and of which one that is said: a session begins only while that one still stands (`sessions::begin`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven {
    pub account: AccountId,
    pub password_set_at: Option<OffsetDateTime>,
}

/// Checks address and password. It makes no session: that is the browser's part (`sessions::begin`).
pub async fn sign_in(ctx: &Ctx, from: &Visitor, email: &str, password: &SecretString) -> Result<SignIn, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    let by_address = Attempt::charge(ctx, &attempts::SIGN_IN_FROM, &attempts::network(from.address)).await?;
    let passwords = Passwords::of(ctx)?;
    let account = store::find_by_email(&ctx.db, &email.key()).await?;
    // A known browser of the owner counts for itself: strangers who guess at the address do not shut it out (R20).
    let device = devices::known(ctx, account.as_ref().map(|a| a.id)).await?;
    let charged = match device {
        Some(device) => Attempt::charge(ctx, &attempts::SIGN_IN_DEVICE, &device.to_string()).await,
        None => Attempt::charge(ctx, &attempts::SIGN_IN, &email.key()).await,
    };
    let by_email = match charged {
        Ok(attempt) => attempt,
        Err(locked) => {
            passwords.verify(None, password).await?;
            return Err(locked);
        }
    };
    let stored = account.as_ref().and_then(|a| a.password_hash.as_deref());
    let (account, verdict) = match (passwords.verify(stored, password).await, account) {
        (Ok(verdict @ (Verdict::Right | Verdict::RightButOld)), Some(account)) => (account, verdict),
        (Ok(_), account) => {
            tracing::info!(address = %from.address, "sign-in refused: wrong password or unknown address");
            if device.is_none() {
                locks::note_failure(ctx, from, by_email.wait, account.map(|a| a.id)).await?;
            }
            return Err(wrong(&by_email));
        }
        (Err(busy), _) => {
            // Nothing was tried, so nothing counts.
            by_email.refund(ctx).await?;
            by_address.refund(ctx).await?;
            return Err(busy);
        }
    };
    by_address.refund(ctx).await?;
    by_email.forgive(ctx).await?;
    match may_come_in(ctx, Entrant::of(&account, from.address)).await? {
        Ok(()) => {}
        Err(Barred::Unproven) => return Ok(SignIn::Unproven(account.email.parse().map_err(AppError::internal)?)),
        Err(barred) => return Err(barred.told(ctx, &account.time_zone)),
    }
    if find_departure(&ctx.db, account.id).await?.is_some() {
        return Ok(SignIn::Departed(account.id));
    }
    if verdict == Verdict::RightButOld {
        rehash(ctx, &passwords, &account, password).await;
    }
    let mut tx = ctx.db.begin().await?;
    store::update_signed_in(&mut tx, account.id, ctx.clock.now()).await?;
    if device.is_none() {
        delete_lock(&mut *tx, account.id).await?;
    }
    let change = Change { kind: "account.signed_in", workspace: account.workspace, ..about(account.id, &account.name, from) };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(SignIn::Done(Proven { account: account.id, password_set_at: account.password_set_at }))
}

/// One sentence for all causes, and the pause that now follows.
fn wrong(attempt: &Attempt) -> AppError {
    let pause = match attempt.wait {
        0 => String::new(),
        seconds => format!(" Wait {} before the next try, or set a new password.", wait_in_words(seconds)),
    };
    AppError::invalid("password", format!("Email and password do not belong together.{pause}"))
}

/// The same password under the present parameters (R11). If that fails, the old hash stays good.
async fn rehash(ctx: &Ctx, passwords: &Arc<Passwords>, account: &Account, password: &SecretString) {
    let Some(old) = account.password_hash.as_deref() else { return };
    let done = async {
        let new = passwords.hash(&ctx.rng, password).await?;
        Ok::<_, AppError>(store::update_rehashed(&ctx.db, account.id, old, &new).await?)
    };
    if let Err(error) = done.await {
        tracing::warn!("the password hash of {} was not renewed: {error}", account.id);
    }
}
