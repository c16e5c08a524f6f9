//! Forgetting: minutes, and hours of what workspaces share, after 45 days, quarters, hours and days after two years, samples and attempts after 30 days, batch ids after two days,
//! uses of secrets with their secrets; addresses after 30 days, and those that are rare as soon as their quarter of an hour is over.

use super::store::{addresses, pruning};
use crate::{error::AppError, platform::Ctx};
use time::{Duration, OffsetDateTime};

const MINUTES: Duration = Duration::days(45);
const QUARTERS: Duration = Duration::days(732);
const SAMPLES: Duration = Duration::days(30);
/// Far longer than a batch is tried.
const BATCHES: Duration = Duration::days(2);
/// Rows of one table in one call.
const MOST: i64 = 20_000;

/// Of each key the busiest addresses of a quarter of an hour stay.
const ADDRESSES: i64 = 100;
/// How far back it looks for quarters with more; the newest of them must be over, and written.
const RARE: (Duration, Duration) = (Duration::hours(6), Duration::minutes(20));
const QUARTER: Duration = Duration::minutes(15);
/// Keys whose addresses one statement ranks.
const RANKED: i64 = 500;

/// The quarters of an hour of the last hours that are over, the oldest first.
pub fn quarters_over(ctx: &Ctx) -> Vec<OffsetDateTime> {
    let (from, to) = (ctx.clock.now() - RARE.0, ctx.clock.now() - RARE.1);
    let into = from.unix_timestamp().rem_euclid(QUARTER.whole_seconds());
    let first = from.replace_nanosecond(0).unwrap_or(from) - Duration::seconds(into);
    std::iter::successors(Some(first), |quarter| Some(*quarter + QUARTER)).take_while(|quarter| *quarter < to).collect()
}

/// Forgets rare addresses of one quarter of an hour: their calls are then of "other addresses". Ranks those of a bounded number of keys;
/// true if there may be more, so call it again.
pub async fn forget_rare_addresses(ctx: &Ctx, quarter: OffsetDateTime) -> Result<bool, AppError> {
    Ok(addresses::delete_rare(&ctx.db, quarter, ADDRESSES, RANKED, MOST).await? > 0)
}

/// Deletes a bounded number of rows; true if there may be more, so call it again.
pub async fn forget_old_usage(ctx: &Ctx) -> Result<bool, AppError> {
    let now = ctx.clock.now();
    let deleted = [
        pruning::delete_minutes(&ctx.db, now - MINUTES, MOST).await?,
        pruning::delete_shared_hours(&ctx.db, now - MINUTES, MOST).await?,
        pruning::delete_quarters(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_hours(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_days(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_latency_quarters(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_latency_days(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_samples(&ctx.db, now - SAMPLES, MOST).await?,
        pruning::delete_attempts(&ctx.db, now - SAMPLES, MOST).await?,
        addresses::delete_old(&ctx.db, now - SAMPLES, MOST).await?,
        pruning::delete_batches(&ctx.db, now - BATCHES, MOST).await?,
        pruning::delete_uses(&ctx.db, MOST).await?,
    ];
    tracing::debug!(?deleted, "old usage is forgotten");
    Ok(deleted.iter().any(|n| *n >= MOST.unsigned_abs()))
}
