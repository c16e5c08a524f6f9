//! When the mail is sent that says that an export is there. It carries no link to the file itself: fetching it takes a sign-in.

use super::{LIVES, store};
use crate::{
    accounts::server::{
        letters::ExportReady,
        mail::{reader, seen},
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
    let (link, forgot) = (ctx.config.link("/settings/danger"), ctx.config.link("/forgot-password"));
    let letter = ExportReady { until: done + LIVES, link, forgot, seen: seen(ctx, cause).await? };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}
