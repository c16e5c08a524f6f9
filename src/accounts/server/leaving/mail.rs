//! When the mails of leaving are sent: the link that does it, what comes then, and that the account is back.

use super::store::find_departure;
use crate::{
    accounts::server::{
        letters::{AccountLeft, AccountReturned, DeleteAccount},
        mail::{reader, seen},
        store::accounts::find_account,
        tokens::{self, Purpose},
    },
    platform::{Ctx, jobs::JobError, mail},
    values::{AccountId, EventId},
};

/// The last confirmation; nothing once it was given.
pub async fn send_deletion_link(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    if find_departure(&ctx.db, account.id).await?.is_some() {
        return Ok(());
    }
    let seen = seen(ctx, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::DeleteAccount, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let (link, forgot) = (ctx.config.link(&format!("/delete-account?token={}", proof.token)), ctx.config.link("/forgot-password"));
    mail::send(ctx, &reader(&account)?.write(&DeleteAccount { link, forgot, seen })).await
}

/// What leaving did, and the way back; nothing if it was gone already.
pub async fn send_departed(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let seen = seen(ctx, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(departure) = find_departure(&mut *tx, account.id).await? else { return Ok(()) };
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::KeepAccount, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let link = ctx.config.link(&format!("/come-back?token={}", proof.token));
    mail::send(ctx, &reader(&account)?.write(&AccountLeft { erased: departure.erase_at, link, seen })).await
}

/// That the account is back.
pub async fn send_returned(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let (sign_in, forgot) = (ctx.config.link("/sign-in"), ctx.config.link("/forgot-password"));
    mail::send(ctx, &reader(&account)?.write(&AccountReturned { sign_in, forgot, seen: seen(ctx, cause).await? })).await
}
