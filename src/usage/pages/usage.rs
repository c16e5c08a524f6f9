//! `/usage`: calls over time by outcome, by key and by route. Every filter stands in the URL.

use crate::{
    accounts::components::Framed,
    ui::{
        Bar, BarLook, CodeBlock, Crumb, Empty, Figure, Figures, FilterSelect, Filters, Gate, Icon, LinkButton, Look, PageHeader, Segments, Sparkline, Tab,
        Table, UsageChart, loaded,
        number::{count, share, thousands},
    },
    usage::{
        api,
        components::{LimitCard, LimitList, series, zoom},
        model::{BucketSize, Counts, KeyUsage, Range, UsageQuery, UsageReport},
    },
    values::OutcomeGroup,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/usage";

#[component]
pub fn UsagePage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| UsageQuery::read(|name| map.get(name)));
    view! { <Framed crumbs=vec![Crumb::here("Usage")]>{loaded(move || api::report_usage(query()), page, ("Show the last 30 days", PATH))}</Framed> }
}

fn page(report: UsageReport) -> AnyView {
    let lead = "Every call that a key made, counted exactly. Nothing here is sampled.".into_any();
    if report.totals.total() == 0 && report.query == UsageQuery::default() && !report.has_history {
        return view! { <PageHeader title="Usage" lead/>{first_call(&report)} }.into_any();
    }
    let export = format!("{}{}format=csv", report.query.link("/api/v1/usage/export"), if report.query.pairs().is_empty() { "?" } else { "&" });
    let key_name = report.chosen_key().map(|k| k.name.clone());
    let size = report.bucket.word();
    let title = key_name.map_or_else(|| format!("Calls by {size}"), |name| format!("Calls of {name} by {size}"));
    let chart = series(&report, "usage", title);
    let far = zoom(&report.query);
    let limits = match (report.chosen_key(), report.meters.clone()) {
        (_, meters) if meters.is_empty() => ().into_any(),
        (Some(_), meters) => meters.into_iter().enumerate().map(|(i, meter)| view! { <LimitCard meter id=format!("limit-{i}")/> }).collect_view().into_any(),
        (None, meters) => view! { <LimitList meters/> }.into_any(),
    };
    view! {
        <PageHeader title="Usage" lead>
            <LinkButton href=export icon=Icon::Download download=true>"Export CSV"</LinkButton>
        </PageHeader>
        {filters(&report)}
        {figures(&report)}
        <UsageChart series=chart zoom=far/>
        {limits}
        {by_key(&report)}
        {by_route(&report)}
    }
    .into_any()
}

fn filters(report: &UsageReport) -> AnyView {
    let query = &report.query;
    let ranges = Range::OFFERED.map(|(range, word, label)| Tab::new(label, query.over(word).link(PATH), range == report.range)).to_vec();
    let sizes: Vec<Tab> = report.sizes.iter().map(|size| Tab::new(step(*size), query.by(*size).link(PATH), *size == report.bucket)).collect();
    let kept = query.pairs().into_iter().filter(|(name, _)| !matches!(*name, "key" | "api" | "route")).map(|(name, value)| (name, value.to_owned())).collect();
    let mut apis: Vec<(String, String)> = report.key_choices.iter().map(|k| (k.api_slug.clone(), format!("API: {}", k.api_name))).collect();
    apis.sort();
    apis.dedup();
    let apis = with_first("All APIs", apis);
    let keys = with_first("All keys", report.key_choices.iter().map(|k| (k.id.to_string(), k.name.clone())));
    let routes = with_first("All routes", report.route_choices.iter().map(|route| (route.clone(), route.clone())));
    let (api, key, route) = (query.api.clone(), query.key.clone(), query.route.clone());
    view! {
        <Filters action=PATH label="Filter usage" kept>
            <Segments label="Range" tabs=ranges/>
            {(sizes.len() > 1).then(|| view! { <Segments label="Steps" tabs=sizes/> })}
            <FilterSelect label="API" name="api" options=apis nostrip:value=api/>
            <FilterSelect label="Key" name="key" options=keys nostrip:value=key/>
            <FilterSelect label="Route" name="route" options=routes nostrip:value=route/>
        </Filters>
    }
    .into_any()
}

