//! The mails of leaving: the link that does it, what comes then, and that the account is back.

use super::store::find_departure;
use crate::{
    accounts::server::{
        mail::{facts, to},
        profile::in_full,
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
    let facts = facts(ctx, &account, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::DeleteAccount, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let letter = to(&account, "Delete your account?")?
        .text("You asked to delete your account with everything in it. The link below does it. It works once, for 60 minutes.")
        .link("Delete my account", ctx.config.link(&format!("/delete-account?token={}", proof.token)))
        .text("All devices are then signed out and your keys stop passing. For 30 days you can bring everything back by signing in; after that it is erased.")
        .facts(facts)
        .text("If it wasn't you, somebody knows your password: do not open the link, and set a new password now.")
        .because("somebody asked to delete your account");
    mail::send(ctx, &letter).await
}

/// What leaving did, and the way back; nothing if it was gone already.
pub async fn send_departed(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let facts = facts(ctx, &account, cause).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(departure) = find_departure(&mut *tx, account.id).await? else { return Ok(()) };
    let Some(proof) = tokens::mint(ctx, &mut tx, account.id, Purpose::KeepAccount, cause).await? else { return Ok(()) };
    tx.commit().await?;
    let (subject, what, then) = match departure.erase_at {
        None => (
            "Your account is deactivated",
            "All devices are signed out and your keys stop passing. Nothing is erased.".to_owned(),
            "To bring it back, sign in; or use this link within 30 days.".to_owned(),
        ),
        Some(at) => {
            let day = in_full(at, &account.time_zone);
            (
                "Your account will be erased",
                format!("All devices are signed out and your keys stop passing. On {day} everything is erased for good."),
                "Until then you can bring it back: sign in, or use this link.".to_owned(),
            )
        }
    };
    let letter = to(&account, subject)?
        .text(what)
        .text(then)
        .link("Bring it back", ctx.config.link(&format!("/come-back?token={}", proof.token)))
        .facts(facts)
        .text("If it wasn't you, bring it back and set a new password.")
        .because("your account was left");
    mail::send(ctx, &letter).await
}

/// That the account is back.
pub async fn send_returned(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let letter = to(&account, "Your account is back")?
        .text("Your account was brought back. Its keys pass as before; sign in to use it.")
        .link("Sign in", ctx.config.link("/sign-in"))
        .facts(facts(ctx, &account, cause).await?)
        .text(format!("If it wasn't you, set a new password now: {}", ctx.config.link("/forgot-password")))
        .because("your account was brought back");
    mail::send(ctx, &letter).await
}
