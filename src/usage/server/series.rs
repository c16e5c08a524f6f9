//! Usage for programs: sums over time by code (`GET /api/v1/usage`), and the filtered view taken apart for a spreadsheet.

use super::{
    calendar::{Calendar, instant, timestamp},
    report::{instants, scope, whole},
    span,
    store::reading,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::{BucketSize, UsageQuery},
    values::{KeyId, Outcome, permission_names as may},
};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Buckets of one answer: two days by minutes.
const MOST_POINTS: usize = 3_000;
/// Lines of one export.
const MOST_LINES: i64 = 100_000;

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPoint {
    pub at: OffsetDateTime,
    pub total: u64,
    pub by_code: BTreeMap<Outcome, u64>,
}

/// Sums between `from` and `to` (default: the last day), zero-filled; days are those of UTC.
pub async fn list_series(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Vec<SeriesPoint>, AppError> {
    caller.require(&may::USAGE_READ)?;
    let calendar = Calendar::utc();
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
    let edges = instants(&span.edges);
    let rows = match size {
        BucketSize::Minute => reading::list_minute_buckets(&ctx.db, &scope, &edges).await?,
        _ => reading::list_buckets(&ctx.db, &scope, &edges).await?,
    };
    let mut points: Vec<SeriesPoint> = edges.iter().take(span.buckets()).map(|at| SeriesPoint { at: *at, total: 0, by_code: BTreeMap::new() }).collect();
    for row in rows {
        let at = usize::try_from(row.bucket).ok().and_then(|n| n.checked_sub(1));
        let (Some(point), Ok(outcome)) = (at.and_then(|at| points.get_mut(at)), row.outcome.parse::<Outcome>()) else { continue };
        point.total += whole(row.count);
        *point.by_code.entry(outcome).or_default() += whole(row.count);
    }
    Ok(points)
}

/// One line of an export: calls of one key to one route with one outcome in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportLine {
    pub at: OffsetDateTime,
    /// In the person's time zone, without an offset: what a spreadsheet reads as a date.
    pub local: String,
    pub key: KeyId,
    pub key_name: String,
    pub api: String,
    pub route: String,
    pub code: String,
    pub calls: u64,
}

/// Exactly what `/usage` shows for this query, line by line; the sum of `calls` is the total on the page.
pub async fn export_usage(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Vec<ExportLine>, AppError> {
    caller.require(&may::USAGE_READ)?;
    let calendar = Calendar::of(&caller.time_zone);
    let span = span::read(query, &calendar, timestamp(ctx.clock.now()))?;
    let scope = scope(ctx, caller, query).await?;
    let rows = reading::list_export(&ctx.db, &scope, &instants(&span.edges), MOST_LINES + 1).await?;
    if rows.len() > usize::try_from(MOST_LINES).unwrap_or(usize::MAX) {
        return Err(AppError::invalid("bucket", "This export has more than 100,000 lines. Take a larger bucket, a shorter time or one key."));
    }
    let edge = |bucket: i32| usize::try_from(bucket).ok().and_then(|n| n.checked_sub(1)).and_then(|at| span.edges.get(at).copied());
    let line = |row: reading::ExportRow| {
        let at: Timestamp = edge(row.bucket)?;
        Some(ExportLine {
            at: instant(at),
            local: calendar.local(at).strftime("%Y-%m-%d %H:%M").to_string(),
            key: KeyId::new(row.key_id),
            key_name: row.key_name,
            api: row.api,
            route: row.route,
            code: row.outcome,
            calls: whole(row.count),
        })
    };
    Ok(rows.into_iter().filter_map(line).collect())
}
