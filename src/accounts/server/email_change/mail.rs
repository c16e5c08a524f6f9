//! When the mails of a change of address are sent: to the new one, to the owner of one that is taken, to the old one.

use super::{store, undoing};
use crate::{
    accounts::server::{
        letters::{AddressWanted, ConfirmNewEmail, EmailChanged},
        mail::{reader, seen},
        store::{
            accounts::{find_account, find_by_email},
            departures::lock_account,
        },
        tokens::{self, Purpose},
    },
    platform::{Ctx, jobs::JobError, mail},
    values::{AccountId, Email, EventId},
};

/// The proof to the new address, or a note to whose address it is; nothing if something newer was asked meanwhile.
pub async fn send_change(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let mut tx = ctx.db.begin().await?;
    lock_account(&mut tx, account.id).await?;
    let Some(new) = store::lock_change(&mut tx, account.id, cause).await? else { return Ok(()) };
    let new = address(&new)?;
    let owner = find_by_email(&mut *tx, &new.key()).await?.filter(|owner| owner.is_verified && owner.id != account.id);
    if let Some(owner) = owner {
        drop(tx); // nobody waits for a mail server with a lock
        return mail::send(ctx, &reader(&owner)?.write(&AddressWanted { seen: seen(ctx, cause).await? })).await;
    }
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::ChangeEmail, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let link = ctx.config.link(&format!("/confirm-email?token={}", proof.token));
    let letter = ConfirmNewEmail { link, code: proof.code, seen: seen(ctx, cause).await? };
    mail::send(ctx, &reader(&account)?.at(new).write(&letter)).await
}

/// The notice to the old address, as long as there is a way back.
pub async fn send_changed(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let Some(undo) = store::find_undo_of(&ctx.db, cause).await? else { return Ok(()) };
    let link = ctx.config.link(&format!("/undo-email?token={}", undoing::token(ctx, cause)));
    let letter = EmailChanged { new: account.email.clone(), until: undo.until, link, seen: seen(ctx, cause).await? };
    mail::send(ctx, &reader(&account)?.at(address(&undo.old_email)?).write(&letter)).await
}

fn address(text: &str) -> Result<Email, JobError> {
    text.parse().map_err(|e| JobError::Fail(format!("this address can't be written to: {e}")))
}
