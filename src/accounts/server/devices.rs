//! Known devices: a browser in which somebody came in carries a sealed cookie that says so.
//!
//! It has wrong passwords counted for itself alone, so that strangers who guess at an address do not shut its owner out (R20); and
//! coming in from any other one is told by mail, with a link that says "this wasn't me" (R25). The cookie lets nobody in,
//! stands for no second factor, and is void in all other browsers after a new password or another factor (S61).

use super::{
    Visitor,
    attempts::{self, Attempt},
    email_change::undo_changes_since,
    jobs::SendReset,
    sign_up::about,
    store::{accounts, departures::lock_account, devices as store, email_changes, factors::pending, sessions, tokens as mailed},
    taking_back::take_back_since,
    tokens,
    warnings::SendNewDevice,
};
use crate::{
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256, http::reply, jobs},
    values::{AccountId, DeviceId, EventId, SessionId},
};
use sqlx::PgConnection;
use time::{Duration, format_description::well_known::Rfc3339};

/// The cookie: `__Host-dev`, or `dev` on plain http.
const COOKIE: &str = "dev";
const LIVES: Duration = Duration::days(400);
/// So many accounts can know one browser.
const HELD: usize = 5;
/// How long "this wasn't me" can be said.
pub const ALARM_LIVES: Duration = Duration::days(7);
/// A first sign-in that was sent twice makes two devices; neither is told to the owner as a stranger.
const FIRST: Duration = Duration::minutes(1);

/// The device that this browser is to the account, if it is known. Unknown accounts are looked up like known ones (R16).
pub async fn known(ctx: &Ctx, account: Option<AccountId>) -> Result<Option<DeviceId>, AppError> {
    let held = held(ctx);
    if held.is_empty() {
        return Ok(None);
    }
    let account = account.unwrap_or(AccountId::new(uuid::Uuid::nil()));
    Ok(store::find_device(&ctx.db, account, &held).await?)
}

/// Somebody came in with this session: from now on the account knows this browser. Another one than before is told by mail, unless it is
/// the first; the event keeps when the session began, for what is added since then (`not_me`).
pub async fn greet(ctx: &Ctx, account: AccountId, session: SessionId, from: &Visitor) -> Result<(), AppError> {
    let (held, now) = (held(ctx), ctx.clock.now());
    let device = if let Some(known) = store::find_device(&ctx.db, account, &held).await? {
        store::update_device_used(&ctx.db, known, now).await?;
        known
    } else {
        let device: DeviceId = ctx.new_id();
        let mut tx = ctx.db.begin().await?;
        let came_before = store::has_devices(&mut *tx, account, now - FIRST).await?;
        store::insert_device(&mut tx, device, account, now).await?;
        if came_before {
            let found = accounts::find_account(&mut *tx, account).await?.ok_or(AppError::NotFound)?;
            let mut change = Change { kind: "account.new_device", workspace: found.workspace, ..about(account, &found.name, from) };
            let since = sessions::find_begun(&mut *tx, account, session).await?.unwrap_or(now);
            change.data["since"] = since.format(&Rfc3339).map_err(AppError::internal)?.into();
            let cause = record(ctx, &mut tx, change).await?;
            jobs::enqueue(ctx, &mut tx, &SendNewDevice { account, cause }).await?;
        }
        tx.commit().await?;
        device
    };
    let others = held.into_iter().filter(|other| *other != device);
    let ids: Vec<String> = std::iter::once(device).chain(others).take(HELD).map(|id| id.to_string()).collect();
    reply::seal(ctx, COOKIE, &ids.join(","), LIVES.whole_seconds());
    Ok(())
}

/// After another password or factor the other browsers of the account are strangers again, until it comes in by them once more (S61).
/// This one stays known, if it was: it is where the change was made.
pub(super) async fn forget_others(ctx: &Ctx, conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    store::update_other_devices_void(conn, account, &held(ctx), ctx.clock.now()).await
}

/// What the link of the mail holds.
pub fn token(ctx: &Ctx, account: AccountId, cause: EventId) -> String {
    tokens::secret(ctx, "not_me", account, cause)
}

/// "This wasn't me", by the link of the mail, once, without signing in: all sessions end, no browser is known any more, and the password
/// is gone until a new one is set by the link that is mailed now. An address that was put in the place of the owner's since that sign-in
/// goes first, and one that waits for its proof: the link must reach the owner. What was added since then to come in by goes, too
/// (`taking_back`); what was there before stays.
pub async fn not_me(ctx: &Ctx, from: &Visitor, token: &str) -> Result<(), AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let mut tx = ctx.db.begin().await?;
    let now = ctx.clock.now();
    let dead =
        || AppError::invalid("", "This link was already used, or it expired. If somebody is in your account, set a new password. That ends every session.");
    let (alarm, account) = store::use_alarm(&mut tx, &sha256(token), now).await?.ok_or_else(dead)?;
    lock_account(&mut tx, account).await?;
    let found = accounts::find_account(&mut *tx, account).await?.ok_or(AppError::NotFound)?;
    email_changes::delete_change(&mut tx, account).await?;
    undo_changes_since(ctx, &mut tx, &found, alarm, from).await?;
    // Before the sessions end, as with every new password (`sessions::begin`).
    accounts::clear_password(&mut tx, account, now).await?;
    mailed::delete_tokens(&mut tx, account, &tokens::KINDS).await?;
    pending::delete_pending_of(&mut tx, account).await?;
    store::update_devices_void(&mut tx, account, now).await?;
    sessions::delete_sessions(&mut *tx, account, None).await?;
    let cause = record(ctx, &mut tx, Change { kind: "account.not_me", workspace: found.workspace, ..about(account, &found.name, from) }).await?;
    // They may have come in before by another browser, whose mail nobody read.
    let first = store::find_newcomer(&mut *tx, account, now - ALARM_LIVES).await?;
    let since = store::find_came_in(&mut tx, alarm).await?.into_iter().chain(first).min().unwrap_or(now);
    take_back_since(ctx, &mut tx, account, since, cause).await?;
    jobs::enqueue(ctx, &mut tx, &SendReset { account, cause, has_code: false }).await?;
    tx.commit().await?;
    attempt.refund(ctx).await
}

/// What this browser says it is; sealed, so nobody but us said it first.
fn held(ctx: &Ctx) -> Vec<DeviceId> {
    reply::sealed(ctx, COOKIE).map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).take(HELD).collect()).unwrap_or_default()
}
