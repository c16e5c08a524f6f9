//! `/requests`: calls in detail, those that did not pass or (`?code=VALID`) those that did. The rows are samples and say so; the counts beside
//! the codes are exact.

use crate::{
    accounts::components::Framed,
    ui::{Crumb, PageHeader, awaited, number::count},
    usage::{
        api,
        components::{ExportFile, ExportMenu, Place, RefusalFilters, RefusalRows, wrong_time},
        model::{RefusalList, RefusalQuery, passed_sampling},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn RequestsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| RefusalQuery::read(|name| map.get(name)));
    let asked = query();
    let shown = move |list| match list {
        Ok(list) => page(list),
        Err(error) => wrong_time(error, ("Requests", Place::OWN.path), &asked.pairs(), "Show all"),
    };
    view! { <Framed crumbs=vec![Crumb::here("Requests")]>{awaited(move || api::list_refusals(query()), shown)}</Framed> }
}

fn page(list: RefusalList) -> AnyView {
    let is_of_passed = list.query.is_of_passed();
    let (samples, how) = if is_of_passed {
        (format!("Below are {}", passed_sampling(&list.sampling)), "/docs/requests#passed")
    } else {
        ("Below are samples.".to_owned(), "/docs/requests#refusals")
    };
    let title = if is_of_passed { "Requests that passed" } else { "Requests that did not pass" };
    let lead = match &list.codes {
        Some(codes) => format!("{}: {}. {samples}", list.period, count(codes.iter().map(|(_, calls)| calls).sum(), "call", "calls")),
        None => format!("{}. {samples}", list.period),
    };
    let is_empty = list.samples.is_empty() && list.query == RefusalQuery::default() && list.sampling.is_empty();
    let lead = match is_empty {
        true => "Samples of calls that were limited or refused.".into_any(),
        false => view! { {lead}" "<a href=how>"Which calls are kept"</a> }.into_any(),
    };
    let mut exports = vec![ExportFile::new("Samples", |format| list.query.export(format))];
    if list.codes.as_ref().is_some_and(|codes| !codes.is_empty()) {
        exports.push(ExportFile::new("Counts by code", |format| list.query.export_codes(format)));
    }
    let prepare = list.query.prepare();
    view! {
        <PageHeader title lead>{(!is_empty).then(|| view! { <ExportMenu files=exports prepare/> })}</PageHeader>
        {(!is_empty).then(|| view! { <RefusalFilters list=list.clone() place=Place::OWN/> })}
        <RefusalRows list place=Place::OWN/>
    }
    .into_any()
}
