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
/// So many fit into a form, encoded.
const CHARACTERS: usize = 40_000;

/// Keeps a list, if it can be read at all.
pub async fn keep_batch(ctx: &Ctx, caller: &Caller, api: &str, text: &str) -> Result<BatchId, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    if text.chars().count() > CHARACTERS || text.len() > 65_536 {
        return Err(AppError::invalid("list", "Here a list has at most 40,000 characters. Send longer ones by REST or on the command line."));
    }
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
    Ok(BatchPreview { id, api: row.api, keys, wrong, lines, is_done: false, list: (wrong > 0).then_some(row.list) })
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
