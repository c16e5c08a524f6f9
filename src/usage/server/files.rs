//! Parts of the page Usage as files of their own: how long calls took, and how much of their limits is used.

use super::{
    calendar::{Calendar, instant, timestamp},
    latency::percentiles_by_bucket,
    lines::{LatencyLine, UsedLimit},
    report::{instants, report_usage, scope},
    times::Times,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::{BucketSize, LimitMeter, Percentiles, UsageQuery},
    values::permission_names as may,
};
use jiff::Timestamp;
use time::format_description::well_known::Rfc3339;

/// The percentiles of each bucket of which something was told, of minutes of each quarter of an hour; behind those of the time that is shown
/// those of an earlier one that it is compared with.
pub async fn export_latencies(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Vec<LatencyLine>, AppError> {
    caller.require(&may::USAGE_READ)?;
    let calendar = Calendar::asked(query.tz.as_deref(), &caller.time_zone)?;
    let Times { span, earlier, .. } = Times::read(ctx, query, &calendar, timestamp(ctx.clock.now()))?;
    let scope = scope(ctx, caller, query).await?;
    #[allow(clippy::cast_precision_loss, reason = "some hours of microseconds")]
    let millis = |micros: u64| micros as f64 / 1000.0;
    let mut lines = Vec::new();
    for (period, span) in [("shown", Some(span)), ("compared", earlier)] {
        let Some(span) = span else { continue };
        let of_days = matches!(span.size, BucketSize::Week | BucketSize::Month);
        let edges = if span.size.is_minutes() { span.quarters() } else { span.edges };
        let told = percentiles_by_bucket(&ctx.db, &scope, &instants(&edges), of_days).await?;
        let line = |(at, told): (&Timestamp, Option<Percentiles>)| {
            let told = told?;
            Some(LatencyLine {
                at: instant(*at).format(&Rfc3339).unwrap_or_default(),
                local: calendar.local(*at).strftime("%Y-%m-%d %H:%M").to_string(),
                p50: millis(told.p50),
                p95: millis(told.p95),
                p99: millis(told.p99),
                count: told.count,
                period,
            })
        };
        lines.extend(edges.iter().zip(told).filter_map(line));
    }
    Ok(lines)
}

/// The limits that the page shows for the same filters, at this moment.
pub async fn export_limits(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Vec<UsedLimit>, AppError> {
    let report = report_usage(ctx, caller, query.clone()).await?;
    let line = |meter: LimitMeter| UsedLimit {
        used_up: meter.used_up_at().map(str::to_owned),
        key_id: meter.key.to_string(),
        key: meter.key_name,
        name: meter.name,
        window: meter.window,
        unit: if meter.is_credits { "credits" } else { meter.unit.as_str() },
        used: meter.used,
        limit: meter.limit,
        remaining: meter.remaining,
        reset_after: meter.reset_after,
        is_shared: meter.is_shared,
        expected: meter.forecast.map(|forecast| forecast.expected),
    };
    Ok(report.meters.into_iter().map(line).collect())
}
