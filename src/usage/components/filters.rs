//! What the pages Usage and Errors share above the chart: tabs, range, steps, filters, the exports, and a time of one's own.

use super::{ERRORS, USAGE};
use crate::{
    accounts::components::is_shown,
    ui::{
        Button, ButtonMenu, Chip, FilterSelect, Filters, Icon, LinkButton, Look, MenuLink, MoreFilters, SearchField, Segments, Size, Tab, Tabs, TextField,
        number::count,
    },
    usage::model::{BucketSize, Range, UsageQuery, UsageReport},
};
use leptos::prelude::*;

/// Usage | Errors, each over the same time and filters.
#[component]
pub fn UsageTabs(query: UsageQuery, path: &'static str) -> impl IntoView {
    let tabs = vec![Tab::new("Usage", query.link(USAGE), path == USAGE), Tab::new("Errors", query.among_errors().link(ERRORS), path == ERRORS)];
    view! { <Tabs label="Usage" tabs/> }
}

/// The two files of exactly what is shown; a longer one is prepared elsewhere. Not `download`: what is too long leads to a page.
#[component]
pub fn ExportButtons(#[prop(into)] csv: String, #[prop(into)] json: String, #[prop(into)] prepare: String) -> impl IntoView {
    let (has_csv, has_json) = (is_shown(&csv), is_shown(&json));
    let csv = has_csv.then(|| view! { <LinkButton href=csv icon=Icon::Download>"Export CSV"</LinkButton> });
    let json = has_json.then(|| view! { <MenuLink href=json icon=Icon::Download label="Export JSON"/> });
    view! {
        <div class="row">
            {csv}
            <ButtonMenu id="other-files" words="Other files" icon=Icon::More look=Look::Quiet>
                {json}
                <MenuLink href=prepare icon=Icon::Server label="Prepare a file"/>
                <MenuLink href="/exports" icon=Icon::List label="Files"/>
            </ButtonMenu>
        </div>
    }
    .into_any()
}

/// Range, steps, API, key, route or address or permission, outcome; and whether the time before is shown too.
#[component]
pub fn UsageFilters(report: UsageReport, path: &'static str) -> impl IntoView {
    let query = &report.query;
    let ranges = Range::OFFERED.map(|(range, word, label)| Tab::new(label, query.over(word).link(path), range == report.range)).to_vec();
    let sizes: Vec<Tab> = report.sizes.iter().map(|size| Tab::new(step(*size), query.by(*size).link(path), *size == report.bucket)).collect();
    let chosen_here = ["key", "named", "api", "route", "outcome", "address", "permission"];
    let kept = query.pairs().into_iter().filter(|(name, _)| !chosen_here.contains(name)).map(|(name, value)| (name, value.to_owned())).collect();
    let mut apis: Vec<(String, String)> = report.key_choices.iter().map(|k| (k.api_slug.clone(), format!("API: {}", k.api_name))).collect();
    apis.extend(query.api.clone().filter(|slug| apis.iter().all(|(known, _)| known != slug)).map(|slug| (slug.clone(), format!("API: {slug}"))));
    apis.sort();
    apis.dedup();
    let apis = with_first("All APIs", apis);
    let find = (report.has_more_keys || query.named.is_some()).then(|| {
        let value = query.named.clone();
        view! { <FindKey value/> }
    });
    let keys = with_first("All keys", report.key_choices.iter().map(|k| (k.id.to_string(), k.name.clone())));
    let (route, address, permission) = (query.route.clone(), query.address.clone(), query.permission.clone());
    let has_more = route.is_some() || address.is_some() || permission.is_some();
    // Calls are counted by route, by address or by permission: where one is chosen, the others can't be.
    let routes = (address.is_none() && permission.is_none()).then(|| {
        let options = with_first("All routes", report.route_choices.iter().map(|route| (route.clone(), route.clone())));
        let value = route.clone();
        view! { <FilterSelect label="Route" name="route" options nostrip:value=value/> }
    });
    let addresses = (route.is_none() && permission.is_none() && !report.address_choices.is_empty()).then(|| {
        let options = with_first("All addresses", report.address_choices.iter().map(|address| (address.clone(), address.clone())));
        let value = address.clone();
        view! { <FilterSelect label="Address" name="address" options nostrip:value=value/> }
    });
    let permissions = (route.is_none() && address.is_none() && !report.permission_choices.is_empty()).then(|| {
        let options = with_first("All permissions", report.permission_choices.iter().map(|permission| (permission.clone(), permission.clone())));
        view! { <FilterSelect label="Permission" name="permission" options nostrip:value=permission/> }
    });
    let outcomes = match path {
        ERRORS => vec![("", "All errors"), ("limited", "Limited"), ("refused", "Refused")],
        _ => vec![("", "All outcomes"), ("passed", "Passed"), ("limited", "Limited"), ("refused", "Refused")],
    };
    let mut outcomes: Vec<(String, String)> = outcomes.into_iter().map(|(word, label)| (word.to_owned(), label.to_owned())).collect();
    outcomes.extend(query.outcome.clone().filter(|word| outcomes.iter().all(|(known, _)| known != word)).map(|word| (word.clone(), word)));
    let (api, key, outcome) = (query.api.clone(), query.key.clone(), query.outcome.clone());
    view! {
        <div class="stack-sm">
            <Filters action=path label="Filter usage" kept>
                <Segments label="Range" tabs=ranges/>
                {(sizes.len() > 1).then(|| view! { <Segments label="Steps" tabs=sizes/> })}
                <FilterSelect label="API" name="api" options=apis nostrip:value=api/>
                {find}
                <FilterSelect label="Key" name="key" options=keys nostrip:value=key/>
                <FilterSelect label="Outcome" name="outcome" options=outcomes nostrip:value=outcome/>
                <MoreFilters is_set=has_more>
                    {routes}
                    {addresses}
                    {permissions}
                </MoreFilters>
            </Filters>
            {offered(&report)}
            {compare(query, path)}
        </div>
    }
    .into_any()
}

