//! Numbers of today over all workspaces, for operators. Today is the operator's.

use super::{
    calendar::{Calendar, instant, timestamp},
    report::whole,
    store::reading::{self, CodeRow, Scope},
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::BucketSize,
    values::{Counts, Outcome, permission_names as may},
};
use time::OffsetDateTime;

/// Calls of all keys since midnight: passed, limited, refused.
pub async fn calls_today(ctx: &Ctx, caller: &Caller) -> Result<Counts, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let rows = reading::list_codes(&ctx.db, &Scope::default(), midnight(ctx, caller), tomorrow(ctx)).await?;
    let mut counts = Counts::default();
    by_code(rows).into_iter().for_each(|(outcome, calls)| counts.add(outcome, calls));
    Ok(counts)
}

/// Attempts with secrets that no key has since midnight, by reason.
pub async fn unknown_attempts_today(ctx: &Ctx, caller: &Caller) -> Result<Vec<(Outcome, u64)>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(by_code(reading::list_attempts(&ctx.db, midnight(ctx, caller)).await?))
}

/// Where the caller's day began.
pub(super) fn midnight(ctx: &Ctx, caller: &Caller) -> OffsetDateTime {
    let now = ctx.clock.now();
    Calendar::of(&caller.time_zone).floor(timestamp(now), BucketSize::Day).map_or(now, instant)
}

/// A moment behind everything that was counted: no edge.
pub(super) fn tomorrow(ctx: &Ctx) -> OffsetDateTime {
    ctx.clock.now() + time::Duration::days(1)
}

pub(super) fn by_code(rows: Vec<CodeRow>) -> Vec<(Outcome, u64)> {
    rows.into_iter().filter_map(|row| Some((row.outcome.parse().ok()?, whole(row.count)))).collect()
}
