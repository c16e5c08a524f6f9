//! A list that was pasted into `/keys/import`, kept until the person has looked at it.

use super::import_text;
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{ImportLine, ImportOutcome, ImportPreview},
        server::store::imports,
    },
    platform::Ctx,
    values::{ImportId, permission_names as may},
};
use time::Duration;

/// Lines that the page shows.
const SHOWN: usize = 200;
/// So many fit into a form, encoded.
pub const CHARACTERS: usize = 40_000;

/// Keeps a list, if it can be read at all.
pub async fn keep_list(ctx: &Ctx, caller: &Caller, api: &str, text: &str) -> Result<ImportId, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    if text.chars().count() > CHARACTERS {
        return Err(AppError::invalid("list", "Here a list has at most 40,000 characters. Import longer ones by REST or on the command line."));
    }
    import_text(ctx, caller, api, text, true).await?;
    let id = ctx.new_id();
    imports::insert_list(&ctx.db, id, caller.workspace, api, text, ctx.clock.now()).await?;
    Ok(id)
}

/// What would become of it now.
pub async fn preview_list(ctx: &Ctx, caller: &Caller, id: ImportId) -> Result<ImportPreview, AppError> {
    let list = imports::find_list(&ctx.db, caller.workspace, id).await?.ok_or(AppError::NotFound)?;
    let mut lines = import_text(ctx, caller, &list.api, &list.list, true).await?;
    let count = |outcome: ImportOutcome| lines.iter().filter(|line| line.outcome == outcome).count() as u64;
    let (created, known, wrong) = (count(ImportOutcome::Created), count(ImportOutcome::Known), count(ImportOutcome::Wrong));
    lines.sort_by_key(|line| (line.outcome != ImportOutcome::Wrong, line.line));
    lines.truncate(SHOWN);
    Ok(ImportPreview { id, api: list.api, created, known, wrong, lines })
}

/// Imports it, and keeps it no longer. None: it is not there, as when the button was pressed twice.
pub async fn run_list(ctx: &Ctx, caller: &Caller, id: ImportId) -> Result<Option<Vec<ImportLine>>, AppError> {
    let Some(list) = imports::find_list(&ctx.db, caller.workspace, id).await? else { return Ok(None) };
    let lines = import_text(ctx, caller, &list.api, &list.list, false).await?;
    imports::delete_list(&ctx.db, id).await?;
    Ok(Some(lines))
}

/// Lists that are older than a day go.
pub async fn forget_lists(ctx: &Ctx) -> Result<u64, AppError> {
    Ok(imports::delete_lists(&ctx.db, ctx.clock.now() - Duration::DAY).await?)
}
