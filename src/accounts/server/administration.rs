//! What operators do about accounts: find them, look at one, disable and enable it, end its sessions, send it a link to set a new
//! password. Nobody chooses another's password (R14).
//!
//! There is always an operator left: nobody disables themself, nor the last one who could come in (R65). What was done already is
//! not done again, nor recorded twice.

use super::{
    Visitor,
    factors::{require_admin_proof, require_recent_proof},
    jobs::SendReset,
    sessions::sessions_of,
    store::{accounts, administration as store, departures::lock_account, factors::pending, operators, sessions, tokens},
    tokens::KINDS,
};
use crate::{
    accounts::model::{AccountFilter, Caller, HeldPermission, SessionView, Via},
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, Email, SessionId, permission_names as may},
};
use serde_json::{Value, json};
use sqlx::PgConnection;

pub use store::{AccountBan, AccountCounts, AccountFacts};

/// The longest reason, in characters.
const REASON_CHARS: usize = 300;

/// What ended when an account was disabled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    pub sessions: u64,
    /// Its keys that passed until now, and are answered BANNED.
    pub keys: u64,
}

/// How many accounts there are.
pub async fn count_accounts(ctx: &Ctx, caller: &Caller) -> Result<AccountCounts, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(store::count_accounts(&ctx.db, ctx.clock.now()).await?)
}

/// A page of accounts, newest first.
pub async fn list_accounts(ctx: &Ctx, caller: &Caller, filter: &AccountFilter) -> Result<Vec<AccountFacts>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    if filter.search.as_ref().is_some_and(|text| text.chars().count() > 200) {
        return Err(AppError::invalid("q", "Search for at most 200 characters."));
    }
    Ok(store::list_accounts(&ctx.db, filter, ctx.clock.now()).await?)
}

/// One account.
pub async fn find_account(ctx: &Ctx, caller: &Caller, id: AccountId) -> Result<AccountFacts, AppError> {
    caller.require(&may::ADMIN_READ)?;
    store::find_account(&ctx.db, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)
}

/// The account that has this email.
pub async fn find_account_by_email(ctx: &Ctx, caller: &Caller, email: &Email) -> Result<AccountFacts, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let account = accounts::find_by_email(&ctx.db, &email.key()).await?.ok_or(AppError::NotFound)?;
    find_account(ctx, caller, account.id).await
}

/// What an account may, as its next request finds it, and by which of its roles.
pub async fn permissions_of_account(ctx: &Ctx, caller: &Caller, id: AccountId) -> Result<Vec<HeldPermission>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(operators::list_permissions_of(&ctx.db, id).await?)
}

/// Where an account is signed in; times in the caller's zone.
pub async fn sessions_of_account(ctx: &Ctx, caller: &Caller, id: AccountId) -> Result<Vec<SessionView>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let own = match caller.via {
        Via::Session(session) | Via::Token(session) if id == caller.account => Some(session),
        Via::Session(_) | Via::Token(_) | Via::Key(_) | Via::Cli | Via::Acting(_) => None,
    };
    sessions_of(ctx, id, own, &caller.time_zone).await
}

/// Keeps an account out: its sessions and mailed proofs end in the same transaction, its keys are answered BANNED (R45). The reason is
/// what the person reads on trying to come in.
pub async fn disable_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, reason: &str) -> Result<Ended, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let reason = checked_reason(reason)?;
    if caller.actor() == Some(id) {
        return Err(AppError::conflict("You can't disable your own account. Ask another operator."));
    }
    let mut tx = ctx.db.begin().await?;
    let account = store::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    let ended = disable_in(ctx, &mut tx, caller, from, &account, &reason).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The same in the transaction of many; nothing ends if it is disabled already.
pub(super) async fn disable_in(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    from: &Visitor,
    account: &AccountFacts,
    reason: &str,
) -> Result<Ended, AppError> {
    let (id, now) = (account.id, ctx.clock.now());
    if account.is_operator && operators::count_others(conn, id, now).await? == 0 {
        return Err(AppError::conflict("This is the last operator who can come in. Make another one first: tollgate admin create."));
    }
    if !store::insert_disablement(conn, id, caller.actor(), reason, now).await? {
        return Ok(Ended::default());
    }
    let ended = Ended { sessions: sessions::delete_sessions(&mut *conn, id, None).await?, keys: account.live_keys };
    tokens::delete_tokens(conn, id, &KINDS).await?;
    pending::delete_pending_of(conn, id).await?;
    let data = json!({ "sessions": ended.sessions, "keys": ended.keys });
    record(ctx, conn, Change { kind: "account.disabled", reason, ..done_to(account, caller, from, data) }).await?;
    Ok(ended)
}

