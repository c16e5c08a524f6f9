//! Forgetting what the configuration does not keep (`config::Retention`); ids of batches after two days once no spool holds them, uses of
//! secrets with their secrets, and addresses that are rare as soon as their quarter of an hour is over, by secret too. The large tables lose
//! whole partitions (`partitions`).

use super::{
    calendar::{QUARTER, quarter_of},
    partitions,
    store::{parts, pruning, secrets},
};
use crate::{
    error::AppError,
    platform::{Ctx, config::Retention},
};
use time::{Duration, OffsetDateTime};

/// The id of a batch whose files are gone: longer than a disk takes to know that for good. One whose files may be left on some disk is
/// known as long as usage is kept, so that it counts once whenever that disk comes back.
const BATCHES: Duration = Duration::days(2);
/// Rows of one table in one call.
const MOST: i64 = 20_000;

/// Of each key the busiest addresses of a quarter of an hour stay; of each secret as many addresses with their route.
const ADDRESSES: i64 = 100;
/// How far back it looks for quarters with more; the newest of them must be over, and written.
const RARE: (Duration, Duration) = (Duration::hours(6), Duration::minutes(20));
/// Keys whose addresses one statement ranks.
const RANKED: i64 = 500;

/// The quarters of an hour of the last hours that are over, the oldest first.
pub fn quarters_over(ctx: &Ctx) -> Vec<OffsetDateTime> {
    let (from, to) = (ctx.clock.now() - RARE.0, ctx.clock.now() - RARE.1);
    std::iter::successors(Some(quarter_of(from)), |quarter| Some(*quarter + QUARTER)).take_while(|quarter| *quarter < to).collect()
}

/// Forgets rare addresses of one quarter of an hour: their calls are then of "other addresses". Ranks those of a bounded number of keys;
/// true if there may be more, so call it again.
pub async fn forget_rare_addresses(ctx: &Ctx, quarter: OffsetDateTime) -> Result<bool, AppError> {
    Ok(parts::delete_rare(&ctx.db, quarter, ADDRESSES, RANKED, MOST).await? > 0)
}

/// Adds up what is rare of each secret in one quarter of an hour, in the same way and with the same answer. No call is lost by it.
pub async fn add_up_rare_of_secrets(ctx: &Ctx, quarter: OffsetDateTime) -> Result<bool, AppError> {
    Ok(secrets::add_up_rare(&ctx.db, quarter, ADDRESSES, RANKED).await? > 0)
}

/// Since when rows are kept that are kept for so long.
pub(super) fn since(ctx: &Ctx, kept: fn(&Retention) -> std::time::Duration) -> OffsetDateTime {
    let kept = Duration::try_from(kept(&ctx.config.retention)).unwrap_or(Duration::MAX);
    ctx.clock.now().checked_sub(kept).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Drops what is over and deletes a bounded number of rows; true if there may be more of these: `forget_old_rows` goes on.
pub async fn forget_old_usage(ctx: &Ctx) -> Result<bool, AppError> {
    partitions::drop_over(ctx).await?;
    forget_old_rows(ctx).await
}

/// Deletes a bounded number of rows; true if there may be more, so call it again.
pub async fn forget_old_rows(ctx: &Ctx) -> Result<bool, AppError> {
    let of_usage = since(ctx, |retention| retention.usage);
    let of_batches = ctx.clock.now() - BATCHES;
    let deleted = [
        partitions::forget_rows(ctx, MOST).await?,
        pruning::delete_shared_hours(&ctx.db, since(ctx, |retention| retention.minutes), MOST).await?,
        pruning::delete_days(&ctx.db, of_usage, MOST).await?,
        pruning::delete_latency_days(&ctx.db, of_usage, MOST).await?,
        pruning::delete_batches(&ctx.db, of_batches, of_usage.min(of_batches), MOST).await?,
        pruning::delete_uses(&ctx.db, MOST).await?,
    ];
    tracing::debug!(?deleted, "old usage is forgotten");
    Ok(deleted.iter().any(|n| *n >= MOST.unsigned_abs()))
}