/// The field that finds a key where not all are offered. What it found is chosen.
#[component]
pub fn FindKey(value: Option<String>) -> impl IntoView {
    view! { <SearchField placeholder="Key's name, start or id" name="named" label="Find a key by its name, start or id" nostrip:value=value/> }
}

fn offered(report: &UsageReport) -> AnyView {
    let more = "; “Nearest to their limit” looks at these only";
    offered_keys(report.query.named.as_deref(), report.key_choices.len(), report.has_more_keys, more)
}

/// Which keys there are to choose from, where these are not all. `more` is what else is said of those used last.
pub fn offered_keys(named: Option<&str>, keys: usize, has_more: bool, more: &str) -> AnyView {
    let words = match (named, has_more) {
        (Some(name), _) if keys == 0 => format!("No key matches “{name}”."),
        (Some(name), false) => format!("{} “{name}”. Choose one.", count(keys as u64, "key matches", "keys match")),
        (Some(name), true) => format!("More than {keys} keys match “{name}”. Type more of the name."),
        (None, true) => format!("You can choose from the {keys} keys that were used or created last{more}. Find others by name, start or id."),
        (None, false) => return ().into_any(),
    };
    view! { <p class="muted">{words}</p> }.into_any()
}

/// Beside an earlier time: the one just before, a year ago, or one that begins on a day of one's own.
fn compare(query: &UsageQuery, path: &'static str) -> AnyView {
    let chosen = query.compare.clone();
    let chip = |word: &'static str, label: &'static str| {
        let current = chosen.as_deref() == Some(word);
        let href = query.compared((!current).then_some(word)).link(path);
        view! { <Chip href label current/> }
    };
    let own = chosen.clone().filter(|word| ![UsageQuery::BEFORE, UsageQuery::YEAR].contains(&word.as_str()));
    let drop = own.clone().map(|day| {
        let href = query.compared(None).link(path);
        view! { <Chip href label=format!("Compared with the time from {day} ×") current=true/> }
    });
    let kept: Vec<(&'static str, String)> = query.compared(None).pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let (is_open, day) = (own.is_some(), own.filter(|day| day.len() == 10).unwrap_or_default());
    view! {
        <div class="row">
            {chip(UsageQuery::BEFORE, "Compare with the time before")}
            {chip(UsageQuery::YEAR, "Compare with a year ago")}
            {drop}
            <details class="own-range" open=is_open>
                <summary>"Compare with another time"</summary>
                <form class="form-actions" method="get" action=path aria-label="Compare with another time">
                    {kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
                    <TextField label="It begins on" name="compare" kind="date" value=day/>
                    <Button>"Compare"</Button>
                </form>
            </details>
        </div>
    }
    .into_any()
}

/// From one moment to another, typed: what dragging on the chart does with a pointer.
#[component]
pub fn OwnRange(report: UsageReport, path: &'static str) -> impl IntoView {
    let query = report.query;
    let kept = UsageQuery { range: None, bucket: None, from: None, to: None, ..query.clone() };
    let kept: Vec<(&'static str, String)> = kept.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let ((from, to), is_open) = (report.local, query.from.is_some());
    view! {
        <details class="own-range" open=is_open>
            <summary>"A time of your own"</summary>
            <form class="form-actions" method="get" action=path aria-label="A time of your own">
                {kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
                <TextField label="From" name="from" kind="datetime-local" value=from/>
                <TextField label="Until" name="to" kind="datetime-local" value=to/>
                <Button>"Show"</Button>
            </form>
        </details>
    }
    .into_any()
}

/// The files of one part of a page, behind one button; a longer one is prepared elsewhere.
pub fn files(what: &'static str, csv: String, json: String, prepare: Option<String>) -> AnyView {
    let id = format!("export-{}", what.replace(' ', "-"));
    let one = |href: String, form: &'static str| view! { <MenuLink href icon=Icon::Download label=form name=format!("Export {what}, {form}")/> }.into_any();
    let (csv, json) = (one(csv, "CSV"), one(json, "JSON"));
    let prepare = prepare.map(|href| view! { <MenuLink href icon=Icon::Server label="Prepare a file" name=format!("Prepare a file of {what}")/> }.into_any());
    view! {
        <div class="row">
            <ButtonMenu id words=format!("Export {what}") icon=Icon::Download look=Look::Quiet size=Size::Small>
                {csv}
                {json}
                {prepare}
            </ButtonMenu>
        </div>
    }
    .into_any()
}

/// The options of a filter, the first of which filters nothing.
pub fn with_first(first: &str, rest: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    std::iter::once((String::new(), first.to_owned())).chain(rest).collect()
}

const fn step(size: BucketSize) -> &'static str {
    match size {
        BucketSize::Minute => "Minutes",
        BucketSize::FiveMinutes => "5 minutes",
        BucketSize::Hour => "Hours",
        BucketSize::Day => "Days",
        BucketSize::Week => "Weeks",
        BucketSize::Month => "Months",
    }
}
