//! The passkeys of an account: listed, renamed, removed; never the last way in (R39).

use crate::{
    accounts::{
        model::{Caller, PasskeyView},
        server::{
            Visitor, devices,
            factors::{SendFactorChanged, Told, is_required_of, require_recent_proof},
            openid::is_linked,
            profile::when,
            sessions::must_still_be_in,
            sign_up::{about, label as checked_name},
            store::{
                accounts,
                departures::lock_account,
                factors::{self as all, passkeys as store},
            },
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{PasskeyId, permission_names as may},
};

/// The caller's, the oldest first.
pub async fn list_passkeys(ctx: &Ctx, caller: &Caller) -> Result<Vec<PasskeyView>, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let now = ctx.clock.now();
    let view = |line: store::Line| PasskeyView {
        id: line.id,
        name: line.name,
        added: when(line.created_at, now, &caller.time_zone),
        last_used: line.last_used_at.map(|at| when(at, now, &caller.time_zone)),
        is_synced: line.is_synced,
    };
    Ok(store::list_passkeys(&ctx.db, caller.account).await?.into_iter().map(view).collect())
}

/// Gives one another name. The same name again is no change.
pub async fn rename_passkey(ctx: &Ctx, caller: &Caller, from: &Visitor, id: &str, name: &str) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let id: PasskeyId = id.parse().map_err(|_| AppError::NotFound)?;
    let name = checked_name(name).map_err(|wrong| AppError::invalid("name", wrong))?;
    if !store::is_of_account(&ctx.db, caller.account, id).await? {
        return Err(AppError::NotFound);
    }
    let mut tx = ctx.db.begin().await?;
    if store::update_name(&mut tx, caller.account, id, &name).await? {
        let change = Change { kind: "factor.passkey_renamed", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
        record(ctx, &mut tx, change).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes one away. With the last second factor the recovery codes go, too: they stood in for it.
pub async fn remove_passkey(ctx: &Ctx, caller: &Caller, from: &Visitor, id: &str) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    require_recent_proof(ctx, caller).await?;
    let id: PasskeyId = id.parse().map_err(|_| AppError::NotFound)?;
    let mut tx = ctx.db.begin().await?;
    // The account first: of two that are removed at once, the second sees that it is the last.
    if !lock_account(&mut tx, caller.account).await? || !store::delete_passkey(&mut tx, caller.account, id).await? {
        return Err(AppError::NotFound);
    }
    must_still_be_in(&mut tx, caller).await?;
    let left = all::find_facts(&mut *tx, caller.account).await?;
    let account = accounts::find_account(&mut *tx, caller.account).await?.ok_or(AppError::NotFound)?;
    if left.passkeys == 0 && account.password_hash.is_none() && !is_linked(ctx, &mut tx, caller.account).await? {
        return Err(AppError::conflict("This passkey is your only way in. Add another one first, or set a password by “Forgot password”."));
    }
    if left.passkeys == 0 && left.totp_since.is_none() {
        if is_required_of(ctx, caller) {
            return Err(AppError::conflict("This site requires you to have a second factor. Add another passkey or an authenticator app first."));
        }
        all::recovery::delete_codes(&mut tx, caller.account).await?;
        all::resets::delete_reset_of(&mut tx, caller.account).await?;
    }
    devices::forget_others(ctx, &mut tx, caller.account).await?;
    let change = Change { kind: "factor.passkey_removed", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: caller.account, cause, told: Told::PasskeyRemoved }).await?;
    Ok(tx.commit().await?)
}
