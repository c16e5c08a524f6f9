//! Samples of refusals, or of calls that passed, in a list with its filters: for one's own workspace and, with another place, for operators.

use super::{
    PassedPanel, RefusalPanel,
    filters::{offered_keys, with_first},
    own_time::{OwnTime, own_time_button},
};
use crate::{
    keys::model::Ground,
    ui::{BadgeTip, Chip, Empty, FilterSelect, Filters, LinkButton, MoreFilters, Pagination, SearchField, Table, folded, number::count},
    usage::model::{RefusalList, RefusalQuery, RefusalSample},
    values::{Outcome, OutcomeGroup},
};
use leptos::prelude::*;

/// Where a list of refusals stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The page.
    pub path: &'static str,
    /// What a key's id is put behind to get its address.
    pub keys: &'static str,
}

impl Place {
    /// `/requests`: one's own.
    pub const OWN: Self = Self { path: "/requests", keys: "/keys/" };
    /// `/admin/refusals`: everybody's.
    pub const ALL: Self = Self { path: "/admin/refusals", keys: "/admin/keys?key=" };
}

/// One field for whatever is looked for, the time, and every other filter; below the codes with their exact counts, and what was found.
#[component]
pub fn RefusalFilters(list: RefusalList, place: Place) -> impl IntoView {
    let query = list.query.filters();
    let is_own_time = query.from.is_some();
    let chosen_here = ["key", "api", "route", "permission", "limit", "rule", "range"];
    let kept = query.pairs().into_iter().filter(|(name, _)| !chosen_here.contains(name)).map(|(name, value)| (name, value.to_owned())).collect();
    let ranges = RefusalQuery::RANGES.iter().rev().map(|(word, label)| ((*word).to_owned(), (*label).to_owned())).collect();
    let range = query.range.clone().or_else(|| Some("30d".to_owned()));
    let time = (!is_own_time).then(|| view! { <FilterSelect label="Time" name="range" options=ranges nostrip:value=range/> });
    let mut keys = with_first("All keys", list.key_choices.iter().map(|k| (k.id.to_string(), k.name.clone())));
    let key = query.key.clone();
    // Operators come here from a key that may have no sample of late.
    let is_other = |key: &&String| keys.len() > 1 && keys.iter().all(|(id, _)| id != *key);
    let other = key.as_ref().filter(is_other).cloned();
    keys.extend(other.map(|key| (key, "One key".to_owned())));
    let mut apis: Vec<(String, String)> = list.key_choices.iter().map(|k| (k.api_slug.clone(), format!("API: {}", k.api_name))).collect();
    apis.extend(query.api.clone().filter(|slug| apis.iter().all(|(known, _)| known != slug)).map(|slug| (slug.clone(), format!("API: {slug}"))));
    apis.sort();
    apis.dedup();
    let apis = with_first("All APIs", apis);
    let rules = with_first("All rules", Ground::ALL.into_iter().map(|ground| (ground.to_string(), ground.words().to_owned())));
    let (api, rule, limit) = (query.api.clone(), query.rule.clone(), query.limit.clone());
    let offered = match &query.named {
        Some(text) if list.key_choices.is_empty() => {
            view! { <p class="muted">{format!("No key matches “{text}”, and no sample has it as its request id.")}</p> }.into_any()
        }
        named => offered_keys(named.as_deref(), list.key_choices.len(), list.has_more_keys, ""),
    };
    let keys = match (keys.len() > 1, key) {
        (true, key) => view! { <FilterSelect label="Key" name="key" options=keys nostrip:value=key/> }.into_any(),
        // Operators come here from a key; its filter stays until they drop it.
        (false, Some(key)) => view! { <input type="hidden" name="key" value=key/> }.into_any(),
        (false, None) => ().into_any(),
    };
    let routes = with_first("All routes", list.routes.iter().map(|route| (route.clone(), route.clone())));
    let (route, permission) = (query.route.clone(), query.permission.clone());
    let has_more = [&route, &permission, &limit, &rule].iter().any(|it| it.is_some());
    // What passed was refused by nothing.
    let of_refusals = (!query.is_of_passed()).then(|| {
        view! {
            <SearchField placeholder="Permission" name="permission" label="Permission that was missing" nostrip:value=permission/>
            <SearchField placeholder="Limit" name="limit" label="Name of the limit" nostrip:value=limit/>
            <FilterSelect label="Rule" name="rule" options=rules nostrip:value=rule/>
        }
        .into_any()
    });
    let drop_time = is_own_time.then(|| {
        let href = RefusalQuery { from: None, to: None, ..query.clone() }.link(place.path);
        view! { <Chip href label=format!("{} ×", list.period) current=true/> }
    });
    let drop_key = (list.key_choices.is_empty() && query.key.is_some()).then(|| {
        let href = RefusalQuery { key: None, ..query.clone() }.link(place.path);
        view! { <Chip href label="One key ×" current=true/> }
    });
    let rarer = view! {
        <MoreFilters is_set=has_more>
            <FilterSelect label="Route" name="route" options=routes nostrip:value=route/>
            {of_refusals}
        </MoreFilters>
    }
    .into_any();
    let placeholder = if place == Place::ALL { "Request id, key, address or owner" } else { "Request id, key or address" };
    let own_time = own_time_button(is_own_time);
    let of_time = RefusalQuery { range: None, from: None, to: None, ..query.clone() };
    let of_time = of_time.pairs().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    view! {
        <div class="stack-sm">
            <Filters action=place.path label="Filter requests" kept more=rarer>
                <SearchField placeholder/>
                {time}
                {own_time}
                <FilterSelect label="API" name="api" options=apis nostrip:value=api/>
                {keys}
            </Filters>
            <OwnTime path=place.path kept=of_time local=list.local.clone() more=None/>
            {offered}
            <nav class="row" aria-label="By outcome">{drop_time}{drop_key}{found(&query, place)}{codes(&list, place)}</nav>
        </div>
    }
    .into_any()
}

