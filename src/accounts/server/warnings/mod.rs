//! When the mails that warn are sent: of a ban and its end, of guessing, of a new device. And the jobs that send them.

mod jobs;

pub use jobs::{EndBans, NoteLock, SendBanned, SendLocked, SendNewDevice, SendStopped, SendUnbanned, register};

use super::{
    devices,
    letters::{Banned, Locked, NewDevice, PasswordStopped, Unbanned},
    locks,
    mail::{reader, seen},
    store::{accounts::find_account, bans, devices::insert_alarm},
};
use crate::{
    activity::server::find_facts,
    platform::{Ctx, crypto::sha256, jobs::JobError, mail},
    values::{AccountId, BanId, EventId},
};

/// To whose account was banned: why, until when, and where to object.
async fn send_banned(ctx: &Ctx, ban: BanId) -> Result<(), JobError> {
    let Some(ban) = bans::find_ban(&ctx.db, ban).await? else { return Ok(()) };
    let Some(account) = ban.account else { return Ok(()) };
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let letter = Banned { reason: ban.reason, since: ban.at, until: ban.until, contact: ctx.config.mail.contact.clone() };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}

/// To whose account is not banned any more.
async fn send_unbanned(ctx: &Ctx, ban: BanId) -> Result<(), JobError> {
    let Some(ban) = bans::find_ban(&ctx.db, ban).await? else { return Ok(()) };
    let Some(account) = ban.account else { return Ok(()) };
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let letter = Unbanned { lifted: ban.lifted_at.is_some(), since: ban.lifted_at.or(ban.until), sign_in: ctx.config.link("/sign-in") };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}

/// To the owner of an address at which somebody guesses; with the link that ends the wait.
async fn send_locked(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let failures = find_facts(&ctx.db, cause).await?.and_then(|(_, data)| data.get("failures").and_then(serde_json::Value::as_u64)).unwrap_or(0);
    let link = ctx.config.link(&format!("/unlock?token={}", locks::token(ctx, account.id, cause)));
    mail::send(ctx, &reader(&account)?.write(&Locked { failures, link, seen: seen(ctx, cause).await? })).await
}

/// To the owner of a password that is tried no more; with the way to a new one.
async fn send_stopped(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let letter = PasswordStopped { forgot: ctx.config.link("/forgot-password"), seen: seen(ctx, cause).await? };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}

/// To whose account was entered from a browser that it did not know; with "this wasn't me".
async fn send_new_device(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let token = devices::token(ctx, account.id, cause);
    let expires_at = ctx.clock.now() + devices::ALARM_LIVES;
    if !insert_alarm(&ctx.db, cause, account.id, &sha256(&token), expires_at).await? {
        return Ok(());
    }
    let link = ctx.config.link(&format!("/not-me?token={token}"));
    mail::send(ctx, &reader(&account)?.write(&NewDevice { link, seen: seen(ctx, cause).await? })).await
}