/// The options of a filter, the first of which filters nothing.
fn with_first(first: &str, rest: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    std::iter::once((String::new(), first.to_owned())).chain(rest).collect()
}

const fn step(size: BucketSize) -> &'static str {
    match size {
        BucketSize::Minute => "Minutes",
        BucketSize::Hour => "Hours",
        BucketSize::Day => "Days",
        BucketSize::Week => "Weeks",
        BucketSize::Month => "Months",
    }
}

fn figures(report: &UsageReport) -> AnyView {
    let Counts { passed, limited, refused } = report.totals;
    let total = report.totals.total();
    let mean = total / u64::try_from(report.buckets.len().max(1)).unwrap_or(1);
    let per = match report.bucket {
        BucketSize::Hour => "an hour".to_owned(),
        size => format!("a {}", size.word()),
    };
    let peak = |group| report.peak(group).map(|bucket| format!(", {} {}", thousands(bucket.counts.of(group)), when(report.bucket, &bucket.label)));
    let limited_note = format!("{}{}", share(limited, total), peak(OutcomeGroup::Limited).unwrap_or_default());
    let refusing = report.keys.iter().filter(|k| k.counts.refused > 0).count() as u64;
    let from = if refused > 0 && report.chosen_key().is_none() { format!(", from {}", count(refusing, "key", "keys")) } else { String::new() };
    view! {
        <Figures>
            <Figure term="Calls" value=thousands(total) note=format!("{} {per}", thousands(mean))/>
            <Figure term="Passed" value=thousands(passed) note=share(passed, total) gate=Gate::Passed/>
            <Figure term="Limited" value=thousands(limited) note=limited_note gate=Gate::Limited/>
            <Figure term="Refused" value=thousands(refused) note=format!("{}{from}", share(refused, total)) gate=Gate::Refused/>
        </Figures>
    }
    .into_any()
}

fn when(size: BucketSize, label: &str) -> String {
    match size {
        BucketSize::Minute | BucketSize::Hour if !label.contains(',') => format!("at {label}"),
        BucketSize::Minute | BucketSize::Hour => format!("on {label}"),
        BucketSize::Day => format!("on {label}"),
        BucketSize::Week => format!("in the week of {label}"),
        BucketSize::Month => format!("in {label}"),
    }
}

