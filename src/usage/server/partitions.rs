//! The large tables of usage, cut by time: a piece of each is made ahead, and dropped whole when its time is over.
//!
//! A row of a time without a partition goes to the default one of its table, is read as any other, and moves when its partition is made: so
//! no count waits for one. Steps are chosen so that there are few (a statement plans for each one that its times touch): minutes by the
//! week, what is kept for years by the month; what holds addresses of people by the day, so that it goes on its day.

use super::store::partitions;
use crate::{
    error::AppError,
    platform::{Ctx, config::Retention},
};
use std::time::Duration as Span;
use time::{Duration, OffsetDateTime};

/// How long a partition is.
#[derive(Debug, Clone, Copy)]
enum Step {
    Day,
    Week,
    Month,
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Times that fall into this one and into those that are made ahead: a week of outage of whatever makes them is no matter.
    fn ahead(self, now: OffsetDateTime) -> impl Iterator<Item = OffsetDateTime> {
        // No month is longer than 31 days, and the second step lies in the next one or the one after.
        let (days, steps) = match self {
            Self::Day => (1, 7),
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
}

const PARTED: [Parted; 7] = [
    Parted { table: "usage_minutes", column: "minute", step: Step::Week, kept: |r| r.minutes },
    Parted { table: "usage_quarters", column: "quarter", step: Step::Month, kept: |r| r.usage },
    Parted { table: "usage_hours", column: "hour", step: Step::Month, kept: |r| r.usage },
    Parted { table: "latency_quarters", column: "quarter", step: Step::Month, kept: |r| r.usage },
    Parted { table: "usage_addresses", column: "quarter", step: Step::Day, kept: |r| r.addresses },
    Parted { table: "refusal_samples", column: "at", step: Step::Day, kept: |r| r.refusals },
    Parted { table: "unknown_attempts", column: "minute", step: Step::Day, kept: |r| r.refusals },
];

/// Makes the partitions of now and of what comes next, where they are missing; answers how many it made. Safe on several nodes at once.
pub async fn make_partitions(ctx: &Ctx) -> Result<usize, AppError> {
    let mut made = 0;
    for parted in PARTED {
        for at in parted.step.ahead(ctx.clock.now()) {
            made += usize::from(partitions::make_partition(&ctx.db, parted.table, parted.column, parted.step.word(), at).await?);
        }
    }
    Ok(made)
}

/// Drops what ended before it is to be kept, and deletes a bounded number of older rows that stand in no partition of their own; the most
/// that it did in one.
pub(super) async fn forget(ctx: &Ctx, most: i64) -> Result<u64, AppError> {
    let mut deleted = 0;
    for parted in PARTED {
        let before = super::retention::since(ctx, parted.kept);
        let dropped = partitions::drop_partitions(&ctx.db, parted.table, before).await?;
        if dropped > 0 {
            tracing::info!(table = parted.table, dropped, "partitions whose time is over are dropped");
        }
        deleted = deleted.max(partitions::delete_rows(&ctx.db, parted.table, parted.column, before, most).await?);
    }
    Ok(deleted)
}
