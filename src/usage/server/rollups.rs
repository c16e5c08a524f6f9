//! Hours and days are the sums of their quarters of an hour, rolled up once those are over: a batch then adds to minutes and quarters alone. Whoever reads
//! hours or days reads `usage_by_hour` and `usage_by_day`, which have what is not rolled up yet from the quarters (migration 0111).

use super::{
    calendar::{QUARTER, quarter_of},
    store::writing,
};
use crate::{
    error::AppError,
    platform::{Ctx, breath::Breath, db::is_held_up},
};
use std::time::Duration as Span;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

/// So long at once, where much is to be rolled up; the rest with the next time.
const LONGEST: Span = Span::from_secs(60);
/// By then nodes have written what they counted in a quarter, unless Postgres was away. What comes later costs more, and is not lost.
const WRITTEN: Duration = Duration::minutes(1);

/// Rolls up what is over. Safe to call twice, and on several nodes at once. While a batch takes long it is left for the next time.
pub async fn roll_up(ctx: &Ctx) -> Result<(), AppError> {
    match roll_up_each(ctx, quarter_of(ctx.clock.now() - WRITTEN)).await {
        Err(error) if is_held_up(&error) => Ok(()),
        rolled => Ok(rolled?),
    }
}

/// Each quarter in a transaction of its own: batches wait for it.
async fn roll_up_each(ctx: &Ctx, over: OffsetDateTime) -> sqlx::Result<()> {
    let (began, mut breath) = (Instant::now(), Breath::steady());
    while let Some(first) = writing::find_not_rolled_up(&ctx.db, over).await? {
        writing::roll_up(&ctx.db, first + QUARTER).await?;
        if began.elapsed() > LONGEST {
            return Ok(());
        }
        breath.take().await;
    }
    writing::roll_up(&ctx.db, over).await
}