fn by_key(report: &UsageReport) -> AnyView {
    if report.keys.is_empty() {
        return ().into_any();
    }
    let total = report.totals.total();
    let mut shown = Counts::default();
    report.keys.iter().for_each(|k| shown += k.counts);
    let rest = report.totals.less(shown);
    let others = report.key_count.saturating_sub(report.keys.len() as u64);
    let rows = report.keys.iter().map(|key| key_row(report, key, total)).collect_view();
    let (caption, all) = (format!("Usage by key, most calls first, {}", report.period), report.totals);
    view! {
        <section aria-labelledby="h-bykey">
            <div class="section-head"><h2 id="h-bykey">"By key"</h2></div>
            <Table caption small=true>
                <thead><tr>
                    <th scope="col">"Key"</th>
                    <th scope="col" class="col-3">"Over time"</th>
                    <th scope="col" class="num" aria-sort="descending">"Calls"</th>
                    <th scope="col" class="num col-2">"Passed"</th>
                    <th scope="col" class="num col-2">"Limited"</th>
                    <th scope="col" class="num col-2">"Refused"</th>
                    <th scope="col" class="num">"Share"</th>
                </tr></thead>
                <tbody>
                    {rows}
                    {(others > 0).then(|| view! {
                        <tr><th scope="row" class="muted">{count(others, "other key", "other keys")}</th><td class="col-3"></td>{numbers(rest)}<td class="num">{share(rest.total(), total)}</td></tr>
                    })}
                </tbody>
                <tfoot><tr><th scope="row">"All keys"</th><td class="col-3"></td>{numbers(all)}<td class="num">{share(total, total)}</td></tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}

fn key_row(report: &UsageReport, key: &KeyUsage, total: u64) -> AnyView {
    let points = key.spark.iter().map(|c| (c.passed, c.limited, c.refused)).collect();
    let is_known = report.key_choices.iter().any(|k| k.id == key.key);
    let name = match is_known {
        true => view! { <a class="row-link" href=format!("/keys/{}", key.key)>{key.name.clone()}</a> }.into_any(),
        false => view! { <span class="muted">{key.name.clone()}</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="col-3"><Sparkline name=key.name.clone() points time="over the same time"/></td>
            {numbers(key.counts)}
            <td class="num">{share(key.counts.total(), total)}</td>
        </tr>
    }
    .into_any()
}

fn numbers(counts: Counts) -> AnyView {
    let cell = |calls: u64| match calls {
        0 => view! { <td class="num col-2"><span class="faint">"0"</span></td> }.into_any(),
        _ => view! { <td class="num col-2">{thousands(calls)}</td> }.into_any(),
    };
    view! { <td class="num">{thousands(counts.total())}</td>{cell(counts.passed)}{cell(counts.limited)}{cell(counts.refused)} }.into_any()
}

fn by_route(report: &UsageReport) -> AnyView {
    if report.routes.is_empty() {
        return ().into_any();
    }
    let total = report.totals.total();
    let rest = total.saturating_sub(report.routes.iter().map(|r| r.calls).sum());
    let caption = format!("Usage by route, most calls first, {}", report.period);
    let row = move |name: AnyView, calls: u64| {
        #[allow(clippy::cast_precision_loss, reason = "the width of a bar")]
        let percent = calls as f64 * 100.0 / total.max(1) as f64;
        view! { <tr><th scope="row">{name}</th><td class="col-2 cell-bar"><Bar percent look=BarLook::Share/></td><td class="num">{thousands(calls)}</td></tr> }
            .into_any()
    };
    let rows = report.routes.iter().map(|r| row(view! { <code>{r.route.clone()}</code> }.into_any(), r.calls)).collect_view();
    view! {
        <section aria-labelledby="h-byroute">
            <div class="section-head"><h2 id="h-byroute">"By route"</h2></div>
            <Table caption small=true>
                <thead><tr><th scope="col">"Route"</th><th scope="col" class="col-2">"Share"</th><th scope="col" class="num" aria-sort="descending">"Calls"</th></tr></thead>
                <tbody>{rows}{(rest > 0).then(|| row(view! { <span class="muted">"Other routes"</span> }.into_any(), rest))}</tbody>
                <tfoot><tr><th scope="row">"All routes"</th><td class="col-2"></td><td class="num">{thousands(total)}</td></tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}

/// Nothing was ever counted: what to do about it.
fn first_call(report: &UsageReport) -> AnyView {
    if report.key_choices.is_empty() {
        return view! {
            <Empty title="No calls yet" text="Make a key, call an API with it, and every call appears here within seconds: passed, limited or refused.">
                <LinkButton href="/keys" look=Look::Primary icon=Icon::Plus>"Create key"</LinkButton>
            </Empty>
        }
        .into_any();
    }
    let call = report.example.clone();
    view! {
        <Empty title="No calls yet" text="Ask the gate with your key, and the call appears here within seconds.">
            <div class="stack">
                <CodeBlock id="first-call" title="First call" code=call/>
                <p><a href="/docs">"Protect your own API"</a></p>
            </div>
        </Empty>
    }
    .into_any()
}
