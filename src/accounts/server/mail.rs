//! When the mails of accounts are sent, to whom, with which proofs; what they say stands in `letters`. Links are built from the
//! configured address only (R55).

use super::{
    letters::{AlreadyRegistered, ConfirmEmail, PasswordChanged, Seen, SetPassword},
    store::accounts::{Account, find_account},
    tokens::{self, Purpose},
};
use crate::{
    activity::server::find_facts,
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Reader},
        places,
    },
    values::{AccountId, EventId},
};
use std::net::IpAddr;

/// The proof of an address; nothing if it was given meanwhile.
pub async fn send_verification(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| !a.is_verified) else { return Ok(()) };
    let seen = seen(ctx, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::VerifyEmail, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let link = ctx.config.link(&format!("/verify-email?token={}", proof.token));
    mail::send(ctx, &reader(&account)?.write(&ConfirmEmail { link, code: proof.code, seen })).await
}

/// To the owner of an address that somebody signed up with again.
pub async fn send_already_registered(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let (sign_in, forgot) = (ctx.config.link("/sign-in"), ctx.config.link("/forgot-password"));
    mail::send(ctx, &reader(&account)?.write(&AlreadyRegistered { sign_in, forgot, seen: seen(ctx, cause).await? })).await
}

/// The link to set a new password, and the code for whoever asked for it.
pub async fn send_reset(ctx: &Ctx, account: AccountId, cause: EventId, has_code: bool) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await?.filter(|a| a.is_verified) else { return Ok(()) };
    let seen = seen(ctx, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::ResetPassword, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let link = ctx.config.link(&format!("/reset-password?token={}", proof.token));
    mail::send(ctx, &reader(&account)?.write(&SetPassword { link, code: has_code.then_some(proof.code), seen })).await
}

/// Tells that the password is another one.
pub async fn send_password_changed(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let forgot = ctx.config.link("/forgot-password");
    mail::send(ctx, &reader(&account)?.write(&PasswordChanged { forgot, seen: seen(ctx, cause).await? })).await
}

/// Who reads at the address that stands in the account, as it was typed (R59).
pub(super) fn reader(account: &Account) -> Result<Reader, JobError> {
    Reader::new(&account.email, &account.name, &account.language, &account.time_zone)
}

/// When, device, address and place of what caused a mail.
pub(super) async fn seen(ctx: &Ctx, cause: EventId) -> Result<Option<Seen>, JobError> {
    let Some((at, data)) = find_facts(&ctx.db, cause).await? else { return Ok(None) };
    let text = |name: &str| data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let address = text("address");
    let place = address.parse::<IpAddr>().ok().and_then(|address| places::place_of(ctx, address));
    Ok(Some(Seen { at, agent: text("device"), address, place }))
}
