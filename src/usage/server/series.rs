//! Usage for programs: sums over time by code (`GET /api/v1/usage`).

use super::{
    calendar::{Calendar, instant, timestamp},
    latency::percentiles,
    report::{instants, scope, whole},
    retention,
    span::{self, Span},
    store::{
        reading::{self, Kept},
        units,
    },
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::{BucketSize, Percentiles, UsageQuery},
    values::{Outcome, permission_names as may},
};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Buckets of one answer: two days by minutes.
const MOST_POINTS: usize = 3_000;

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPoint {
    pub at: OffsetDateTime,
    pub total: u64,
    pub by_code: BTreeMap<Outcome, u64>,
    /// Cost units of what passed; none of an address or a permission.
    pub units: Option<u64>,
}

/// A series and how long its calls took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    pub points: Vec<SeriesPoint>,
    pub latency: Option<Percentiles>,
}

/// Sums between `from` and `to` (default: the last day), zero-filled; days are those of UTC, or of the zone that is asked for.
pub async fn list_series(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Usage, AppError> {
    caller.require(&may::USAGE_READ)?;
    let calendar = Calendar::asked(query.tz.as_deref(), "UTC")?;
    let now = timestamp(ctx.clock.now());
    let size = match query.bucket.as_deref() {
        None => BucketSize::Hour,
        Some(word) => BucketSize::parse(word)
            .filter(|size| matches!(size, BucketSize::Minute | BucketSize::Hour | BucketSize::Day))
            .ok_or_else(|| AppError::invalid("bucket", "A bucket is minute, hour or day."))?,
    };
    let read = |name, text: &Option<String>, is_end, usual| match text {
        Some(text) => span::moment(text, &calendar, is_end).map_err(|words| AppError::invalid(name, words)),
        None => Ok(usual),
    };
    // Without an end the bucket of this moment belongs to it.
    let to = read("to", &query.to, true, now.checked_add(1.nanosecond()).unwrap_or(now))?;
    let from = read("from", &query.from, false, to.checked_sub(24.hours()).unwrap_or(to))?;
    let span = span::read_between(from, to, size, &calendar, now, MOST_POINTS)?;
    let scope = scope(ctx, caller, query).await?;
    if size == BucketSize::Minute && scope.part().is_some() {
        return Err(AppError::invalid("bucket", "Of an address or a permission calls are kept by quarters of an hour. Ask by hour or by day."));
    }
    if size == BucketSize::Minute {
        check_kept(ctx, &span, &calendar)?;
    }
    let edges = instants(&span.edges);
    let (rows, kept) = match size {
        BucketSize::Minute => (reading::list_minute_buckets(&ctx.db, &scope, &edges).await?, Kept::Minutes),
        BucketSize::Day if calendar.is_of("UTC") => (reading::list_buckets(&ctx.db, &scope, &edges).await?, Kept::Days),
        _ => (reading::list_buckets(&ctx.db, &scope, &edges).await?, Kept::Quarters),
    };
    let is_told = scope.part().is_none();
    let costs = if is_told { units::list_buckets(&ctx.db, &scope, &edges, kept).await? } else { Vec::new() };
    let empty = |at: &OffsetDateTime| SeriesPoint { at: *at, total: 0, by_code: BTreeMap::new(), units: is_told.then_some(0) };
    let mut points: Vec<SeriesPoint> = edges.iter().take(span.buckets()).map(empty).collect();
    let place = |bucket: i32| usize::try_from(bucket).ok().and_then(|n| n.checked_sub(1));
    for row in costs {
        if let Some(point) = place(row.bucket).and_then(|at| points.get_mut(at)) {
            point.units = Some(whole(row.count));
        }
    }
    for row in rows {
        let (Some(point), Ok(outcome)) = (place(row.bucket).and_then(|at| points.get_mut(at)), row.outcome.parse::<Outcome>()) else { continue };
        point.total += whole(row.count);
        *point.by_code.entry(outcome).or_default() += whole(row.count);
    }
    let (from, to) = quarters(&span);
    let latency = percentiles(&ctx.db, &scope, instant(from), instant(to)).await?;
    Ok(Usage { points, latency })
}

/// Of minutes that are forgotten the answer would be zeros, as if nobody had called.
fn check_kept(ctx: &Ctx, span: &Span, calendar: &Calendar) -> Result<(), AppError> {
    let kept = timestamp(retention::since(ctx, |retention| retention.minutes));
    let oldest = calendar.floor(kept, BucketSize::Minute).unwrap_or(kept);
    if span.start() >= oldest {
        return Ok(());
    }
    Err(AppError::invalid("from", format!("Minutes are kept since {oldest}. Take a later beginning, or ask by hour or by day.")))
}

/// The stretch in whole quarters of an hour, outward: how long calls took is not known of single minutes.
fn quarters(span: &Span) -> (Timestamp, Timestamp) {
    let whole = |seconds: i64, usual| Timestamp::from_second(seconds.div_euclid(900) * 900).unwrap_or(usual);
    (whole(span.start().as_second(), span.start()), whole(span.end().as_second() + 899, span.end()))
}
