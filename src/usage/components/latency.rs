//! How long calls took, where services tell it: the percentiles of the whole time, and over the time.

use super::{
    USAGE,
    series::{unit, zoom},
};
use crate::{
    ui::{
        Figure, Figures,
        chart::{Line, LineChart, Lines},
        number::{change, millis, short, thousands},
    },
    usage::model::{BucketSize, Percentiles, UsageReport},
};
use leptos::prelude::*;

/// Nothing where nothing was told.
#[component]
pub fn Latency(report: UsageReport) -> impl IntoView {
    let Some(latency) = report.latency else { return ().into_any() };
    let before = report.before.as_ref().and_then(|before| before.latency);
    let note = |rank: &str, value: fn(&Percentiles) -> u64| match &before {
        Some(before) => format!("{rank} took no longer; {}, from {}", change(value(before), value(&latency)), millis(value(before))),
        None => format!("{rank} of the calls took no longer"),
    };
    let (half, most, nearly_all) = (note("Half", |p| p.p50), note("95 %", |p| p.p95), note("99 %", |p| p.p99));
    let line =
        |name: &str, value: fn(&Percentiles) -> u64| Line { name: name.to_owned(), values: report.latencies.iter().map(|at| at.as_ref().map(value)).collect() };
    let lines = Lines {
        id: "latencies".to_owned(),
        title: format!("How long calls took by {}, in milliseconds", report.bucket.name()),
        note: report.period.clone(),
        unit: unit(report.bucket).to_owned(),
        labels: report.buckets.iter().map(|b| b.label.clone()).collect(),
        long_labels: report.buckets.iter().map(|b| b.full.clone()).collect(),
        isos: report.buckets.iter().map(|b| b.at.clone()).collect(),
        end: report.end.clone(),
        lines: vec![line("p50", |p| p.p50), line("p95", |p| p.p95), line("p99", |p| p.p99)],
    };
    let chart = (report.latencies.iter().flatten().count() > 1).then(|| view! { <LineChart lines words=millis axis zoom=zoom(&report.query, USAGE)/> });
    let kept = match report.bucket {
        BucketSize::Week | BucketSize::Month => Some(" Weeks and months consist of UTC days."),
        BucketSize::Minute | BucketSize::FiveMinutes => Some(" Times are kept per quarter of an hour. Each minute, here and in the files, shows its quarter."),
        BucketSize::Hour | BucketSize::Day => None,
    };
    let told_of = match &before {
        Some(before) => format!("calls, from {}, reported by the services", thousands(before.count)),
        None => "calls, reported by the services".to_owned(),
    };
    let compared = report.before.as_ref().map(|earlier| match &before {
        Some(_) => format!(" Compared with {}. The chart covers only the time shown.", earlier.period),
        None => format!(" Nothing was reported for {}, so there is no comparison.", earlier.period),
    });
    view! {
        <section class="stack" aria-labelledby="h-latency">
            <div class="section-head"><h2 id="h-latency">"How long calls took"</h2></div>
            <Figures>
                <Figure term="p50" value=millis(latency.p50) note=half/>
                <Figure term="p95" value=millis(latency.p95) note=most/>
                <Figure term="p99" value=millis(latency.p99) note=nearly_all/>
                <Figure term="Told of" value=thousands(latency.count) note=told_of/>
            </Figures>
            {chart}
            <p class="muted">"Calculated from counts on a logarithmic scale, each at most 10 % off."{kept}{compared}</p>
        </section>
    }
    .into_any()
}

/// Microseconds as a number of milliseconds: "0.5", "20", "1.00k".
fn axis(micros: u64) -> String {
    match micros {
        0 => "0".to_owned(),
        whole if whole.is_multiple_of(1_000) => short(whole / 1_000),
        part => format!("{}.{:03}", part / 1_000, part % 1_000).trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_counts_milliseconds() {
        assert_eq!([axis(0), axis(200), axis(2_500), axis(20_000)], ["0", "0.2", "2.5", "20"]);
    }
}
