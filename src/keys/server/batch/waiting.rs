//! A list that was pasted into `/keys/create-many`, kept until the person has looked at it and made its keys. It holds no secret.

use super::{Batch, check_batch, make, read_lines};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{BatchPage, BatchPreview, Once},
        server::{apis, creating, store::batches as store},
    },
    platform::{Ctx, LocalTime},
    values::{BatchId, permission_names as may},
};
use time::Duration;

/// Lines that the page shows.
const SHOWN: usize = 200;
/// Pasted. What is wrong with a longer one is mended in its file.
const CHARACTERS: usize = 40_000;
/// A file of 1,000 keys, each with all that it may have.
const FILE_CHARACTERS: usize = 2_000_000;

/// Keeps a list, if it can be read at all: what was pasted, or else the file.
pub async fn keep_batch(ctx: &Ctx, caller: &Caller, api: &str, pasted: &str, file: &str) -> Result<BatchId, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let is_file = !file.trim().is_empty();
    if is_file && !pasted.trim().is_empty() {
        return Err(AppError::invalid("list", "There are two lists: leave this empty, or choose no file."));
    }
    if pasted.chars().count() > CHARACTERS {
        return Err(AppError::invalid("list", "Pasted, a list has at most 40,000 characters. Choose it as a file."));
    }
    if file.chars().count() > FILE_CHARACTERS {
        return Err(AppError::invalid("file", "A file has at most 2 million characters. Send a longer list in parts."));
    }
    keep(ctx, caller, api, if is_file { file } else { pasted }).await.map_err(|error| if is_file { error.of_field("list", "file") } else { error })
}

async fn keep(ctx: &Ctx, caller: &Caller, api: &str, text: &str) -> Result<BatchId, AppError> {
    // Before anything is kept: the page asks for the proof here, where its form comes back.
    creating::must_be_proven(ctx, caller, &apis::api_for_key(ctx, Some(api)).await?).await?;
    check_batch(ctx, caller, api, read_lines(text, &local(ctx, caller))?).await?;
    let id = ctx.new_id();
    store::insert_batch(&ctx.db, id, caller.workspace, api, text, ctx.clock.now()).await?;
    Ok(id)
}

/// What `/keys/create-many` shows, with the list if one was pasted.
pub async fn batch_page(ctx: &Ctx, caller: &Caller, list: Option<&str>) -> Result<BatchPage, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let preview = match list {
        Some(id) => Some(preview_batch(ctx, caller, id.parse().map_err(|_| AppError::NotFound)?).await?),
        None => None,
    };
    let apis = apis::list_apis(ctx, caller).await?;
    Ok(BatchPage { is_operator: caller.may(&may::KEYS_MANAGE), apis, once: ctx.rng.base62(30), preview })
}

/// What each line says now.
async fn preview_batch(ctx: &Ctx, caller: &Caller, id: BatchId) -> Result<BatchPreview, AppError> {
    let row = store::find_batch(&ctx.db, caller.workspace, id).await?.ok_or(AppError::NotFound)?;
    if row.done_at.is_some() {
        return Ok(BatchPreview { id, api: row.api, keys: 0, wrong: 0, lines: Vec::new(), is_done: true, list: None });
    }
    let mut lines = check_batch(ctx, caller, &row.api, read_lines(&row.list, &local(ctx, caller))?).await?;
    let wrong = lines.iter().filter(|line| !line.errors.is_empty()).count() as u64;
    let keys = lines.len() as u64 - wrong;
    lines.sort_by_key(|line| (line.errors.is_empty(), line.line));
    lines.truncate(SHOWN);
    Ok(BatchPreview { id, api: row.api, keys, wrong, lines, is_done: false, list: (wrong > 0 && row.list.chars().count() <= CHARACTERS).then_some(row.list) })
}

/// Makes its keys, once; `token` is that of the page that asks.
pub async fn run_batch(ctx: &Ctx, caller: &Caller, id: BatchId, token: &str) -> Result<Batch, AppError> {
    let row = store::find_batch(&ctx.db, caller.workspace, id).await?.ok_or(AppError::NotFound)?;
    let lines = read_lines(&row.list, &local(ctx, caller))?;
    make(ctx, caller, &row.api, lines, Some(Once(format!("{token} {id}"))), Some(id)).await
}

fn local(ctx: &Ctx, caller: &Caller) -> LocalTime {
    LocalTime::new(&caller.time_zone, ctx.clock.now())
}

/// Lists that are older than a day go.
pub async fn forget_batches(ctx: &Ctx) -> Result<u64, AppError> {
    Ok(store::delete_batches(&ctx.db, ctx.clock.now() - Duration::DAY).await?)
}
