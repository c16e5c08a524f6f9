//! Writing a file: page after page, each in one transaction with the place where the next one begins.
//!
//! So memory is bounded by a page. A writer that was killed leaves whole pages, and the next try goes on behind them. Two writers of one
//! file at once (a lease that ran out) don't double a page: whoever is second to add it stops. The file tells the view as it was asked
//! for (`created_at`), each line as it was when its page was read.

use super::{
    asking::KEPT,
    jobs::PrepareExport,
    source::Source,
    store::{self, Export, NewPage},
};
use crate::{
    accounts::{Via, server::caller_of_account},
    error::AppError,
    platform::{
        Ctx,
        clock::steady_millis,
        jobs::{Job, enqueue},
    },
    ui::number::thousands,
    values::{AccountId, ExportId},
};

/// Lines of one file.
const MOST_LINES: u64 = 2_000_000;
/// Milliseconds of one job. A longer file goes to the end of the queue with what is left, so that others have their turn.
const TURN: u64 = 15_000;
/// Chunks deleted in one statement.
const AT_ONCE: i64 = 200;

/// Writes what is missing of a file, if it is still wanted. Safe to repeat.
pub async fn prepare_export(ctx: &Ctx, id: ExportId) -> Result<(), AppError> {
    let Some(export) = store::find_export(&ctx.db, id).await?.filter(|e| e.state.is_open() && e.expires_at > ctx.clock.now()) else { return Ok(()) };
    match write(ctx, export).await {
        // Trying again would not help.
        Err(error) if error.status() < 500 => Ok(store::fail_export(&ctx.db, id, &error.to_string(), ctx.clock.now()).await?),
        ended => ended,
    }
}

async fn write(ctx: &Ctx, mut export: Export) -> Result<(), AppError> {
    // A job proves nothing: it may what the account may now.
    let caller = caller_of_account(ctx, export.account, Via::Cli).await?;
    let mut caller = caller.ok_or_else(|| AppError::refused("The account may not do this any more."))?;
    caller.workspace = export.workspace;
    caller.time_zone.clone_from(&export.time_zone);
    let source = Source::read(export.subject, &export.filters)?;
    let asked_at = export.created_at;
    if export.chunks == 0 && export.rows_expected.is_none() {
        // Once, and only for the bar: a file whose lines can't be counted in time is written all the same.
        let expected = source.count(ctx, &caller, asked_at).await.ok();
        store::start_export(&ctx.db, export.id, expected).await?;
        export.rows_expected = expected;
    }
    if export.rows_expected.is_some_and(|rows| rows > MOST_LINES) {
        return Err(too_long());
    }
    let began = steady_millis();
    loop {
        let page = source.page(ctx, &caller, asked_at, export.format, export.resume.as_deref(), export.rows_written).await?;
        if export.rows_written + page.rows > MOST_LINES {
            return Err(too_long());
        }
        let now = ctx.clock.now();
        let new = NewPage { text: &page.text, rows: page.rows, next: page.next.as_deref(), now, until: now + KEPT };
        let mut tx = ctx.db.begin().await?;
        let Some(added) = store::add_page(&mut tx, &export, &new).await? else { return Ok(()) };
        let ends = page.next.is_none() || steady_millis().saturating_sub(began) >= TURN;
        if ends && page.next.is_some() {
            enqueue(ctx, &mut tx, &PrepareExport { export: export.id }).await?;
        }
        tx.commit().await?;
        if ends {
            return Ok(());
        }
        export.chunks += added;
        export.rows_written += page.rows;
        export.resume = page.next;
    }
}

fn too_long() -> AppError {
    AppError::conflict(format!("This file would have more than {} lines. Take a shorter time, a larger bucket or one key.", thousands(MOST_LINES)))
}

/// Files of this account, or of all, whose jobs are dead letters have failed: nobody writes them any more.
pub(super) async fn fail_dead(ctx: &Ctx, account: Option<AccountId>) -> Result<(), AppError> {
    let open = store::list_open(&ctx.db, account).await?;
    if !open.is_empty() {
        let problem = "It could not be written. Ask for a shorter time or one key.";
        store::fail_dead(&ctx.db, PrepareExport::KIND, &open, problem, ctx.clock.now()).await?;
    }
    Ok(())
}

/// Deletes files that are over, a bounded number of chunks at a time; true if there may be more.
pub async fn forget_exports(ctx: &Ctx) -> Result<bool, AppError> {
    fail_dead(ctx, None).await?;
    let now = ctx.clock.now();
    let chunks = store::delete_old_chunks(&ctx.db, now, AT_ONCE).await?;
    store::delete_old(&ctx.db, now).await?;
    Ok(chunks >= AT_ONCE.unsigned_abs())
}
