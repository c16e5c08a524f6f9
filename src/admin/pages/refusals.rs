//! `/admin/refusals`: samples of refused calls of everybody, or of those that passed, and who tries secrets that no key has.

use crate::{
    accounts::components::Framed,
    admin::{api, model::AllRefusals},
    ui::{
        CodeTag, PageHeader, Table, awaited, heads,
        number::{count, thousands},
    },
    usage::{
        components::{ExportFile, ExportMenu, Place, RefusalFilters, RefusalRows, wrong_time},
        model::{AttemptsFrom, RefusalQuery, passed_sampling},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn RefusalsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| RefusalQuery::read(|name| map.get(name)));
    let asked = query();
    let shown = move |all| match all {
        Ok(all) => page(all),
        Err(error) => wrong_time(error, ("Refusals", Place::ALL.path), &asked.pairs(), "Show all"),
    };
    view! { <Framed crumbs=super::crumbs("Refusals")>{awaited(move || api::list_refusals(query()), shown)}</Framed> }
}

fn page(all: AllRefusals) -> AnyView {
    let AllRefusals { list, attempts } = all;
    let exact = list.codes.iter().flatten().map(|(_, calls)| calls).sum();
    let calls = if list.codes.is_some() { format!(" {} of known keys, counted exactly.", count(exact, "call", "calls")) } else { String::new() };
    let (samples, how) = match list.query.is_of_passed() {
        true => (passed_sampling(&list.sampling), "/docs/requests#passed"),
        false => ("samples.".to_owned(), "/docs/requests#refusals"),
    };
    let lead = format!("{}.{calls} Below are {samples} ", list.period);
    let lead = view! { {lead}<a href=how>"Which calls are kept"</a> }.into_any();
    let has_any = !list.samples.is_empty() || list.query != RefusalQuery::default() || !list.sampling.is_empty();
    let mut exports = vec![ExportFile::new("Samples", |format| list.query.export_all(format))];
    if list.codes.as_ref().is_some_and(|codes| !codes.is_empty()) {
        exports.push(ExportFile::new("Counts by code", |format| list.query.export_all_codes(format)));
    }
    if !attempts.is_empty() {
        exports.push(ExportFile::new("Unknown keys today", |format| format!("/api/v1/usage/attempts/export?format={format}")));
    }
    let (prepare, has_files) = (list.query.prepare_all(), has_any || exports.len() > 1);
    view! {
        <PageHeader title="Refusals" lead>{has_files.then(|| view! { <ExportMenu files=exports prepare/> })}</PageHeader>
        {has_any.then(|| view! { <RefusalFilters list=list.clone() place=Place::ALL/> })}
        <RefusalRows list place=Place::ALL/>
        <section aria-labelledby="h-attempts">
            <div class="section-head"><h2 id="h-attempts">"Unknown keys today"</h2><p>"Calls with unknown or malformed secrets and calls from blocked addresses, counted exactly by reason and address."</p></div>
            {addresses(attempts)}
        </section>
    }
    .into_any()
}

/// A service that asks need not tell where its caller is.
fn address(told: String) -> AnyView {
    if told.is_empty() { view! { <span class="muted">"not told"</span> }.into_any() } else { view! { <code>{told}</code> }.into_any() }
}

fn addresses(attempts: Vec<AttemptsFrom>) -> AnyView {
    if attempts.is_empty() {
        return view! { <p class="muted">"None today."</p> }.into_any();
    }
    let rows = attempts
        .into_iter()
        .map(
            |a| view! { <tr><th scope="row">{address(a.address)}</th><td><CodeTag text=a.reason.as_str()/></td><td class="num">{thousands(a.calls)}</td></tr> },
        )
        .collect_view();
    view! {
        <Table caption="Calls of today with unknown keys, by address and reason, the most first" small=true>
            {heads(&[("Address", ""), ("Reason", ""), ("Calls", "num")])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}