/// What was looked for, each to be dropped: it has no field of its own.
fn found(query: &RefusalQuery, place: Place) -> AnyView {
    let without = |drop: fn(&mut RefusalQuery)| {
        let mut query = query.clone();
        drop(&mut query);
        query.link(place.path)
    };
    let chips = [
        (query.request.as_ref().map(|it| format!("Request {it} ×")), without(|query| query.request = None)),
        (query.address.as_ref().map(|it| format!("Address {it} ×")), without(|query| query.address = None)),
        (query.owner.as_ref().map(|it| format!("Owner {it} ×")), without(|query| query.owner = None)),
        (query.named.as_ref().map(|it| format!("“{it}” ×")), without(|query| query.named = None)),
    ];
    chips.into_iter().filter_map(|(label, href)| label.map(|label| view! { <Chip href label current=true/> })).collect_view().into_any()
}

fn codes(list: &RefusalList, place: Place) -> AnyView {
    let of_code = |code: Option<String>| RefusalQuery { code, ..list.query.filters() }.link(place.path);
    let is_all = list.query.code.is_none();
    let passed = Outcome::Valid;
    if list.query.is_of_passed() {
        let calls = list.codes.as_ref().map(|codes| codes.iter().map(|(_, calls)| calls).sum::<u64>());
        let chip = match calls {
            Some(calls) => {
                view! { <Chip href=of_code(Some(passed.to_string())) label=passed.as_str() count=calls gate=passed.group().into() current=true/> }.into_any()
            }
            None => view! { <Chip href=of_code(Some(passed.to_string())) label=passed.as_str() gate=passed.group().into() current=true/> }.into_any(),
        };
        return view! { <Chip href=of_code(None) label="Did not pass"/>{chip} }.into_any();
    }
    let of_passed = (!list.sampling.is_empty()).then(|| {
        let href = list.query.of_passed().link(place.path);
        view! { <Chip href label="Samples that passed" gate=OutcomeGroup::Passed.into()/> }
    });
    let Some(codes) = &list.codes else {
        let chosen = list.query.code.clone().map(|code| view! { <Chip href=of_code(None) label=format!("{code} ×") current=true/> });
        return view! { {chosen}{of_passed} }.into_any();
    };
    let total: u64 = codes.iter().map(|(_, calls)| calls).sum();
    let chips = codes
        .iter()
        .map(|(code, calls)| {
            let current = list.query.code.as_deref() == Some(code.as_str());
            view! { <Chip href=of_code(Some(code.to_string())) label=code.as_str() count=*calls gate=code.group().into() current/> }
        })
        .collect_view();
    view! { <Chip href=of_code(None) label="All" count=total current=is_all/>{chips}{of_passed} }.into_any()
}

