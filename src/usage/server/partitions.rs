//! The large tables of usage, cut by time: a piece of each is made ahead, and dropped whole when its time is over.
//!
//! A row of a time without a partition goes to the default one of its table, is read as any other, and moves when its partition is made: so
//! no count waits for one. There are few of them, as a statement is planned for each that its times touch: weeks of what is kept for weeks,
//! months of what is kept for years. What holds addresses of people goes to the day: of the week in which its time ends, row by row.

use super::store::partitions;
use crate::{
    error::AppError,
    platform::{Ctx, config::Retention, db},
};
use std::time::Duration as Span;
use time::{Duration, OffsetDateTime};

/// How long a partition is.
#[derive(Debug, Clone, Copy)]
enum Step {
    Week,
    Month,
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Times that fall into this one and into those that are made ahead: a week of outage of whatever makes them is no matter.
    fn ahead(self, now: OffsetDateTime) -> impl Iterator<Item = OffsetDateTime> {
        // No month is longer than 31 days, and the second step lies in the next one or the one after.
        let (days, steps) = match self {
            Self::Week => (7, 2),
            Self::Month => (28, 2),
        };
        (0..=steps).map(move |n| now + Duration::days(days * n))
    }
}

/// A table that is cut by a column.
#[derive(Debug, Clone, Copy)]
struct Parted {
    table: &'static str,
    column: &'static str,
    step: Step,
    /// How long its rows are kept.
    kept: fn(&Retention) -> Span,
    /// It holds addresses of people, and so nothing that is older, not even by a day.
    to_the_day: bool,
}

const PARTED: [Parted; 10] = [
    Parted { table: "usage_minutes", column: "minute", step: Step::Week, kept: |r| r.minutes, to_the_day: false },
    Parted { table: "usage_quarters", column: "quarter", step: Step::Month, kept: |r| r.usage, to_the_day: false },
    Parted { table: "usage_hours", column: "hour", step: Step::Month, kept: |r| r.usage, to_the_day: false },
    Parted { table: "latency_quarters", column: "quarter", step: Step::Month, kept: |r| r.usage, to_the_day: false },
    Parted { table: "usage_addresses", column: "quarter", step: Step::Week, kept: |r| r.addresses, to_the_day: true },
    Parted { table: "usage_permissions", column: "quarter", step: Step::Week, kept: |r| r.addresses, to_the_day: true },
    Parted { table: "usage_secrets", column: "quarter", step: Step::Week, kept: |r| r.addresses, to_the_day: true },
    Parted { table: "refusal_samples", column: "at", step: Step::Week, kept: |r| r.refusals, to_the_day: true },
    Parted { table: "passed_samples", column: "at", step: Step::Week, kept: |r| r.refusals, to_the_day: true },
    Parted { table: "unknown_attempts", column: "minute", step: Step::Week, kept: |r| r.refusals, to_the_day: true },
];

/// Makes the partitions of now and of what comes next, where they are missing; answers how many it made. Safe on several nodes at once. A
/// table that somebody reads for long (a dump, an export) keeps none of the others back; then it fails at the end.
pub async fn make_partitions(ctx: &Ctx) -> Result<usize, AppError> {
    let (mut made, mut busy) = (0, None);
    for parted in PARTED {
        for at in parted.step.ahead(ctx.clock.now()) {
            match partitions::make_partition(&ctx.db, parted.table, parted.column, parted.step.word(), at).await {
                Ok(is_new) => made += usize::from(is_new),
                Err(error) if db::is_held_up(&error) => {
                    busy = Some(error);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    match busy {
        Some(error) => Err(error.into()),
        None => Ok(made),
    }
}

/// Drops what ended before it is to be kept. Once a night: whoever writes waits behind a drop that waits.
pub(super) async fn drop_over(ctx: &Ctx) -> Result<(), AppError> {
    for parted in PARTED {
        let before = super::retention::since(ctx, parted.kept);
        match partitions::drop_partitions(&ctx.db, parted.table, before).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(table = parted.table, dropped, "partitions whose time is over are dropped"),
            Err(error) if db::is_held_up(&error) => {
                tracing::warn!(table = parted.table, "partitions whose time is over can't be dropped while somebody reads them; the next night tries again");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Deletes a bounded number of older rows that stand in no partition of their own; the most that it did in one.
pub(super) async fn forget_rows(ctx: &Ctx, most: i64) -> Result<u64, AppError> {
    let mut deleted = 0;
    for parted in PARTED {
        let before = super::retention::since(ctx, parted.kept);
        deleted = deleted.max(partitions::delete_rows(&ctx.db, parted.table, parted.column, before, parted.to_the_day, most).await?);
    }
    Ok(deleted)
}
