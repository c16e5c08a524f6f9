//! Forgetting: minutes after 45 days, quarters, hours and days after two years, samples and attempts after 30 days, batch ids after two days,
//! uses of secrets with their secrets.

use super::store::pruning;
use crate::{error::AppError, platform::Ctx};
use time::Duration;

const MINUTES: Duration = Duration::days(45);
const QUARTERS: Duration = Duration::days(732);
const SAMPLES: Duration = Duration::days(30);
/// Far longer than a batch is tried.
const BATCHES: Duration = Duration::days(2);
/// Rows of one table in one call.
const MOST: i64 = 20_000;

/// Deletes a bounded number of rows; true if there may be more, so call it again.
pub async fn forget_old_usage(ctx: &Ctx) -> Result<bool, AppError> {
    let now = ctx.clock.now();
    let deleted = [
        pruning::delete_minutes(&ctx.db, now - MINUTES, MOST).await?,
        pruning::delete_quarters(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_hours(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_days(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_latency_quarters(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_latency_days(&ctx.db, now - QUARTERS, MOST).await?,
        pruning::delete_samples(&ctx.db, now - SAMPLES, MOST).await?,
        pruning::delete_attempts(&ctx.db, now - SAMPLES, MOST).await?,
        pruning::delete_batches(&ctx.db, now - BATCHES, MOST).await?,
        pruning::delete_uses(&ctx.db, MOST).await?,
    ];
    tracing::debug!(?deleted, "old usage is forgotten");
    Ok(deleted.iter().any(|n| *n >= MOST.unsigned_abs()))
}
