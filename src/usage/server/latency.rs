//! How long calls took: told by services, read as percentiles.
//!
//! A percentile is that of the nearest rank, told as the middle of its bucket: at most 10 % off the value that an exact count would give
//! (`keys::server::meter::latency`). Any keys, routes and times are added up bucket by bucket before a percentile is read.

use super::{
    calendar::instant,
    report::instants,
    span::Span,
    store::{latency as store, reading::Scope},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::{
        gate::Gate,
        meter::{Latency, latency},
    },
    platform::Ctx,
    usage::model::{BucketSize, Percentiles},
    values::{KeyId, NotNow, Outcome, permission_names as may},
};
use jiff::Timestamp;
use sqlx::PgPool;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// Calls of one report.
const MOST: usize = 1_000;
/// A call may be told of so much later.
const LATE: Duration = Duration::days(1);
/// Clocks differ by so much.
const EARLY: Duration = Duration::minutes(5);

/// How long a call took, as a service tells it.
#[derive(Debug, Clone)]
pub struct Took {
    pub key: KeyId,
    /// The method and path that were called, as in a verification.
    pub route: String,
    pub milliseconds: f64,
    /// When it was called; none: now.
    pub at: Option<OffsetDateTime>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    pub accepted: u64,
    /// Of keys that are not known here (any more).
    pub unknown: u64,
    /// There was no room until the next write.
    pub dropped: u64,
}

/// Counts how long calls took, in memory; written with the next batch of usage. All or nothing if something is wrong.
pub fn report_latencies(ctx: &Ctx, caller: &Caller, calls: &[Took]) -> Result<Reported, AppError> {
    caller.require(&may::KEYS_VERIFY)?;
    let gate = ctx.part::<Gate>().ok_or(AppError::not_now(NotNow::Starting, 1))?;
    let now = ctx.clock.now();
    check(calls, now)?;
    let known: Vec<Latency> = calls
        .iter()
        .filter_map(|took| {
            let (workspace, api, route) = gate.counted_as(took.key, &took.route)?;
            let quarter = took.at.unwrap_or(now).unix_timestamp().div_euclid(900);
            Some(Latency { key: took.key, workspace, api, route, quarter, bucket: latency::bucket_of(took.milliseconds), count: 1 })
        })
        .collect();
    let (all, found) = (calls.len() as u64, known.len() as u64);
    let dropped = gate.meter().measure(known);
    Ok(Reported { accepted: found - dropped, unknown: all - found, dropped })
}

fn check(calls: &[Took], now: OffsetDateTime) -> Result<(), AppError> {
    if calls.is_empty() || calls.len() > MOST {
        return Err(AppError::invalid("latencies", "Send 1 to 1,000 calls at once."));
    }
    for (i, took) in calls.iter().enumerate() {
        if !(0.0..=latency::MOST_MILLIS).contains(&took.milliseconds) {
            return Err(AppError::invalid(&format!("latencies.{i}.milliseconds"), "A call took 0 to 3,600,000 milliseconds."));
        }
        if took.at.is_some_and(|at| at < now - LATE || at > now + EARLY) {
            return Err(AppError::invalid(&format!("latencies.{i}.at"), "Tell of a call within a day, and not before it was."));
        }
    }
    Ok(())
}

/// Whether how long calls took is known of what the filters leave: not where other outcomes than passing are asked for, as a service tells
/// of calls that it answered, nor of one address.
fn is_told(scope: &Scope) -> bool {
    let passes = scope.outcomes.as_ref().is_none_or(|codes| codes.iter().any(|code| code == Outcome::Valid.as_str()));
    passes && scope.part().is_none()
}

/// The percentiles of what the filters leave. None where nothing was told.
pub async fn percentiles(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<Option<Percentiles>> {
    if !is_told(scope) {
        return Ok(None);
    }
    Ok(read(&store::list_buckets(db, scope, from, to).await?))
}

/// The percentiles between these edges, one for each two neighbours; none at all where nothing was told. With `of_days` whole days (UTC) are
/// read in place of quarters of an hour: for weeks and months, so that rows are bounded by days.
pub async fn percentiles_by_bucket(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime], of_days: bool) -> sqlx::Result<Vec<Option<Percentiles>>> {
    Ok(histograms(db, scope, edges, of_days).await?.iter().map(|histogram| read(histogram)).collect())
}

