//! A report taken apart: by outcome, by key, by route. The rows of a table add up to its foot. On the page Errors each number leads to
//! the samples behind it.

use super::{
    ERRORS,
    numbers::{facts, heads, linked, numbers},
};
use crate::{
    ui::{
        Bar, BarLook, CodeTag, GateGlyph, Sparkline, Table, folded,
        number::{count, share, thousands},
    },
    usage::model::{KeyUsage, RefusalQuery, UsageReport},
    values::{Counts, Outcome, OutcomeGroup},
};
use leptos::prelude::*;

/// The samples of the same time and filters. A network of IPv6 is left out, as samples have whole addresses, and so is a permission: there it
/// is one that the key had not, here one that its calls needed.
pub(super) fn samples(report: &UsageReport) -> RefusalQuery {
    RefusalQuery {
        code: report.query.outcome.clone().filter(|word| word.parse::<Outcome>().is_ok()),
        key: report.query.key.clone(),
        api: report.query.api.clone(),
        route: report.query.route.clone(),
        address: report.query.address.clone().filter(|address| !address.contains(':')),
        from: report.buckets.first().map(|b| b.at.clone()),
        to: Some(report.end.clone()),
        ..RefusalQuery::default()
    }
}

/// Every code that occurred.
#[component]
pub fn ByOutcome(report: UsageReport) -> impl IntoView {
    if report.codes.is_empty() {
        return ().into_any();
    }
    let total = report.totals.total();
    let rows = report
        .codes
        .iter()
        .map(|(code, calls)| {
            let refused = code.group() != OutcomeGroup::Passed;
            let query = RefusalQuery { code: refused.then(|| code.to_string()), ..samples(&report) };
            let number = match refused {
                true => view! { <a href=query.link("/requests") aria-label=format!("Samples of {}, {}", code, count(*calls, "call", "calls"))>{thousands(*calls)}</a> }.into_any(),
                false => thousands(*calls).into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><span class="row"><GateGlyph position=code.group() tinted=true/><CodeTag text=code.as_str()/></span>{folded(vec![(2, "", code.sentence().into_any())])}</th>
                    <td class="col-2 muted">{code.sentence()}</td>
                    <td class="num">{number}</td>
                    <td class="num">{share(*calls, total)}</td>
                </tr>
            }
        })
        .collect_view();
    let caption = format!("Calls by outcome, most first, {}", report.period);
    view! {
        <section aria-labelledby="h-bycode">
            <div class="section-head"><h2 id="h-bycode">"By outcome"</h2></div>
            <Table caption small=true>
                <thead><tr><th scope="col">"Code"</th><th scope="col" class="col-2">"What the program is told"</th><th scope="col" class="num" aria-sort="descending">"Calls"</th><th scope="col" class="num">"Share"</th></tr></thead>
                <tbody>{rows}</tbody>
                <tfoot><tr><th scope="row">"All outcomes"</th><td class="col-2"></td><td class="num">{thousands(total)}</td><td class="num">{share(total, total)}</td></tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}

/// The busiest keys, and one row for the others.
#[component]
pub fn ByKey(report: UsageReport, #[prop(default = "")] path: &'static str) -> impl IntoView {
    if report.keys.is_empty() {
        return ().into_any();
    }
    let (total, of_errors) = (report.totals, path == ERRORS);
    let mut shown = Counts::default();
    report.keys.iter().for_each(|k| shown += k.counts);
    let rest = total.less(shown);
    let others = report.key_count.saturating_sub(report.keys.len() as u64);
    let all_units = report.units.unwrap_or_default();
    let rest_units = all_units.saturating_sub(report.keys.iter().map(|k| k.units).sum());
    let rows = report.keys.iter().map(|key| key_row(&report, key, of_errors)).collect_view();
    let caption = format!("Usage by key, most calls first, {}", report.period);
    let (head, rest_units, all_units) = (units_head(&report), units_cell(&report, rest_units), units_cell(&report, all_units));
    view! {
        <section aria-labelledby="h-bykey">
            <div class="section-head"><h2 id="h-bykey">"By key"</h2></div>
            <Table caption small=true>
                <thead><tr>
                    <th scope="col">"Key"</th>
                    <th scope="col" class="col-3">"Over time"</th>
                    {heads(of_errors)}
                    {head}
                </tr></thead>
                <tbody>
                    {rows}
                    {(others > 0).then(|| view! {
                        <tr><th scope="row" class="muted">{count(others, "other key", "other keys")}{folded(facts(rest, of_errors))}</th><td class="col-3"></td>{numbers(rest, total, of_errors, None)}{rest_units}</tr>
                    })}
                </tbody>
                <tfoot><tr><th scope="row">"All keys"{folded(facts(total, of_errors))}</th><td class="col-3"></td>{numbers(total, total, of_errors, None)}{all_units}</tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}

fn key_row(report: &UsageReport, key: &KeyUsage, of_errors: bool) -> AnyView {
    let points: Vec<_> = key.spark.iter().map(|c| (c.passed, c.limited, c.refused)).collect();
    let name = match key.is_there {
        true => view! { <a class="row-link" href=format!("/keys/{}", key.key)>{key.name.clone()}</a> }.into_any(),
        false => view! { <span class="muted">{key.name.clone()}</span> }.into_any(),
    };
    let mut said = facts(key.counts, of_errors);
    if report.units.is_some() {
        said.push((2, "Units", thousands(key.units).into_any()));
    }
    let href = of_errors.then(|| RefusalQuery { key: Some(key.key.to_string()), ..samples(report) }.link("/requests"));
    view! {
        <tr>
            <th scope="row">{name}{folded(said)}</th>
            <td class="col-3"><Sparkline name=key.name.clone() points time="over the same time"/></td>
            {numbers(key.counts, report.totals, of_errors, href)}
            {units_cell(report, key.units)}
        </tr>
    }
    .into_any()
}

/// A column of cost units, where a report has them.
fn units_head(report: &UsageReport) -> AnyView {
    report.units.map(|_| view! { <th scope="col" class="num col-2">"Units"</th> }).into_any()
}

fn units_cell(report: &UsageReport, units: u64) -> AnyView {
    report.units.map(|_| view! { <td class="num col-2">{thousands(units)}</td> }).into_any()
}

/// The busiest routes, and one row for the others.
#[component]
pub fn ByRoute(report: UsageReport, #[prop(default = "")] path: &'static str) -> impl IntoView {
    if report.routes.is_empty() {
        return ().into_any();
    }
    let total = report.totals.total();
    let rest = total.saturating_sub(report.routes.iter().map(|r| r.calls).sum());
    let caption = format!("Usage by route, most calls first, {}", report.period);
    let all_units = report.units.unwrap_or_default();
    let rest_units = all_units.saturating_sub(report.routes.iter().map(|r| r.units).sum());
    let row = |name: AnyView, calls: u64, units: u64, href: Option<String>| {
        #[allow(clippy::cast_precision_loss, reason = "the width of a bar")]
        let percent = calls as f64 * 100.0 / total.max(1) as f64;
        let mut said = vec![(2, "Share", share(calls, total).into_any())];
        if report.units.is_some() {
            said.push((2, "Units", thousands(units).into_any()));
        }
        view! { <tr><th scope="row">{name}{folded(said)}</th><td class="col-2 cell-bar"><Bar percent look=BarLook::Share/></td><td class="num">{linked(thousands(calls), href)}</td>{units_cell(&report, units)}</tr> }.into_any()
    };
    let samples_of = |route: &str| (path == ERRORS).then(|| RefusalQuery { route: Some(route.to_owned()), ..samples(&report) }.link("/requests"));
    let rows = report.routes.iter().map(|r| row(view! { <code>{r.route.clone()}</code> }.into_any(), r.calls, r.units, samples_of(&r.route))).collect_view();
    let others = (rest > 0).then(|| row(view! { <span class="muted">"Other routes"</span> }.into_any(), rest, rest_units, None));
    let (head, all_units) = (units_head(&report), units_cell(&report, all_units));
    view! {
        <section aria-labelledby="h-byroute">
            <div class="section-head"><h2 id="h-byroute">"By route"</h2></div>
            <Table caption small=true>
                <thead><tr><th scope="col">"Route"</th><th scope="col" class="col-2">"Share"</th><th scope="col" class="num" aria-sort="descending">"Calls"</th>{head}</tr></thead>
                <tbody>{rows}{others}</tbody>
                <tfoot><tr><th scope="row">"All routes"</th><td class="col-2"></td><td class="num">{thousands(total)}</td>{all_units}</tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}
