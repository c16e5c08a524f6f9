//! `/usage/errors`: what did not pass, by code, route and key, counted exactly; each number leads to its samples.

use crate::{
    accounts::components::Framed,
    ui::{
        Crumb, Empty, Figure, Figures, Gate, LinkButton, PageHeader, UsageChart, awaited,
        number::{change, share, thousands},
    },
    usage::{
        api,
        components::{ByAddress, ByKey, ByOutcome, ByRoute, ERRORS, ExportFile, ExportMenu, USAGE, UsageFilters, UsageTabs, series, wider, wrong_time, zoom},
        model::{ErrorReport, PartKind, UsageQuery},
    },
    values::{Outcome, link},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn ErrorsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| UsageQuery::read(|name| map.get(name)));
    let crumbs = vec![Crumb::link("Usage", USAGE), Crumb::here("Errors")];
    let asked = query();
    let shown = move |report| match report {
        Ok(report) => page(report),
        Err(error) => wrong_time(error, ("Errors", ERRORS), &asked.pairs(), "Show the last 30 days"),
    };
    view! { <Framed crumbs>{awaited(move || api::report_errors(query()), shown)}</Framed> }
}

fn page(errors: ErrorReport) -> AnyView {
    let ErrorReport { mut report, calls, calls_before } = errors;
    let by_address = report.query.taken_apart(PartKind::Address);
    let mut exports = vec![ExportFile::new("Errors", |format| report.query.export(format))];
    if !report.addresses.is_empty() {
        exports.push(ExportFile::new("By address", |format| by_address.export(format)));
    }
    let prepare = report.query.prepare();
    // The page is about errors; its links need not say so.
    report.query = report.query.among_errors();
    let title = match report.chosen_key() {
        Some(key) => format!("Errors of {} by {}", key.name, report.bucket.name()),
        None => format!("Errors by {}", report.bucket.name()),
    };
    let chart = series(&report, "errors", title, ERRORS);
    let far = zoom(&report.query, ERRORS);
    let lead = "Every call that was limited or refused, counted exactly. Select a number to see samples of its calls.".into_any();
    let rule = format!("{}#rules", link("/settings/notifications", rule_filters(&report.query)));
    let unknown = unknown_to_rules(&report.query).map(|words| view! { <p class="muted">{words}</p> });
    let is_quiet = report.totals.total() == 0;
    let all_calls = UsageQuery { outcome: None, ..report.query.clone() }.link(USAGE);
    let ended = if report.query.outcome.is_some() { "none had this outcome" } else { "every one passed" };
    let quiet = is_quiet.then(|| {
        let counted = crate::ui::number::count(calls, "call", "calls");
        let words = if calls == 0 { format!("{counted} in this time.") } else { format!("{counted} in this time, and {ended}.") };
        view! { <Empty title="No errors" text=words><LinkButton href=all_calls>"See all calls"</LinkButton></Empty> }
    });
    view! {
        <PageHeader title="Errors" lead>
            <ExportMenu files=exports prepare/>
            <div class="row"><LinkButton href=rule>"New alert rule"</LinkButton></div>
            {unknown}
        </PageHeader>
        <UsageTabs query=report.query.clone() path=ERRORS/>
        <UsageFilters report=report.clone() path=ERRORS/>
        {figures(&report, calls, calls_before)}
        <UsageChart series=chart zoom=far/>
        {wider(&report)}
        {quiet}
        <ByOutcome report=report.clone()/>
        <ByRoute report=report.clone() path=ERRORS/>
        <ByAddress report=report.clone() path=ERRORS/>
        <ByKey report path=ERRORS/>
    }
    .into_any()
}

/// The filters that a rule watches by, too.
fn rule_filters(query: &UsageQuery) -> impl Iterator<Item = (&str, &str)> {
    let code = code(query).map(|code| ("code", code));
    query.pairs().into_iter().filter(|(name, _)| ["key", "api", "route"].contains(name)).chain(code)
}

/// The outcome that is shown, where it is one code.
fn code(query: &UsageQuery) -> Option<&str> {
    query.outcome.as_deref().filter(|word| word.parse::<Outcome>().is_ok())
}

/// What a rule made here would leave out of what is shown.
fn unknown_to_rules(query: &UsageQuery) -> Option<&'static str> {
    let is_narrower = query.address.is_some() || query.permission.is_some();
    let is_group = query.outcome.is_some() && code(query).is_none();
    match (is_narrower, is_group) {
        (true, _) => Some("Alert rules filter by key, API, route and code only. A new one would watch all addresses and permissions."),
        (false, true) => Some("An alert rule watches single codes or all of them. Choose which ones in the rule."),
        (false, false) => None,
    }
}

fn figures(report: &crate::usage::model::UsageReport, calls: u64, calls_before: Option<u64>) -> AnyView {
    let now = report.totals;
    let total = now.total();
    let mut notes = [share(total, calls), share(now.limited, calls), share(now.refused, calls)].map(|share| format!("{share} of all calls"));
    if let Some(before) = &report.before {
        let (was, now) = (before.totals, before.against);
        notes = [(now.total(), was.total()), (now.limited, was.limited), (now.refused, was.refused)]
            .map(|(now, was)| format!("{}, from {}", change(was, now), thousands(was)));
    }
    let [all, limited, refused] = notes;
    let of_calls = match (&report.before, calls_before) {
        (Some(before), Some(was)) => {
            let what = if report.query.outcome.is_some() { "had this outcome" } else { "were errors" };
            format!("{}, from {}; of these, {} {what}", change(was, calls), thousands(was), share(before.totals.total(), was))
        }
        _ => "in the same time".to_owned(),
    };
    view! {
        <Figures>
            <Figure term="Errors" value=thousands(total) note=all/>
            <Figure term="Limited" value=thousands(now.limited) note=limited gate=Gate::Limited/>
            <Figure term="Refused" value=thousands(now.refused) note=refused gate=Gate::Refused/>
            <Figure term="All calls" value=thousands(calls) note=of_calls/>
        </Figures>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_rule_takes_over_the_filters_that_it_knows() {
        let text = |text: &str| Some(text.to_owned());
        let query = UsageQuery { range: text("7d"), key: text("key_1"), api: text("demo"), route: text("GET /orders"), ..UsageQuery::default() };
        assert_eq!(rule_filters(&query).collect::<Vec<_>>(), [("key", "key_1"), ("api", "demo"), ("route", "GET /orders")]);
        assert_eq!(unknown_to_rules(&query), None);
        assert!(unknown_to_rules(&UsageQuery { address: text("203.0.113.7"), ..query.clone() }).is_some());
        let of = |word: &str| UsageQuery { outcome: text(word), ..query.clone() };
        assert_eq!(rule_filters(&of("FORBIDDEN")).last(), Some(("code", "FORBIDDEN")));
        assert_eq!(unknown_to_rules(&of("FORBIDDEN")), None);
        assert_eq!((rule_filters(&of("limited")).count(), unknown_to_rules(&of("limited")).is_some()), (3, true));
    }
}
