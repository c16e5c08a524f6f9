//! Authenticator apps: set up (shown, then confirmed by a code: only then it counts, R32), accepted, taken away.

use super::{
    SendFactorChanged, Told, code,
    recovery::{self, Codes},
    require_recent_proof, session_of,
    step_up::must_be_ready,
};
use crate::{
    accounts::{
        model::{Caller, TotpSetup},
        server::{
            Visitor, devices,
            sessions::must_still_be_in,
            sign_up::about,
            store::{departures::lock_account, factors as all, factors::totp as store, sessions},
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, permission_names as may},
};
use sqlx::PgConnection;
use time::Duration;

/// Between the first look at the QR code and the code that confirms it.
const SETUP_LASTS: Duration = Duration::minutes(15);
/// How apps name this site.
const SITE: &str = "Tollgate";
/// What seeds are sealed for.
pub(super) const SEALED: &str = "totp seed";

/// Begins to set up an app in this session. An app that there is goes on until the new one is confirmed.
pub async fn start_totp(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    let (session, _) = must_be_ready(ctx, caller).await?;
    let seed: [u8; code::SEED_BYTES] = ctx.rng.bytes();
    let sealed = ctx.vault.seal(&ctx.rng, SEALED, caller.account.uuid().as_bytes(), &seed).map_err(AppError::internal)?;
    Ok(store::replace_enrolment(&ctx.db, caller.account, session, &sealed, ctx.clock.now() + SETUP_LASTS).await?)
}

/// What this session is setting up, to be shown; none if nothing is, or no longer.
pub async fn totp_setup(ctx: &Ctx, caller: &Caller) -> Result<Option<TotpSetup>, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let Some(sealed) = store::find_enrolment(&ctx.db, caller.account, session_of(caller)?, ctx.clock.now()).await? else { return Ok(None) };
    let seed = opened(ctx, caller.account, &sealed)?;
    let uri = code::uri(&seed, SITE, &caller.email);
    Ok(Some(TotpSetup { qr: code::qr(&uri), secret: code::grouped(&seed), uri }))
}

/// Confirms the app by a code of it. The first one brings recovery codes, to be shown once, unless there are some.
pub async fn confirm_totp(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &str, end_others: bool) -> Result<Option<Codes>, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let now = ctx.clock.now();
    let session = session_of(caller)?;
    let late = || AppError::conflict("This expired after 15 minutes, or was finished elsewhere. Start again.");
    let sealed = store::find_enrolment(&ctx.db, caller.account, session, now).await?.ok_or_else(late)?;
    let seed = opened(ctx, caller.account, &sealed)?;
    let wrong = || AppError::invalid("code", "This is not the app's current code. Check that your device's clock is right, and enter the code it shows now.");
    let step = code::digits(typed).and_then(|digits| code::matching_step(&seed, &digits, now)).ok_or_else(wrong)?;

    let mut tx = ctx.db.begin().await?;
    // The account first: a sign-in by the password alone waits for this (`sessions::begin`).
    if !lock_account(&mut tx, caller.account).await? || !store::delete_enrolment(&mut tx, caller.account, &sealed).await? {
        return Err(late());
    }
    must_still_be_in(&mut tx, caller).await?;
    let is_first = store::replace_totp(&mut tx, caller.account, &sealed, step, now).await?;
    // Somebody with a passkey may have codes already.
    let has_codes = all::find_facts(&mut *tx, caller.account).await?.codes_left > 0;
    let codes = if is_first && !has_codes { Some(recovery::make(ctx, &mut tx, caller.account).await?) } else { None };
    if end_others {
        sessions::delete_sessions(&mut *tx, caller.account, Some(session)).await?;
    }
    devices::forget_others(ctx, &mut tx, caller.account).await?;
    let (kind, told) = if is_first { ("factor.totp_added", Told::TotpAdded) } else { ("factor.totp_replaced", Told::TotpReplaced) };
    let cause = record(ctx, &mut tx, Change { kind, workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) }).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: caller.account, cause, told }).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Takes the app away. If no passkey is left either, the recovery codes go with it: they stood in for them.
pub async fn remove_totp(ctx: &Ctx, caller: &Caller, from: &Visitor) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    require_recent_proof(ctx, caller).await?;
    if super::is_required_of(ctx, caller) && all::passkeys::count_passkeys(&ctx.db, caller.account).await? == 0 {
        return Err(AppError::conflict("This site requires you to have a second factor. Set up another app instead. It replaces this one."));
    }
    let mut tx = ctx.db.begin().await?;
    if !lock_account(&mut tx, caller.account).await? || !store::delete_totp(&mut tx, caller.account).await? {
        return Ok(());
    }
    must_still_be_in(&mut tx, caller).await?;
    if !all::has_second(&mut *tx, caller.account).await? {
        if super::is_required_of(ctx, caller) {
            return Err(AppError::conflict("This site requires you to have a second factor, and your last passkey was just removed."));
        }
        all::recovery::delete_codes(&mut tx, caller.account).await?;
        all::resets::delete_reset_of(&mut tx, caller.account).await?;
    }
    devices::forget_others(ctx, &mut tx, caller.account).await?;
    let change = Change { kind: "factor.totp_removed", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: caller.account, cause, told: Told::TotpRemoved }).await?;
    Ok(tx.commit().await?)
}

/// Every second factor of an account; true if there was one.
pub(super) async fn delete_all(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<bool> {
    let had_app = store::delete_totp(conn, account).await?;
    let had_passkeys = all::passkeys::delete_passkeys(conn, account).await?;
    all::recovery::delete_codes(conn, account).await?;
    all::resets::delete_reset_of(conn, account).await?;
    Ok(had_app || had_passkeys)
}

/// Accepts a code once, in the transaction of what it proves (R29).
pub(super) async fn accept(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, typed: &str) -> Result<bool, AppError> {
    let (Some(digits), Some(sealed)) = (code::digits(typed), store::find_seed(&mut *conn, account).await?) else { return Ok(false) };
    let now = ctx.clock.now();
    match code::matching_step(&opened(ctx, account, &sealed)?, &digits, now) {
        Some(step) => Ok(store::accept_step(conn, account, &sealed, step, now).await?),
        None => Ok(false),
    }
}

fn opened(ctx: &Ctx, account: AccountId, sealed: &[u8]) -> Result<Vec<u8>, AppError> {
    let seed = ctx.vault.open(SEALED, account.uuid().as_bytes(), sealed);
    seed.ok_or_else(|| AppError::internal(format!("the authenticator seed of {account} can't be opened: is the master key another one?")))
}