/// The counts behind them: of each bucket, in the order of how long calls took.
async fn histograms(db: &PgPool, scope: &Scope, edges: &[OffsetDateTime], of_days: bool) -> sqlx::Result<Vec<Vec<(i16, i64)>>> {
    if !is_told(scope) {
        return Ok(Vec::new());
    }
    let rows = store::list_series(db, scope, edges, of_days).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut histograms = vec![Vec::new(); edges.len().saturating_sub(1)];
    for (at, bucket, count) in rows {
        let place = usize::try_from(at).ok().and_then(|at| at.checked_sub(1));
        if let Some(histogram) = place.and_then(|at| histograms.get_mut(at)) {
            histogram.push((bucket, count));
        }
    }
    Ok(histograms)
}

/// The percentiles of a stretch of time and those of each of its buckets; of minutes those of their quarter of an hour. The whole is added up
/// from the buckets, except of weeks and months, whose buckets are of whole days.
pub async fn percentiles_of(db: &PgPool, scope: &Scope, span: &Span) -> sqlx::Result<(Option<Percentiles>, Vec<Option<Percentiles>>)> {
    let of_days = matches!(span.size, BucketSize::Week | BucketSize::Month);
    let edges = if span.size.is_minutes() { span.quarters() } else { span.edges.clone() };
    let histograms = histograms(db, scope, &instants(&edges), of_days).await?;
    let whole = if of_days { percentiles(db, scope, instant(span.start()), instant(span.end())).await? } else { read(&added_up(&histograms)) };
    let told: Vec<_> = histograms.iter().map(|histogram| read(histogram)).collect();
    if told.is_empty() || !span.size.is_minutes() {
        return Ok((whole, told));
    }
    let of = |at: &Timestamp| edges.partition_point(|edge| edge <= at).checked_sub(1).and_then(|place| told.get(place).copied().flatten());
    Ok((whole, span.edges.iter().take(span.buckets()).map(of).collect()))
}

fn added_up(histograms: &[Vec<(i16, i64)>]) -> Vec<(i16, i64)> {
    let mut whole = BTreeMap::<i16, i64>::new();
    for (bucket, count) in histograms.iter().flatten() {
        *whole.entry(*bucket).or_default() += count;
    }
    whole.into_iter().collect()
}

/// Reads percentiles off a histogram: buckets with their counts, ascending.
pub fn read(buckets: &[(i16, i64)]) -> Option<Percentiles> {
    let total: i64 = buckets.iter().map(|(_, count)| count).sum();
    let at = |per_cent: i64| {
        // The nearest rank, from 1.
        let rank = (total * per_cent + 99) / 100;
        let mut below = 0;
        let found = buckets.iter().find(|(_, count)| {
            below += count;
            below >= rank
        });
        found.map(|(bucket, _)| latency::told(*bucket))
    };
    if total == 0 {
        return None;
    }
    Some(Percentiles { p50: at(50)?, p95: at(95)?, p99: at(99)?, count: u64::try_from(total).unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merged_percentiles_are_within_the_bound_of_exact_ones(parts in prop::collection::vec(prop::collection::vec(0.1f64..900_000.0, 0..200), 1..6)) {
            let mut merged = BTreeMap::<i16, i64>::new();
            for part in &parts {
                for millis in part {
                    *merged.entry(latency::bucket_of(*millis)).or_default() += 1;
                }
            }
            let mut exact: Vec<f64> = parts.into_iter().flatten().collect();
            exact.sort_by(f64::total_cmp);
            let told = read(&merged.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(told.is_some(), !exact.is_empty());
            if let Some(told) = told {
                prop_assert_eq!(told.count, exact.len() as u64);
                for (per_cent, told) in [(50, told.p50), (95, told.p95), (99, told.p99)] {
                    let wanted = exact[(exact.len() * per_cent).div_ceil(100) - 1];
                    let told = told as f64 / 1000.0;
                    prop_assert!((told - wanted).abs() <= wanted * 0.1, "{}: {} for {}", per_cent, told, wanted);
                }
            }
        }
    }

    #[test]
    fn percentiles_have_the_nearest_rank() {
        let told = read(&[(10, 98), (20, 1), (30, 1)]).expect("some");
        assert_eq!((told.p50, told.p95, told.p99, told.count), (latency::told(10), latency::told(10), latency::told(20), 100));
        assert_eq!(read(&[]), None);
    }
}
