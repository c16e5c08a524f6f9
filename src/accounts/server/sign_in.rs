//! Signing in with a password. Every refusal costs one run of Argon2 and says one sentence, whoever is or isn't behind the
//! address (R15, R16); only the right password, and the second factor where there is one, is told that the address is not proven, or the
//! account kept out or left (R18).

use super::{
    Visitor,
    attempts::{self, Attempt},
    devices,
    entry::{Barred, Entrant, may_come_in},
    factors, locks,
    passwords::{Passwords, Verdict},
    sign_up::about,
    store::{
        accounts::{self as store, Account},
        attempts::delete_open_buckets,
        departures::find_departure,
        imports,
        locks::delete_open_lock,
    },
};
use crate::{
    activity::server::{Change, record},
    error::AppError,
    platform::Ctx,
    values::{AccountId, DeviceId, Email, SessionId},
};
use secrecy::SecretString;
use sqlx::PgConnection;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// How a right password ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// The account may have a session.
    Done(Proven),
    /// The address is not proven yet.
    Unproven(Email),
    /// Its owner left it, for a while or for good, and may bring it back.
    Departed(AccountId),
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

/// What stands between a session and who proved everything that is asked for.
#[derive(Debug)]
pub(super) enum Way {
    Free,
    Unproven(Email),
    Departed(AccountId),
    /// What the person is told.
    Barred(AppError),
}

/// Checks address and password. It makes no session: that is the browser's part (`sessions::begin`).
pub async fn sign_in(ctx: &Ctx, from: &Visitor, email: &str, password: &SecretString) -> Result<SignIn, AppError> {
    let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
    let by_address = Attempt::charge(ctx, &attempts::SIGN_IN_FROM, &attempts::network(from.address)).await?;
    let passwords = Passwords::of(ctx)?;
    let account = store::find_by_email(&ctx.db, &email.key()).await?;
    let device = devices::known(ctx, account.as_ref().map(|a| a.id)).await?;
    let kinds = imports::list_kinds(&ctx.db).await?;
    let by_email = match charge(ctx, device, &email).await {
        Ok(attempt) => attempt,
        Err(locked) => {
            passwords.verify_alike(None, password, &kinds).await?;
            return Err(locked);
        }
    };
    let stored = account.as_ref().and_then(|a| a.password_hash.as_deref());
    let (account, verdict) = match (passwords.verify_alike(stored, password, &kinds).await, account) {
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
    if verdict == Verdict::RightButOld {
        rehash(ctx, &passwords, &account, password).await;
    }
    if factors::has_second_factor(ctx, account.id).await? {
        // Only the second factor wipes the count: who knows the password must not guess codes for ever.
        by_email.refund(ctx).await?;
        return Ok(SignIn::SecondFactor(factors::pend(ctx, &account).await?));
    }
    by_email.forgive(ctx).await?;
    let way = way_in(ctx, from, &account).await?;
    if way.is_free() {
        let mut tx = ctx.db.begin().await?;
        admit(ctx, &mut tx, &account, device, from).await?;
        tx.commit().await?;
    }
    way.taken_by(Proven { account: account.id, password_set_at: account.password_set_at, session: None })
}

/// Counts a try. A known browser of the owner counts for itself: strangers who guess at the address do not shut it out (R20).
pub(super) async fn charge(ctx: &Ctx, device: Option<DeviceId>, email: &Email) -> Result<Attempt, AppError> {
    match device {
        Some(device) => Attempt::charge(ctx, &attempts::SIGN_IN_DEVICE, &device.to_string()).await,
        None => Attempt::charge(ctx, &attempts::SIGN_IN, &email.key()).await,
    }
}

/// Who proved everything starts anew, where they come from.
pub(super) async fn forgive(ctx: &Ctx, device: Option<DeviceId>, email: &Email) -> Result<(), AppError> {
    let buckets = match device {
        Some(device) => attempts::SIGN_IN_DEVICE.buckets(ctx, &device.to_string()),
        None => attempts::SIGN_IN.buckets(ctx, &email.key()),
    };
    // A password that is tried no more stays so, whatever else let them in.
    Ok(delete_open_buckets(&ctx.db, &buckets, ctx.clock.now() + Duration::days(1)).await?)
}

/// Through the door (`entry`), and to an account that was not left. It is said to who proved everything only (R18).
pub(super) async fn way_in(ctx: &Ctx, from: &Visitor, account: &Account) -> Result<Way, AppError> {
    match may_come_in(ctx, Entrant::of(account, from.address)).await? {
        Ok(()) => {}
        Err(Barred::Unproven) => return Ok(Way::Unproven(account.email.parse().map_err(AppError::internal)?)),
        Err(barred) => return Ok(Way::Barred(barred.told(ctx, &account.time_zone))),
    }
    let has_left = find_departure(&ctx.db, account.id).await?.is_some();
    Ok(if has_left { Way::Departed(account.id) } else { Way::Free })
}

impl Way {
    pub(super) fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }

    /// Where it leads who proved everything.
    pub(super) fn taken_by(self, proven: Proven) -> Result<SignIn, AppError> {
        match self {
            Self::Free => Ok(SignIn::Done(proven)),
            Self::Unproven(email) => Ok(SignIn::Unproven(email)),
            Self::Departed(account) => Ok(SignIn::Departed(account)),
            Self::Barred(told) => Err(told),
        }
    }
}

/// What every sign-in writes; from another browser than the owner's known ones it ends the lock, too.
pub(super) async fn admit(ctx: &Ctx, conn: &mut PgConnection, account: &Account, device: Option<DeviceId>, from: &Visitor) -> sqlx::Result<()> {
    store::update_signed_in(conn, account.id, ctx.clock.now()).await?;
    if device.is_none() {
        delete_open_lock(&mut *conn, account.id).await?;
    }
    let change = Change { kind: "account.signed_in", workspace: account.workspace, ..about(account.id, &account.name, from) };
    record(ctx, conn, change).await?;
    Ok(())
}

/// One sentence for all causes, and the pause that now follows.
fn wrong(attempt: &Attempt) -> AppError {
    AppError::invalid("password", format!("Email and password do not match.{}", attempt.pause(", or set a new password")))
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
