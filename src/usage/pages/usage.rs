//! `/usage`: calls over time by outcome, by key, by route, by address and by permission. Every filter stands in the URL.

use crate::{
    accounts::components::Framed,
    ui::{
        CodeBlock, Crumb, Empty, Figure, Figures, Gate, Icon, LinkButton, Look, PageHeader, UsageChart, awaited,
        number::{change, count, share, thousands},
    },
    usage::{
        api,
        components::{
            ByAddress, ByKey, ByOutcome, ByPermission, ByRoute, ExportFile, ExportMenu, Latency, LimitAside, LimitCard, LimitList, USAGE, UsageFilters,
            UsageTabs, series, wider, wrong_time, zoom,
        },
        model::{BucketSize, Estimate, PartKind, UsageQuery, UsageReport},
    },
    values::{Counts, OutcomeGroup},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn UsagePage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| UsageQuery::read(|name| map.get(name)));
    let asked = query();
    let shown = move |report| match report {
        Ok(report) => page(report),
        Err(error) => wrong_time(error, ("Usage", USAGE), &asked.pairs(), "Show the last 30 days"),
    };
    view! { <Framed crumbs=vec![Crumb::here("Usage")]>{awaited(move || api::report_usage(query()), shown)}</Framed> }
}

fn page(report: UsageReport) -> AnyView {
    let lead = match (report.query.address.is_some(), report.query.permission.is_some()) {
        (_, true) => {
            "Calls that needed one permission and passed, or that only a limit held. Kept for 30 days unless your operator chose otherwise.".into_any()
        }
        (true, _) => "Calls from one address. Kept for 30 days unless your operator chose otherwise, for the busiest addresses of each key.".into_any(),
        _ => "Every call your keys made, counted exactly. Nothing here is sampled.".into_any(),
    };
    if report.totals.total() == 0 && report.query == UsageQuery::default() && !report.has_history {
        return view! { <PageHeader title="Usage" lead/>{first_call(&report)} }.into_any();
    }
    let key_name = report.chosen_key().map(|k| k.name.clone());
    let size = report.bucket.name();
    let title = key_name.map_or_else(|| format!("Calls by {size}"), |name| format!("Calls of {name} by {size}"));
    let chart = series(&report, "usage", title, USAGE);
    let far = zoom(&report.query, USAGE);
    let (exports, prepare) = (exports(&report), report.query.prepare());
    let limits = match (report.chosen_key(), report.meters.clone()) {
        (_, meters) if meters.is_empty() => ().into_any(),
        (Some(_), meters) => meters.into_iter().enumerate().map(|(i, meter)| view! { <LimitCard meter id=format!("limit-{i}")/> }).collect_view().into_any(),
        (None, meters) => view! { <LimitList meters/> }.into_any(),
    };
    view! {
        <PageHeader title="Usage" lead>
            <ExportMenu files=exports prepare/>
        </PageHeader>
        <UsageTabs query=report.query.clone() path=USAGE/>
        <UsageFilters report=report.clone() path=USAGE/>
        {figures(&report)}
        {units(&report)}
        {estimates(&report)}
        <UsageChart series=chart zoom=far/>
        {wider(&report)}
        <LimitAside report=report.clone()/>
        <Latency report=report.clone()/>
        {limits}
        <ByOutcome report=report.clone()/>
        <ByKey report=report.clone()/>
        <ByRoute report=report.clone()/>
        <ByAddress report=report.clone()/>
        <ByPermission report/>
    }
    .into_any()
}

/// Of every part that the page shows.
fn exports(report: &UsageReport) -> Vec<ExportFile> {
    let query = &report.query;
    let part = |kind| {
        let part = query.taken_apart(kind);
        move |format: &str| part.export(format)
    };
    let mut files = vec![ExportFile::new("Calls", |format| query.export(format))];
    if !report.meters.is_empty() {
        files.push(ExportFile::new("Limits", |format| query.limits(format)));
    }
    if report.latency.is_some() {
        files.push(ExportFile::new("How long calls took", |format| query.latencies(format)));
    }
    if !report.addresses.is_empty() {
        files.push(ExportFile::new("By address", part(PartKind::Address)));
    }
    if !report.permissions.is_empty() {
        files.push(ExportFile::new("By permission", part(PartKind::Permission)));
    }
    files
}

