//! Where somebody is signed in: begun at sign-in, listed, ended one by one or all at once.

use super::{
    Visitor, acting, devices,
    factors::{has_second_factor, require_recent_proof},
    policies::{lasting_of, most_of},
    profile::when,
    sign_in::Proven,
    sign_up::about,
    store::{accounts, departures::lock_account, sessions as store},
    visitor::device_in_words,
};
use crate::{
    accounts::model::{Caller, SessionList, SessionView, Via},
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, http::reply, places, session as data},
    values::{AccountId, SessionId, permission_names as may},
};
use sqlx::PgConnection;
use tower_sessions::Session;

/// Puts a new session into the browser: a new id, whatever it brought along is dead (R23, S45).
///
/// A password that was replaced between its proof and this moment begins none (R46): a new password is written before the sessions
/// are ended, so either that end sees this session, or the check below sees the new password and ends it here. So it is with a second
/// factor that was confirmed meanwhile (`factors::confirm_totp` holds the account): a password alone is not enough any more.
pub async fn begin(ctx: &Ctx, session: &Session, proven: Proven, from: &Visitor) -> Result<SessionId, AppError> {
    let account = proven.account;
    let id: SessionId = proven.session.unwrap_or_else(|| ctx.new_id());
    session.clear().await;
    session.cycle_id().await.map_err(unreachable_store)?;
    let mut fields = vec![(data::ACCOUNT, account.to_string()), (data::SESSION, id.to_string())];
    if proven.session.is_none() {
        // One that was kept has these in its row, and begins only while that row is there.
        fields.extend([(data::DEVICE, from.device.clone()), (data::ADDRESS, from.address.to_string())]);
    }
    for (key, value) in fields {
        session.insert(key, value).await.map_err(unreachable_store)?;
    }
    session.save().await.map_err(unreachable_store)?;
    if !accounts::is_password_of(&ctx.db, account, proven.password_set_at).await? {
        session.flush().await.map_err(unreachable_store)?;
        return Err(AppError::invalid("password", "The password was just changed. Sign in with the new one."));
    }
    if proven.session.is_none() && has_second_factor(ctx, account).await? {
        session.flush().await.map_err(unreachable_store)?;
        return Err(AppError::invalid("password", "A second factor was just set up. Sign in again with it."));
    }
    devices::greet(ctx, account, id, from).await?;
    end_oldest(ctx, account, from).await?;
    Ok(id)
}

/// The newest wins: beyond what policies allow the oldest sessions of an account end, and whoever came in is told (R48).
async fn end_oldest(ctx: &Ctx, account: AccountId, from: &Visitor) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    let most = most_of(ctx, &mut *tx, account).await?;
    let ended = store::delete_oldest_sessions(&mut *tx, account, most, ctx.clock.now()).await?;
    if ended > 0 {
        let found = accounts::find_account(&mut *tx, account).await?.ok_or(AppError::NotFound)?;
        let change = Change { kind: "session.oldest_ended", workspace: found.workspace, ..about(account, &found.name, from) };
        record(ctx, &mut tx, change).await?;
        let devices = if most == 1 { "1 device".to_owned() } else { format!("{most} devices") };
        reply::toast(ctx, &format!("You can be signed in on {devices} at once, so we signed out the oldest one."));
    }
    tx.commit().await?;
    Ok(())
}

/// Gives the browser a new cookie for its session, which a proof released (`platform::session::release`, R23).
pub(super) async fn take_up(session: &Session) -> Result<(), AppError> {
    session.cycle_id().await.map_err(unreachable_store)?;
    session.save().await.map_err(unreachable_store)
}

