//! What the pages Usage and Errors share above the chart: tabs, range, steps, filters, and what they are compared with.

use super::{
    ERRORS, USAGE,
    own_time::{OwnTime, hidden, own_time_button},
};
use crate::{
    ui::{Button, ButtonMenu, FilterSelect, Filters, Icon, Look, MenuLink, MoreFilters, SearchField, Segments, Size, Tab, Tabs, TextField, number::count},
    usage::model::{BucketSize, Range, UsageQuery, UsageReport},
};
use leptos::prelude::*;

/// Usage | Errors, each over the same time and filters.
#[component]
pub fn UsageTabs(query: UsageQuery, path: &'static str) -> impl IntoView {
    let tabs = vec![Tab::new("Usage", query.link(USAGE), path == USAGE), Tab::new("Errors", query.among_errors().link(ERRORS), path == ERRORS)];
    view! { <Tabs label="Usage" tabs/> }
}

/// Range, steps, API, key, route or address or permission, outcome; and whether the time before is shown too.
#[component]
pub fn UsageFilters(report: UsageReport, path: &'static str) -> impl IntoView {
    let query = &report.query;
    let ranges = Range::OFFERED.map(|(range, word, label)| Tab::new(label, query.over(word).link(path), range == report.range)).to_vec();
    let sizes: Vec<Tab> = report.sizes.iter().map(|size| Tab::new(step(*size), query.by(*size).link(path), *size == report.bucket)).collect();
    let chosen_here = ["key", "named", "api", "route", "outcome", "address", "permission", "compare"];
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
    let (api, key, outcome, compare) = (query.api.clone(), query.key.clone(), query.outcome.clone(), query.compare.clone());
    let rarer = view! {
        <MoreFilters is_set=has_more>
            {routes}
            {addresses}
            {permissions}
        </MoreFilters>
    }
    .into_any();
    let (own_time, comparisons, other_day) = (own_time_button(query.from.is_some()), comparisons(query), compare_form(query, path));
    let of_time = UsageQuery { range: None, bucket: None, from: None, to: None, ..query.clone() };
    view! {
        <div class="stack-sm">
            <Filters action=path label="Filter usage" kept more=rarer>
                <Segments label="Range" tabs=ranges/>
                {own_time}
                {(sizes.len() > 1).then(|| view! { <Segments label="Steps" tabs=sizes/> })}
                <FilterSelect label="API" name="api" options=apis nostrip:value=api/>
                {find}
                <FilterSelect label="Key" name="key" options=keys nostrip:value=key/>
                <FilterSelect label="Outcome" name="outcome" options=outcomes nostrip:value=outcome/>
                <FilterSelect label="Compare" name="compare" options=comparisons nostrip:value=compare/>
            </Filters>
            <OwnTime path kept=pairs(&of_time) local=report.local.clone() more=Some(other_day)/>
            {offered(&report)}
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

/// Beside which earlier time: the one just before, a year ago, or one that begins on a day of one's own.
fn comparisons(query: &UsageQuery) -> Vec<(String, String)> {
    let offered = [("", "No comparison"), (UsageQuery::BEFORE, "Compare: time before"), (UsageQuery::YEAR, "Compare: a year ago")];
    let mut offered: Vec<(String, String)> = offered.map(|(word, label)| (word.to_owned(), label.to_owned())).into();
    let own = query.compare.clone().filter(|word| offered.iter().all(|(known, _)| known != word));
    offered.extend(own.map(|day| (day.clone(), format!("Compare: from {day}"))));
    offered
}

/// The day on which the other time begins.
fn compare_form(query: &UsageQuery, path: &'static str) -> AnyView {
    let day = query.compare.clone().filter(|day| day.len() == 10).unwrap_or_default();
    view! {
        <form class="stack-sm" method="get" action=path aria-label="Compare with another time">
            {hidden(pairs(&query.compared(None)))}
            <TextField label="Compare with the time from" name="compare" kind="date" value=day/>
            <div><Button>"Compare"</Button></div>
        </form>
    }
    .into_any()
}

fn pairs(query: &UsageQuery) -> Vec<(&'static str, String)> {
    query.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect()
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
