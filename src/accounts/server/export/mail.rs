//! The mail that says that an export is there. It carries no link to the file itself: fetching it takes a sign-in.

use super::{LIVES, store};
use crate::{
    accounts::server::{
        mail::{facts, to},
        profile::in_full,
        store::accounts::find_account,
    },
    platform::{Ctx, jobs::JobError, mail},
    values::{AccountId, EventId},
};

/// Nothing if a newer export took its place.
pub async fn send_export_ready(ctx: &Ctx, account: AccountId, cause: EventId) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let Some(export) = store::find_export(&ctx.db, account.id).await?.filter(|export| export.id == cause) else { return Ok(()) };
    let Some(done) = export.done_at else { return Ok(()) };
    let letter = to(&account, "Your data is ready")?
        .text(format!("The export of your account can be fetched until {}.", in_full(done + LIVES, &account.time_zone)))
        .link("Fetch it", ctx.config.link("/settings/danger"))
        .facts(facts(ctx, &account, cause).await?)
        .text("If it wasn't you, somebody knows your password: set a new password now.")
        .because("you asked for an export of your account");
    mail::send(ctx, &letter).await
}