/// Refuses a browser or a program that was signed out since it asked. For who holds the account's lock: a new password and "sign out
/// everywhere" hold it, too, so what is under way either comes before them or not at all, and leaves no way in behind (R46, R78).
pub(super) async fn must_still_be_in(conn: &mut PgConnection, caller: &Caller) -> Result<(), AppError> {
    let (Via::Session(id) | Via::Token(id)) = caller.via else { return Ok(()) };
    match store::find_begun(conn, caller.account, id).await? {
        Some(_) => Ok(()),
        None => Err(AppError::Unauthenticated),
    }
}

/// Ends the browser's session: the row goes, the cookie with it (R44). Safe to call without one.
pub async fn sign_out(ctx: &Ctx, session: &Session, caller: Option<&Caller>, from: &Visitor) -> Result<(), AppError> {
    if let Some(caller) = caller {
        let mut tx = ctx.db.begin().await?;
        let change = Change { kind: "account.signed_out", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
        record(ctx, &mut tx, change).await?;
        tx.commit().await?;
    }
    if session.id().is_some() { session.flush().await.map_err(unreachable_store) } else { Ok(()) }
}

/// The caller's sessions, the one used last first.
pub async fn list_sessions(ctx: &Ctx, caller: &Caller) -> Result<SessionList, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let sessions = sessions_of(ctx, caller.account, own_session(caller), &caller.time_zone).await?;
    let acted = acting::acted(ctx, caller.account, &caller.time_zone).await?;
    Ok(SessionList { sessions, acted, lasting: lasting_of(ctx, caller.account).await? })
}

/// Ends one session of the caller; true if it was the one that asks. Another one's end needs a recent proof (R47).
pub async fn end_session(ctx: &Ctx, caller: &Caller, from: &Visitor, id: SessionId) -> Result<bool, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    if own_session(caller) != Some(id) {
        require_recent_proof(ctx, caller).await?;
    }
    let mut tx = ctx.db.begin().await?;
    if !store::delete_session(&mut *tx, caller.account, id).await? {
        return Err(AppError::NotFound);
    }
    let change = Change { kind: "session.ended", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(own_session(caller) == Some(id))
}

/// Ends the caller's other sessions, or with `this_one_too` all of them; says how many.
pub async fn end_sessions(ctx: &Ctx, caller: &Caller, from: &Visitor, this_one_too: bool) -> Result<u64, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    require_recent_proof(ctx, caller).await?;
    let keep = if this_one_too { None } else { own_session(caller) };
    let mut tx = ctx.db.begin().await?;
    // A program that is being let in waits, and is ended or sees that it was too late.
    lock_account(&mut tx, caller.account).await?;
    let ended = store::delete_sessions(&mut *tx, caller.account, keep).await?;
    if ended > 0 {
        let change = Change { kind: "session.all_ended", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
        record(ctx, &mut tx, change).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

pub(super) async fn sessions_of(ctx: &Ctx, account: AccountId, own: Option<SessionId>, zone: &str) -> Result<Vec<SessionView>, AppError> {
    let now = ctx.clock.now();
    let view = |s: store::Session| SessionView {
        id: s.id,
        is_program: s.program.is_some(),
        device: s.program.filter(|name| !name.is_empty()).unwrap_or_else(|| device_in_words(&s.device)),
        address: s.address.map(|net| net.addr().to_string()).unwrap_or_default(),
        place: s.address.and_then(|net| places::place_of(ctx, net.addr())),
        created_at: s.created_at,
        last_used_at: s.last_used_at,
        since: when(s.created_at, now, zone),
        last_used: when(s.last_used_at, now, zone),
        is_this_one: own == Some(s.id),
    };
    Ok(store::list_sessions(&ctx.db, account, now).await?.into_iter().map(view).collect())
}

fn own_session(caller: &Caller) -> Option<SessionId> {
    match caller.via {
        Via::Session(id) | Via::Token(id) => Some(id),
        Via::Key(_) | Via::Cli | Via::Acting(_) => None,
    }
}

fn unreachable_store(error: tower_sessions::session::Error) -> AppError {
    tracing::warn!("the session store: {error}");
    AppError::Unavailable { retry_after: 5 }
}
