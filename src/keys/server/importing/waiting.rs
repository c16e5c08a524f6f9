//! A list that was pasted into `/keys/import`, or came there as a file, kept until the person has looked at it.

use super::{ImportWish, import_text};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{ImportLine, ImportOutcome, ImportPreview, ImportShown},
        server::{apis, store::imports},
    },
    platform::Ctx,
    values::{ImportId, permission_names as may},
};
use std::collections::BTreeSet;
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
    let wish = ImportWish { api, dry_run: true, ..ImportWish::default() };
    import_text(ctx, caller, wish, text).await.map_err(|error| if is_file { error.of_field("list", "file") } else { error })?;
    let (id, mut tx) = (ctx.new_id(), ctx.db.begin().await?);
    imports::insert_list(&mut tx, id, caller.workspace, api, text, ctx.clock.now()).await?;
    imports::delete_older_lists(&mut tx, caller.workspace, WAITING).await?;
    tx.commit().await?;
    Ok(id)
}

/// What `/keys/import` shows, with the list if one was pasted.
pub async fn import_page(ctx: &Ctx, caller: &Caller, list: Option<&str>, is_without: bool) -> Result<ImportShown, AppError> {
    let mut apis = apis::list_apis(ctx, caller).await?;
    apis.retain(|api| !api.is_own());
    let preview = match list {
        Some(id) => Some(preview_list(ctx, caller, id.parse().map_err(|_| AppError::NotFound)?, is_without).await?),
        None => None,
    };
    Ok(ImportShown { is_operator: caller.may(&may::KEYS_MANAGE), apis, preview })
}

/// What would become of it now; with `is_without`, of its keys without the permissions that the API does not have.
async fn preview_list(ctx: &Ctx, caller: &Caller, id: ImportId, is_without: bool) -> Result<ImportPreview, AppError> {
    let list = imports::find_list(&ctx.db, caller.workspace, id).await?.ok_or(AppError::NotFound)?;
    let wish = ImportWish { api: &list.api, without_unknown_permissions: is_without, dry_run: true, ..ImportWish::default() };
    let mut lines = import_text(ctx, caller, wish, &list.list).await?;
    let count = |outcome: ImportOutcome| lines.iter().filter(|line| line.outcome == outcome).count() as u64;
    let (created, known) = (count(ImportOutcome::Created), count(ImportOutcome::Known));
    let (skipped, wrong) = (count(ImportOutcome::Skipped), count(ImportOutcome::Wrong));
    let unknown_permissions: BTreeSet<String> = lines.iter().flat_map(|line| line.unknown_permissions.iter().cloned()).collect();
    lines.sort_by_key(|line| (line.outcome != ImportOutcome::Wrong, line.line));
    lines.truncate(SHOWN);
    lines.sort_by_key(|line| line.line);
    let unknown_permissions = unknown_permissions.into_iter().collect();
    Ok(ImportPreview { id, api: list.api, created, known, skipped, wrong, unknown_permissions, is_without, lines })
}

/// Imports it, and keeps it no longer, unless there was not enough time for all of it. None: it is not there, as when the button was pressed twice.
pub async fn run_list(ctx: &Ctx, caller: &Caller, id: ImportId, is_without: bool) -> Result<Option<Vec<ImportLine>>, AppError> {
    let Some(list) = imports::find_list(&ctx.db, caller.workspace, id).await? else { return Ok(None) };
    let wish = ImportWish { api: &list.api, without_unknown_permissions: is_without, ..ImportWish::default() };
    let lines = import_text(ctx, caller, wish, &list.list).await?;
    if lines.iter().all(|line| line.outcome != ImportOutcome::Later) {
        imports::delete_list(&ctx.db, id).await?;
    }
    Ok(Some(lines))
}

/// Lists that are older than a day go.
pub async fn forget_lists(ctx: &Ctx) -> Result<u64, AppError> {
    Ok(imports::delete_lists(&ctx.db, ctx.clock.now() - Duration::DAY).await?)
}
