//! A list that was pasted into `/keys/import`, or came there as a file, kept until the person has looked at it.

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
/// So many are pasted.
pub const CHARACTERS: usize = 40_000;
/// Lists that wait in a workspace; the oldest goes for the next.
const WAITING: i64 = 5;

/// Keeps a list, if it can be read at all: what was pasted, or else the file.
pub async fn keep_list(ctx: &Ctx, caller: &Caller, api: &str, pasted: &str, file: &str) -> Result<ImportId, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let is_file = !file.trim().is_empty();
    if is_file && !pasted.trim().is_empty() {
        return Err(AppError::invalid("list", "There are two lists: leave this empty, or choose no file."));
    }
    if pasted.chars().count() > CHARACTERS {
        return Err(AppError::invalid("list", "Pasted, a list has at most 40,000 characters. Choose it as a file."));
    }
    let text = if is_file { file } else { pasted };
    if text.contains('\0') {
        return Err(AppError::invalid(if is_file { "file" } else { "list" }, "The list holds a NUL character: it is no text."));
    }
    import_text(ctx, caller, api, text, true).await.map_err(|error| if is_file { error.of_field("list", "file") } else { error })?;
    let (id, mut tx) = (ctx.new_id(), ctx.db.begin().await?);
    imports::insert_list(&mut tx, id, caller.workspace, api, text, ctx.clock.now()).await?;
    imports::delete_older_lists(&mut tx, caller.workspace, WAITING).await?;
    tx.commit().await?;
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

/// Imports it, and keeps it no longer, unless there was not enough time for all of it. None: it is not there, as when the button was pressed twice.
pub async fn run_list(ctx: &Ctx, caller: &Caller, id: ImportId) -> Result<Option<Vec<ImportLine>>, AppError> {
    let Some(list) = imports::find_list(&ctx.db, caller.workspace, id).await? else { return Ok(None) };
    let lines = import_text(ctx, caller, &list.api, &list.list, false).await?;
    if lines.iter().all(|line| line.outcome != ImportOutcome::Later) {
        imports::delete_list(&ctx.db, id).await?;
    }
    Ok(Some(lines))
}

/// Lists that are older than a day go.
pub async fn forget_lists(ctx: &Ctx) -> Result<u64, AppError> {
    Ok(imports::delete_lists(&ctx.db, ctx.clock.now() - Duration::DAY).await?)
}