fn figures(report: &UsageReport) -> AnyView {
    let Counts { passed, limited, refused } = report.totals;
    let total = report.totals.total();
    let mean = total / u64::try_from(report.buckets.len().max(1)).unwrap_or(1);
    let per = match report.bucket {
        BucketSize::Hour => "an hour".to_owned(),
        BucketSize::FiveMinutes => "in 5 minutes".to_owned(),
        size => format!("a {}", size.name()),
    };
    let peak = |group| report.peak(group).map(|bucket| format!(", {} {}", thousands(bucket.counts.of(group)), when(report.bucket, &bucket.label)));
    let limited_note = format!("{}{}", share(limited, total), peak(OutcomeGroup::Limited).unwrap_or_default());
    let refusing = report.keys.iter().filter(|k| k.counts.refused > 0).count() as u64;
    let from = if refused > 0 && report.chosen_key().is_none() { format!(", from {}", count(refusing, "key", "keys")) } else { String::new() };
    let (mut notes, mut below) = ([format!("{} {per}", thousands(mean)), share(passed, total), limited_note, format!("{}{from}", share(refused, total))], None);
    if let Some(before) = &report.before {
        let (was, now) = (before.totals, before.against);
        let pairs = [(now.total(), was.total()), (now.passed, was.passed), (now.limited, was.limited), (now.refused, was.refused)];
        notes = pairs.map(|(now, was)| format!("{}, from {}", change(was, now), thousands(was)));
        let open = match before.buckets.len() < report.buckets.len() {
            true => "without the current minute",
            false => "unfinished periods only up to this quarter of an hour",
        };
        below = Some(format!("Compared with {}; {open}.", before.period));
    }
    let [calls_note, passed_note, limited_note, refused_note] = notes;
    view! {
        <Figures>
            <Figure term="Calls" value=thousands(total) note=calls_note/>
            <Figure term="Passed" value=thousands(passed) note=passed_note gate=Gate::Passed/>
            <Figure term="Limited" value=thousands(limited) note=limited_note gate=Gate::Limited/>
            <Figure term="Refused" value=thousands(refused) note=refused_note gate=Gate::Refused/>
        </Figures>
        {below.map(|words| view! { <p class="muted">{words}</p> })}
    }
    .into_any()
}

/// What the calls that passed cost, where that is not their number.
fn units(report: &UsageReport) -> AnyView {
    let words = |units: u64| format!("{} for {}.", count(units, "unit", "units"), count(report.totals.passed, "call that passed", "calls that passed"));
    report.units.map(|units| view! { <p class="muted"><b class="strong">"Cost: "</b>{words(units)}" The export has them by day or hour."</p> }).into_any()
}

/// What the calls that passed are worth, where a plan says so.
fn estimates(report: &UsageReport) -> AnyView {
    if report.estimates.is_empty() {
        return ().into_any();
    }
    let one = |e: &Estimate| format!("{} for {} on {} ({})", e.worth, count(e.units, "unit", "units"), e.plan, e.price);
    let words = report.estimates.iter().map(one).collect::<Vec<_>>().join(", ");
    view! { <p class="muted"><b class="strong">"Estimated cost: "</b>{words}". At today's plans and prices; not a bill."</p> }.into_any()
}

fn when(size: BucketSize, label: &str) -> String {
    match size {
        BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour if !label.contains(',') => format!("at {label}"),
        BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour | BucketSize::Day => format!("on {label}"),
        BucketSize::Week => format!("in the week of {label}"),
        BucketSize::Month => format!("in {label}"),
    }
}

/// Nothing was ever counted: what to do about it.
fn first_call(report: &UsageReport) -> AnyView {
    if report.key_choices.is_empty() {
        return view! {
            <Empty title="No calls yet" text="Create a key and call an API with it. Every call appears here within seconds: passed, limited or refused.">
                <LinkButton href="/keys" look=Look::Primary icon=Icon::Plus>"Create key"</LinkButton>
            </Empty>
        }
        .into_any();
    }
    // Empty for who may not open the key.
    let call = (!report.example.is_empty()).then(|| view! { <CodeBlock id="first-call" title="First call" code=report.example.clone() wrap=true/> });
    view! {
        <Empty title="No calls yet" text="Verify your key once with this command, and the call appears here within seconds.">
            <div class="stack">
                {call}
                <p><a href="/docs">"Protect your own API"</a></p>
            </div>
        </Empty>
    }
    .into_any()
}
