//! The mails of accounts. Each says what happened, when, from which device and address, and what to do if it wasn't you.
//! Links are built from the configured address only (R55).

use super::{
    profile::in_full,
    store::accounts::{Account, find_account},
    tokens::{self, Purpose},
    visitor::device_in_words,
};
use crate::{
    activity::server::find_facts,
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Mail},
    },
    values::{AccountId, Email, EventId},
};

/// The proof of an address; nothing if it was given meanwhile.
pub async fn send_verification(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| !a.is_verified) else { return Ok(()) };
    let facts = facts(ctx, &account, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::VerifyEmail, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let letter = to(&account, "Confirm your email")?
        .text("Confirm that this is your address, and your account is ready. The link works once, for 60 minutes.")
        .link("Confirm email", ctx.config.link(&format!("/verify-email?token={}", proof.token)))
        .text("Or type this code where you signed up. It works for 10 minutes.")
        .code(proof.code)
        .facts(facts)
        .text("If it wasn't you, do nothing: without the link there is no account, and this address stays yours to sign up with.")
        .because("somebody signed up with this address");
    mail::send(ctx, &letter).await
}

/// To the owner of an address that somebody signed up with again.
pub async fn send_already_registered(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let facts = facts(ctx, &account, cause).await?;
    let letter = to(&account, "You already have an account")?
        .text("Somebody signed up with this address. It has an account already, so nothing was created or changed.")
        .link("Sign in", ctx.config.link("/sign-in"))
        .text(format!("If you forgot your password, set a new one at {}.", ctx.config.link("/forgot-password")))
        .facts(facts)
        .text("If it wasn't you, do nothing: whoever it was saw only that a mail was sent.")
        .because("somebody signed up with the address of your account");
    mail::send(ctx, &letter).await
}

/// The link to set a new password.
pub async fn send_reset(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let facts = facts(ctx, &account, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::ResetPassword, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let letter = to(&account, "Set a new password")?
        .text("Somebody asked to set a new password for your account. The link works once, for 60 minutes.")
        .link("Set a new password", ctx.config.link(&format!("/reset-password?token={}", proof.token)))
        .facts(facts)
        .text("If it wasn't you, do nothing: your password stays as it is.")
        .because("somebody asked for a new password for your account");
    mail::send(ctx, &letter).await
}

/// Tells that the password is another one.
pub async fn send_password_changed(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let facts = facts(ctx, &account, cause).await?;
    let letter = to(&account, "Your password was changed")?
        .text("The password of your account was changed. All other devices were signed out.")
        .facts(facts)
        .text("If it wasn't you, set a new password now: that ends every session. Then look through your keys.")
        .link("Set a new password", ctx.config.link("/forgot-password"))
        .because("the password of your account was changed");
    mail::send(ctx, &letter).await
}

/// To the address that stands in the account, as it was typed (R59).
pub(super) fn to(account: &Account, subject: &str) -> Result<Mail, JobError> {
    let email: Email = account.email.parse().map_err(|e| JobError::Fail(format!("the address of {} can't be written to: {e}", account.id)))?;
    Ok(Mail::new(email, subject).name(&account.name))
}

/// When, device and address of what caused the mail, in the person's time zone.
pub(super) async fn facts(ctx: &Ctx, account: &Account, cause: EventId) -> Result<Vec<(&'static str, String)>, JobError> {
    let Some((at, data)) = find_facts(&ctx.db, cause).await? else { return Ok(Vec::new()) };
    let text = |name: &str| data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    Ok(vec![("Time", in_full(at, &account.time_zone)), ("Device", device_in_words(&text("device"))), ("Address", text("address"))])
}
