//! A list of accounts that was pasted into `/admin/accounts/import`, or came there as a file, kept until the operator has looked at it.
//! Hashes of passwords are in it: it is sealed, for the one who brought it.

use super::import_accounts;
use crate::{
    accounts::{
        model::{AccountImport, Caller, ImportedAs, ImportedLine},
        server::{factors::require_admin_proof, store::imports},
    },
    error::AppError,
    platform::Ctx,
    values::{ImportId, permission_names as may},
};

/// Lines that the page shows.
const SHOWN: usize = 200;
/// So many are pasted.
const CHARACTERS: usize = 40_000;
/// Lists of an operator that wait; the oldest goes for the next.
const WAITING: i64 = 5;
const SEALED: &str = "account import";

/// Keeps a list, if it can be read at all: what was pasted, or else the file.
pub async fn keep_account_list(ctx: &Ctx, caller: &Caller, pasted: &str, file: &str) -> Result<ImportId, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let is_file = !file.trim().is_empty();
    if is_file && !pasted.trim().is_empty() {
        return Err(AppError::invalid("list", "There are two lists: leave this empty, or choose no file."));
    }
    if pasted.chars().count() > CHARACTERS {
        return Err(AppError::invalid("list", "Pasted, a list has at most 40,000 characters. Choose it as a file."));
    }
    let text = if is_file { file } else { pasted };
    import_accounts(ctx, caller, text, true).await.map_err(|error| if is_file { error.of_field("list", "file") } else { error })?;
    let id = ctx.new_id();
    let sealed = ctx.vault.seal(&ctx.rng, SEALED, &bound_to(id, caller), text.as_bytes()).map_err(AppError::internal)?;
    let mut tx = ctx.db.begin().await?;
    imports::insert_list(&mut tx, id, caller.account, &sealed, ctx.clock.now()).await?;
    imports::delete_older_lists(&mut tx, caller.account, WAITING).await?;
    tx.commit().await?;
    Ok(id)
}

/// What would become of it now; none if none is named.
pub async fn preview_account_list(ctx: &Ctx, caller: &Caller, id: Option<&str>) -> Result<Option<AccountImport>, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let Some(id) = id else { return Ok(None) };
    let id: ImportId = id.parse().map_err(|_| AppError::NotFound)?;
    let text = find(ctx, caller, id).await?.ok_or(AppError::NotFound)?;
    let mut lines = import_accounts(ctx, caller, &text, true).await?;
    let count = |outcome: ImportedAs| lines.iter().filter(|line| line.outcome == outcome).count() as u64;
    let (created, known, wrong) = (count(ImportedAs::Created), count(ImportedAs::Known), count(ImportedAs::Wrong));
    lines.sort_by_key(|line| (line.outcome != ImportedAs::Wrong, line.line));
    lines.truncate(SHOWN);
    Ok(Some(AccountImport { id, created, known, wrong, lines }))
}

/// Imports it, and keeps it no longer, unless there was not enough time for all of it. None: it is not there, as when the button was
/// pressed twice.
pub async fn run_account_list(ctx: &Ctx, caller: &Caller, id: ImportId) -> Result<Option<Vec<ImportedLine>>, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let Some(text) = find(ctx, caller, id).await? else { return Ok(None) };
    let lines = import_accounts(ctx, caller, &text, false).await?;
    if lines.iter().all(|line| line.outcome != ImportedAs::Later) {
        imports::delete_list(&ctx.db, id).await?;
    }
    Ok(Some(lines))
}

/// None also where the master key that it is under was dropped meanwhile.
async fn find(ctx: &Ctx, caller: &Caller, id: ImportId) -> Result<Option<String>, AppError> {
    let sealed = imports::find_list(&ctx.db, caller.account, id).await?;
    Ok(sealed.and_then(|sealed| ctx.vault.open(SEALED, &bound_to(id, caller), &sealed)).and_then(|plain| String::from_utf8(plain).ok()))
}

fn bound_to(id: ImportId, caller: &Caller) -> Vec<u8> {
    format!("{id}:{}", caller.account).into_bytes()
}