/// Lets an account in again; its keys pass as before.
pub async fn enable_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<(), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let account = store::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    enable_in(ctx, &mut tx, caller, from, &account, "").await?;
    Ok(tx.commit().await?)
}

pub(super) async fn enable_in(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    from: &Visitor,
    account: &AccountFacts,
    reason: &str,
) -> Result<(), AppError> {
    if store::delete_disablement(conn, account.id).await? {
        // One that was begun in the very moment of the disabling must not come back to life.
        sessions::delete_sessions(&mut *conn, account.id, None).await?;
        record(ctx, conn, Change { kind: "account.enabled", reason, ..done_to(account, caller, from, Value::Null) }).await?;
    }
    Ok(())
}

/// Ends one session of an account, unless it has ended already.
pub async fn end_session_of(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, session: SessionId) -> Result<(), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_recent_proof(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    let account = store::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    if sessions::delete_session(&mut *tx, id, session).await? {
        let data = json!({ "session": session });
        record(ctx, &mut tx, Change { kind: "session.ended", ..done_to(&account, caller, from, data) }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Ends every session of an account, the caller's own among them if it is the caller's; says how many.
pub async fn end_sessions_of(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<u64, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_recent_proof(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    let account = store::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    let ended = end_sessions_in(ctx, &mut tx, caller, from, &account, "").await?;
    tx.commit().await?;
    Ok(ended)
}

pub(super) async fn end_sessions_in(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    from: &Visitor,
    account: &AccountFacts,
    reason: &str,
) -> Result<u64, AppError> {
    // A program that is being let in waits, and is ended or sees that it was too late.
    lock_account(conn, account.id).await?;
    let ended = sessions::delete_sessions(&mut *conn, account.id, None).await?;
    if ended > 0 {
        let data = json!({ "sessions": ended });
        record(ctx, conn, Change { kind: "session.all_ended", reason, ..done_to(account, caller, from, data) }).await?;
    }
    Ok(ended)
}

/// Mails an account a link to set a new password; its password stays until the link is used. Answers the address it goes to.
pub async fn send_reset_link(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<String, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let account = store::find_account(&mut *tx, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    if account.verified_at.is_none() {
        return Err(AppError::conflict("This address is not confirmed yet, so no link is sent to it. Signing up again sends a new mail."));
    }
    if account.disabled_at.is_some() {
        return Err(AppError::conflict("This account is disabled. Enable it first."));
    }
    if account.ban.is_some() {
        return Err(AppError::conflict("This account is banned. Lift the ban first."));
    }
    send_reset_in(ctx, &mut tx, caller, from, &account, "").await?;
    tx.commit().await?;
    Ok(account.email)
}

pub(super) async fn send_reset_in(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    from: &Visitor,
    account: &AccountFacts,
    reason: &str,
) -> Result<(), AppError> {
    let cause = record(ctx, conn, Change { kind: "account.reset_sent", reason, ..done_to(account, caller, from, Value::Null) }).await?;
    jobs::enqueue(ctx, conn, &SendReset { account: account.id, cause, has_code: false }).await?;
    Ok(())
}

/// An event about somebody else's account, with where its author sat.
pub(super) fn done_to<'a>(account: &AccountFacts, caller: &'a Caller, from: &Visitor, data: Value) -> Change<'a> {
    let mut facts = from.facts();
    if let (Value::Object(facts), Value::Object(data)) = (&mut facts, data) {
        facts.extend(data);
    }
    Change { workspace: account.workspace, actor: caller.actor(), actor_name: &caller.name, subject: Some(account.id.uuid()), data: facts, ..Change::default() }
}

/// A reason is one line; empty where nobody said one.
pub(super) fn checked_reason(text: &str) -> Result<String, AppError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        n if n > REASON_CHARS => Err(AppError::invalid("reason", format!("A reason has at most {REASON_CHARS} characters."))),
        _ if text.chars().any(char::is_control) => Err(AppError::invalid("reason", "A reason has no control characters.")),
        _ => Ok(text),
    }
}