/// The list, and beside it the one that is open.
#[component]
pub fn RefusalRows(list: RefusalList, place: Place) -> impl IntoView {
    let is_of_passed = list.query.is_of_passed();
    if list.samples.is_empty() && list.opened.is_none() {
        return if is_of_passed {
            none_passed(&list, place)
        } else if list.query.filters() == RefusalQuery::default() {
            view! { <Empty title="Every call passed" text="Calls that are limited or refused appear here, with the rule that decided."><LinkButton href="/usage">"See all calls"</LinkButton></Empty> }.into_any()
        } else {
            view! { <Empty title="No sample matches" text="Try other filters. Samples are kept for 30 days unless your operator chose otherwise."><LinkButton href=place.path>"Show all"</LinkButton></Empty> }
                .into_any()
        };
    }
    let summary = format!("{}, {}", count(list.samples.len() as u64, "sample", "samples"), list.zone);
    let query = RefusalQuery { open: None, ..list.query.clone() };
    let older = list.older.clone().map(|cursor| RefusalQuery { before: Some(cursor), ..query.clone() }.link(place.path));
    let newer = query.before.is_some().then(|| RefusalQuery { before: None, ..query.clone() }.link(place.path));
    let open = list.query.open.clone();
    let lines = list.samples.into_iter().enumerate().map(|(i, sample)| line(i, sample, &query, open.as_deref(), place)).collect_view();
    let is_narrow = list.opened.is_some();
    let caption = if is_of_passed { "Samples of calls that passed, newest first" } else { "Samples of calls that did not pass, newest first" };
    let table = view! {
        <div class="stack">
            <Table caption=caption lines=true>
                <thead><tr>
                    <th scope="col">"Time"</th>
                    <th scope="col">"Outcome"</th>
                    <th scope="col">"Key"</th>
                    <th scope="col" class="col-2">"Route"</th>
                    {(!is_narrow).then(|| view! { <th scope="col" class="col-3">"From"</th><th scope="col" class="col-4">"Request"</th> })}
                </tr></thead>
                <tbody>{lines}</tbody>
            </Table>
            <Pagination summary newer older/>
        </div>
    }
    .into_any();
    let Some(detail) = list.opened else { return table };
    let back = query.link(place.path);
    let panel = match detail.sample.passed.clone() {
        Some(passed) => view! { <PassedPanel detail passed back place/> }.into_any(),
        None => view! { <RefusalPanel detail back place/> }.into_any(),
    };
    view! { <div class="cols-panel">{table}{panel}</div> }.into_any()
}

/// No sample of a call that passed: because none is kept, or because none matches.
fn none_passed(list: &RefusalList, place: Place) -> AnyView {
    if list.sampling.is_empty() {
        let text = "These calls are still counted exactly. To keep a sample of them, with address and request id, an operator sets “1 in” for an API under Admin › APIs.";
        return view! { <Empty title="No samples of calls that passed" text><LinkButton href="/usage">"See all calls"</LinkButton></Empty> }.into_any();
    }
    let text = "Try other filters. Samples are kept for 30 days unless your operator chose otherwise.";
    view! { <Empty title="No sample matches" text><LinkButton href=place.path>"Show what did not pass"</LinkButton></Empty> }.into_any()
}

fn line(index: usize, sample: RefusalSample, query: &RefusalQuery, open: Option<&str>, place: Place) -> AnyView {
    let why = if sample.detail.is_empty() { sample.code.sentence().to_owned() } else { sample.detail };
    let href = format!("{}#opened", RefusalQuery { open: Some(sample.cursor.clone()), ..query.clone() }.link(place.path));
    let key = match (sample.key, sample.key_name) {
        (Some(id), Some(name)) => view! { <a class="ink" href=format!("{}{id}", place.keys)>{name}</a> }.into_any(),
        (Some(_), None) => view! { <span class="faint nowrap">"a deleted key"</span> }.into_any(),
        (None, _) => view! { <span class="faint nowrap">"no known key"</span> }.into_any(),
    };
    let mut facts = vec![(2, "Route", view! { <code>{sample.route.clone()}</code> }.into_any())];
    if open.is_none() {
        facts.push((3, "From", view! { <code>{sample.address.clone()}</code> }.into_any()));
        facts.push((3, "Request", view! { <code>{sample.request_id.clone()}</code> }.into_any()));
    }
    let is_open = open == Some(sample.cursor.as_str());
    view! {
        <tr class=if is_open { "is-current" } else { "" }>
            <th scope="row" class="nowrap"><a class="row-link" href=href aria-current=is_open.then_some("true")><time datetime=sample.at>{sample.time}</time></a></th>
            <td><BadgeTip id=format!("why-{index}") gate=sample.code.group() label=sample.code.as_str() tip=why/></td>
            <td>{key}{folded(facts)}</td>
            <td class="col-2"><code class="nowrap">{sample.route}</code></td>
            {open.is_none().then(|| view! { <td class="col-3"><code>{sample.address}</code></td><td class="col-4"><code>{sample.request_id}</code></td> })}
        </tr>
    }
    .into_any()
}
