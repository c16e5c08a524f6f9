//! The mails of a change of address: to the new one, to the owner of one that is taken, to the old one.

use super::{store, undoing};
use crate::{
    accounts::server::{
        mail::{facts, to},
        profile::in_full,
        store::{
            accounts::{find_account, find_by_email},
            departures::lock_account,
        },
        tokens::{self, Purpose},
    },
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Mail},
    },
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
        let letter = to(&owner, "Somebody wants to use your address")?
            .text("Somebody asked to use this address for another account. It belongs to yours, so nothing was changed.")
            .facts(facts(ctx, &owner, cause).await?)
            .text("If it wasn't you, do nothing: whoever it was saw only that a mail was sent.")
            .because("it is the address of your account, and somebody wanted to use it for another one");
        return mail::send(ctx, &letter).await;
    }
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::ChangeEmail, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let letter = Mail::new(new, "Confirm your new email")
        .name(&account.name)
        .text("Confirm that this is your address, and you sign in with it from then on. The link works once, for 60 minutes.")
        .link("Confirm new email", ctx.config.link(&format!("/confirm-email?token={}", proof.token)))
        .text("Or type this code in your settings. It works for 10 minutes.")
        .code(proof.code)
        .facts(facts(ctx, &account, cause).await?)
        .text("If it wasn't you, do nothing: without the link no account uses this address.")
        .because("somebody asked to use this address for an account");
    mail::send(ctx, &letter).await
}

/// The notice to the old address, as long as there is a way back.
pub async fn send_changed(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let Some(undo) = store::find_undo_of(&ctx.db, cause).await? else { return Ok(()) };
    let until = in_full(undo.until, &account.time_zone);
    let letter = Mail::new(address(&undo.old_email)?, "Your email was changed")
        .name(&account.name)
        .text(format!("Your account now uses {}. This address can't sign in any more.", account.email))
        .facts(facts(ctx, &account, cause).await?)
        .text(format!(
            "If it wasn't you, take the change back: this address returns, every device is signed out, and you set a new password by mail. This works until {until}."
        ))
        .link("Take the change back", ctx.config.link(&format!("/undo-email?token={}", undoing::token(ctx, cause))))
        .because("the email of your account was changed");
    mail::send(ctx, &letter).await
}

fn address(text: &str) -> Result<Email, JobError> {
    text.parse().map_err(|e| JobError::Fail(format!("this address can't be written to: {e}")))
}
