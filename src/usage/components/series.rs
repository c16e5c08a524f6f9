//! A report as the chart kit wants it, with links to a closer look.

use crate::{
    ui::{
        chart::{Bucket, Limit, Series},
        number::count,
    },
    usage::model::{BucketSize, UsageQuery, UsageReport},
};
use leptos::prelude::*;

/// The pages that show reports.
pub const USAGE: &str = "/usage";
pub const ERRORS: &str = "/usage/errors";

/// The chart of a report. `id` is unique on the page; `path` is the page that shows a closer look.
pub fn series(report: &UsageReport, id: &str, title: String, path: &str) -> Series {
    let ends = report.buckets.iter().skip(1).map(|b| b.at.as_str()).chain(std::iter::once(report.end.as_str()));
    let buckets = report.buckets.iter().zip(ends).map(|(bucket, end)| Bucket {
        label: bucket.label.clone(),
        long_label: bucket.full.clone(),
        iso: bucket.at.clone(),
        passed: bucket.counts.passed,
        limited: bucket.counts.limited,
        refused: bucket.counts.refused,
        href: closer(report, &bucket.at, end, path),
    });
    Series {
        id: id.to_owned(),
        title,
        note: report.period.clone(),
        unit: unit(report.bucket).to_owned(),
        buckets: buckets.collect(),
        end: report.end.clone(),
        limit: report.limit.as_ref().map(|l| {
            let whose = if l.is_shared { ", all keys together" } else { "" };
            Limit { value: l.calls, label: format!("{} {}{whose}", count(l.calls, "unit", "units"), l.window) }
        }),
        before: report.before.as_ref().map(|before| before.buckets.clone()).unwrap_or_default(),
        is_of_refusals: path == ERRORS,
    }
}

/// The URL that a dragged selection leads to: `{from}` and `{to}` are filled in by the chart.
pub fn zoom(query: &UsageQuery, path: &str) -> String {
    let kept = UsageQuery { range: None, bucket: None, from: None, to: None, ..query.clone() };
    kept.link(&format!("{path}?from={{from}}&to={{to}}"))
}

fn closer(report: &UsageReport, from: &str, to: &str, path: &str) -> Option<String> {
    let is_open = match report.bucket {
        BucketSize::Minute | BucketSize::FiveMinutes => false,
        BucketSize::Hour => report.has_minutes,
        BucketSize::Day | BucketSize::Week | BucketSize::Month => true,
    };
    let query = UsageQuery { range: None, bucket: None, from: Some(from.to_owned()), to: Some(to.to_owned()), ..report.query.clone() };
    is_open.then(|| query.link(path))
}

/// Below a chart: why its bars are wider than suits the time.
pub fn wider(report: &UsageReport) -> AnyView {
    report.wider.clone().map(|words| view! { <p class="help">{words}</p> }).into_any()
}

pub(super) const fn unit(size: BucketSize) -> &'static str {
    match size {
        BucketSize::Minute => "Minute",
        BucketSize::FiveMinutes => "5 minutes from",
        BucketSize::Hour => "Hour",
        BucketSize::Day => "Day",
        BucketSize::Week => "Week of",
        BucketSize::Month => "Month",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_keeps_the_filters_and_nothing_of_the_range() {
        let query = UsageQuery { range: Some("year".into()), bucket: Some("week".into()), route: Some("GET /".into()), ..UsageQuery::default() };
        assert_eq!(zoom(&query, USAGE), "/usage?from={from}&to={to}&route=GET%20%2F");
        assert_eq!(zoom(&UsageQuery::default(), USAGE), "/usage?from={from}&to={to}");
    }
}
