//! What operators do with accounts: find one, look at it, disable and enable it, end its sessions.

use super::{
    profile::when,
    sessions::sessions_of,
    store::{administration as store, operators, sessions, tokens},
};
use crate::{
    accounts::model::{AccountDetail, AccountFilter, AccountPage, Caller},
    activity::server::{Change, record},
    error::AppError,
    platform::Ctx,
    values::{AccountId, permission_names as may},
};

/// The longest reason, in characters.
const REASON_CHARS: usize = 300;
const MOST: u32 = 100;

/// Accounts by what is searched for, the youngest first; `filter.before` goes on where a page ended.
pub async fn list_accounts(ctx: &Ctx, actor: &Caller, filter: &AccountFilter) -> Result<AccountPage, AppError> {
    actor.require(&may::ADMIN_READ)?;
    let limit = filter.limit.unwrap_or(50).clamp(1, MOST);
    let mut accounts = store::list_accounts(&ctx.db, filter, i64::from(limit) + 1).await?;
    let has_more = accounts.len() > limit as usize;
    accounts.truncate(limit as usize);
    let now = ctx.clock.now();
    for row in &mut accounts {
        row.created = when(row.created_at, now, &actor.time_zone);
        row.last_sign_in = row.last_sign_in_at.map(|at| when(at, now, &actor.time_zone));
    }
    Ok(AccountPage { next: has_more.then(|| accounts.last().map(|row| row.id)).flatten(), accounts })
}

/// Everything about one account that an operator may see: never a password, token or secret.
pub async fn account_detail(ctx: &Ctx, actor: &Caller, id: AccountId) -> Result<AccountDetail, AppError> {
    actor.require(&may::ADMIN_READ)?;
    let now = ctx.clock.now();
    let mut detail = store::find_detail(&ctx.db, id).await?.ok_or(AppError::NotFound)?;
    detail.row.created = when(detail.row.created_at, now, &actor.time_zone);
    detail.row.last_sign_in = detail.row.last_sign_in_at.map(|at| when(at, now, &actor.time_zone));
    if let Some(disablement) = &mut detail.disablement {
        disablement.since = when(disablement.at, now, &actor.time_zone);
    }
    detail.sessions = sessions_of(ctx, id, None, &actor.time_zone).await?;
    Ok(detail)
}

/// Shuts an account out: sessions, mailed proofs and, by the database's own rule, its keys end in the same transaction (R45).
pub async fn disable_account(ctx: &Ctx, actor: &Caller, id: AccountId, reason: &str) -> Result<(), AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    let reason = reason.trim();
    if reason.chars().count() > REASON_CHARS {
        return Err(AppError::invalid("reason", format!("A reason has at most {REASON_CHARS} characters.")));
    }
    if actor.actor() == Some(id) {
        return Err(AppError::conflict("You can't disable your own account. Ask another operator."));
    }
    let mut tx = ctx.db.begin().await?;
    let detail = store::find_detail(&mut *tx, id).await?.ok_or(AppError::NotFound)?;
    if detail.row.is_operator && operators::count_others(&mut tx, id).await? == 0 {
        return Err(AppError::conflict("This is the last operator. Make another one first."));
    }
    if store::insert_disablement(&mut tx, id, actor.actor(), reason, ctx.clock.now()).await? {
        sessions::delete_sessions(&mut *tx, id, None).await?;
        tokens::delete_tokens(&mut tx, id, &["verify_email", "reset_password", "operator_link"]).await?;
        record(ctx, &mut tx, change("account.disabled", actor, &detail, reason)).await?;
    }
    Ok(tx.commit().await?)
}

/// Lets a disabled account in again. It signs in anew.
pub async fn enable_account(ctx: &Ctx, actor: &Caller, id: AccountId) -> Result<(), AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let detail = store::find_detail(&mut *tx, id).await?.ok_or(AppError::NotFound)?;
    if store::delete_disablement(&mut tx, id).await? {
        // One that was begun in the very moment of the disabling must not come back to life.
        sessions::delete_sessions(&mut *tx, id, None).await?;
        record(ctx, &mut tx, change("account.enabled", actor, &detail, "")).await?;
    }
    Ok(tx.commit().await?)
}

/// Ends every session of an account; says how many.
pub async fn end_sessions_of(ctx: &Ctx, actor: &Caller, id: AccountId) -> Result<u64, AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let detail = store::find_detail(&mut *tx, id).await?.ok_or(AppError::NotFound)?;
    let ended = sessions::delete_sessions(&mut *tx, id, None).await?;
    if ended > 0 {
        record(ctx, &mut tx, change("session.all_ended", actor, &detail, "")).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

fn change<'a>(kind: &'a str, actor: &'a Caller, detail: &AccountDetail, reason: &'a str) -> Change<'a> {
    Change {
        kind,
        workspace: detail.workspace,
        actor: actor.actor(),
        actor_name: &actor.name,
        subject: Some(detail.row.id.uuid()),
        reason,
        ..Change::default()
    }
}
