//! The mails that warn: of a ban and its end, of guessing, of a new device. And the jobs that send them.

mod jobs;

pub use jobs::{EndBans, NoteLock, SendBanned, SendLocked, SendNewDevice, SendUnbanned, register};

use super::{
    devices,
    entry::whom_to_ask,
    locks,
    mail::{facts, to},
    profile::in_full,
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
    let until = ban.until.map_or_else(|| "No end is set".to_owned(), |until| in_full(until, &account.time_zone));
    let letter = to(&account, "Your account is banned")?
        .text("An operator banned your account. You are signed out everywhere and can't sign in, and your keys are refused.")
        .facts([("Reason", ban.reason.clone()), ("Since", in_full(ban.at, &account.time_zone)), ("Until", until)])
        .text("Your keys and settings stay as they are. When the ban ends, you can sign in again and your keys pass as before.")
        .text(whom_to_ask(ctx))
        .because("your account was banned");
    mail::send(ctx, &letter).await
}

/// To whose account is not banned any more.
async fn send_unbanned(ctx: &Ctx, ban: BanId) -> Result<(), JobError> {
    let Some(ban) = bans::find_ban(&ctx.db, ban).await? else { return Ok(()) };
    let Some(account) = ban.account else { return Ok(()) };
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let (what, at) = match (ban.lifted_at, ban.until) {
        (Some(at), _) => ("The ban of your account was lifted.", Some(at)),
        (None, until) => ("The ban of your account has ended.", until),
    };
    let since = at.map(|at| ("Since", in_full(at, &account.time_zone)));
    let letter = to(&account, "Your account is no longer banned")?
        .text(format!("{what} You can sign in again, and your keys pass as before."))
        .link("Sign in", ctx.config.link("/sign-in"))
        .facts(since)
        .because("the ban of your account ended");
    mail::send(ctx, &letter).await
}

/// To the owner of an address at which somebody guesses; with the link that ends the wait.
async fn send_locked(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let failures = find_facts(&ctx.db, cause).await?.and_then(|(_, data)| data.get("failures").and_then(serde_json::Value::as_u64)).unwrap_or(0);
    let letter = to(&account, "Somebody is guessing your password")?
        .text(format!("{failures} wrong passwords in a row were tried for your account. Nobody came in. Each further try now has to wait, up to 15 minutes."))
        .text("In a browser where you signed in before you don't have to wait. In any other one, this link ends the wait. It works once, for 24 hours.")
        .link("End the wait", ctx.config.link(&format!("/unlock?token={}", locks::token(ctx, account.id, cause))))
        .facts(facts(ctx, &account, cause).await?)
        .text("If it wasn't you, you need do nothing: waiting is what keeps guessers out. If your password is short or used elsewhere, set a new one.")
        .because("somebody tried wrong passwords for your account");
    mail::send(ctx, &letter).await
}

/// To whose account was entered from a browser that it did not know; with "this wasn't me".
async fn send_new_device(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let token = devices::token(ctx, account.id, cause);
    let expires_at = ctx.clock.now() + devices::ALARM_LIVES;
    if !insert_alarm(&ctx.db, cause, account.id, &sha256(&token), expires_at).await? {
        return Ok(());
    }
    let mut facts = facts(ctx, &account, cause).await?;
    facts.push(("Place", "unknown".to_owned()));
    let letter = to(&account, "New sign-in to your account")?
        .text("Somebody signed in to your account in a browser where you had not signed in before.")
        .facts(facts)
        .text("If it was you, do nothing.")
        .text("If it wasn't you, open this link and press the button there. It signs out every device and takes the password away, and you set a new one. It works once, for 7 days, without signing in.")
        .link("This wasn't me", ctx.config.link(&format!("/not-me?token={token}")))
        .because("your account was entered from a new device");
    mail::send(ctx, &letter).await
}
