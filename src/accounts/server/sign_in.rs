//! Signing in with a password. Every refusal costs one run of Argon2 and says one sentence, whoever is or isn't behind the
//! address (R15, R16); only the right password, and the second factor where there is one, is told that the address is not proven or the
//! account disabled (R18).

use super::{
    Visitor,
    attempts::{self, Attempt},
    factors,
    passwords::{Passwords, Verdict},
    sign_up::about,
    store::accounts::{self as store, Account},
};
use crate::{
    activity::server::{Change, record},
    error::{AppError, wait_in_words},
    platform::Ctx,
    values::{AccountId, Email, SessionId},
};
use secrecy::SecretString;
use sqlx::PgConnection;
use std::sync::Arc;
use time::OffsetDateTime;

/// How a right password ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// The account may have a session.
    Done(Proven),
    /// The address is not proven yet.
    Unproven(Email),
    /// A second factor is asked for; what the browser keeps until then (`factors::finish_sign_in`).
    SecondFactor(String),
}

/// Who knew the password, and of which one that is said: a session begins only while that one still stands (`sessions::begin`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven {
    pub account: AccountId,
    pub password_set_at: Option<OffsetDateTime>,
    /// The session that began with the second factor, waiting for its cookie.
    pub session: Option<SessionId>,
}

/// Checks address and password. It makes no session: that is the browser's part (`sessions::begin`).
pub async fn sign_in(ctx: &Ctx, from: &Visitor, email: &str, password: &SecretString) -> Result<SignIn, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    let by_address = Attempt::charge(ctx, &attempts::SIGN_IN_FROM, &attempts::network(from.address)).await?;
    let passwords = Passwords::of(ctx)?;
    let by_email = match Attempt::charge(ctx, &attempts::SIGN_IN, &email.key()).await {
        Ok(attempt) => attempt,
        Err(locked) => {
            passwords.verify(None, password).await?;
            return Err(locked);
        }
    };
    let account = store::find_by_email(&ctx.db, &email.key()).await?;
    let stored = account.as_ref().and_then(|a| a.password_hash.as_deref());
    let (account, verdict) = match (passwords.verify(stored, password).await, account) {
        (Ok(verdict @ (Verdict::Right | Verdict::RightButOld)), Some(account)) => (account, verdict),
        (Ok(_), _) => {
            tracing::info!(address = %from.address, "sign-in refused: wrong password or unknown address");
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
    if factors::has_second_factor(ctx, account.id).await? {
        // Only the second factor wipes the count: who knows the password must not guess codes for ever.
        by_email.refund(ctx).await?;
        if verdict == Verdict::RightButOld {
            rehash(ctx, &passwords, &account, password).await;
        }
        return Ok(SignIn::SecondFactor(factors::pend(ctx, &account).await?));
    }
    super::store::attempts::delete_buckets(&ctx.db, &[attempts::SIGN_IN.bucket(ctx, &email.key())]).await?;
    if let Some(reason) = &account.disabled {
        return Err(disabled(reason));
    }
    if !account.is_verified {
        return Ok(SignIn::Unproven(account.email.parse().map_err(AppError::internal)?));
    }
    if verdict == Verdict::RightButOld {
        rehash(ctx, &passwords, &account, password).await;
    }
    let mut tx = ctx.db.begin().await?;
    admit(ctx, &mut tx, &account, from).await?;
    tx.commit().await?;
    Ok(SignIn::Done(Proven { account: account.id, password_set_at: account.password_set_at, session: None }))
}

/// What every sign-in writes.
pub(super) async fn admit(ctx: &Ctx, conn: &mut PgConnection, account: &Account, from: &Visitor) -> sqlx::Result<()> {
    store::update_signed_in(conn, account.id, ctx.clock.now()).await?;
    let change = Change { kind: "account.signed_in", workspace: account.workspace, ..about(account.id, &account.name, from) };
    record(ctx, conn, change).await?;
    Ok(())
}

/// One sentence for all causes, and the pause that now follows.
fn wrong(attempt: &Attempt) -> AppError {
    let pause = match attempt.wait {
        0 => String::new(),
        seconds => format!(" Wait {} before the next try, or set a new password.", wait_in_words(seconds)),
    };
    AppError::invalid("password", format!("Email and password do not belong together.{pause}"))
}

pub(super) fn disabled(reason: &str) -> AppError {
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    AppError::conflict(format!("This account is disabled{because}. Ask the operator of this site."))
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
