//! `/admin/refusals`: samples of refused calls of everybody, and who tries secrets that no key has.

use crate::{
    accounts::components::Framed,
    admin::{
        api,
        components::{RefusalTable, link, loaded},
        model::AllRefusals,
    },
    ui::{
        CodeTag, Empty, FilterSelect, Filters, LinkButton, PageHeader, Pagination, Table,
        number::{count, thousands},
    },
    usage::model::{AttemptsFrom, RefusalList, RefusalQuery},
    values::{Outcome, OutcomeGroup},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/refusals";

#[component]
pub fn RefusalsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || {
        parameters.with_untracked(|map| {
            let get = |name: &str| map.get(name).filter(|v| !v.is_empty());
            RefusalQuery { code: get("code"), key: get("key"), before: get("before") }
        })
    };
    view! { <Framed crumbs=super::crumbs("Refusals")>{loaded(move || api::list_refusals(query()), page)}</Framed> }
}

fn page(all: AllRefusals) -> AnyView {
    let AllRefusals { list, attempts } = all;
    let lead = format!("Samples, newest first: at most one per key, code and minute. Times in {}.", list.zone).into_any();
    view! {
        <PageHeader title="Refusals" lead/>
        {filters(&list)}
        {samples(list)}
        <section aria-labelledby="h-attempts">
            <div class="section-head"><h2 id="h-attempts">"Unknown keys today"</h2><p>"Calls with secrets that no key has, or that are none: counted exactly, by reason and address."</p></div>
            {addresses(attempts)}
        </section>
    }
    .into_any()
}

fn filters(list: &RefusalList) -> AnyView {
    let exact = |code: Outcome| list.codes.iter().find(|(c, _)| *c == code).map_or(0, |(_, n)| *n);
    let codes = Outcome::ALL.into_iter().filter(|code| code.group() != OutcomeGroup::Passed).map(|code| match exact(code) {
        0 => (code.to_string(), code.to_string()),
        n => (code.to_string(), format!("{code}, {} in 30 days", thousands(n))),
    });
    let codes = std::iter::once((String::new(), "Every code".to_owned())).chain(codes).collect();
    let kept = list.query.key.clone().map(|key| ("key", key)).into_iter().collect();
    let code = list.query.code.clone();
    view! { <Filters action=PATH label="Refusals" kept><FilterSelect label="Code" name="code" options=codes nostrip:value=code/></Filters> }.into_any()
}

fn samples(list: RefusalList) -> AnyView {
    if list.samples.is_empty() {
        let is_filtered = list.query.code.is_some() || list.query.key.is_some();
        return if is_filtered {
            view! { <Empty title="No refusal matches" text="None of the kept samples has this code."><LinkButton href=PATH>"Show all refusals"</LinkButton></Empty> }.into_any()
        } else {
            view! { <Empty title="No call was refused" text="Samples stand here as soon as the gate refuses a call."/> }.into_any()
        };
    }
    let summary = count(list.samples.len() as u64, "sample", "samples");
    let query = list.query;
    let older = list.older.as_deref().map(|cursor| link(PATH, [("code", query.code.as_deref()), ("key", query.key.as_deref()), ("before", Some(cursor))]));
    view! { <RefusalTable rows=list.samples caption="Samples of refused calls, newest first"/><Pagination summary newer=None older/> }.into_any()
}

fn addresses(attempts: Vec<AttemptsFrom>) -> AnyView {
    if attempts.is_empty() {
        return view! { <p class="muted">"None today."</p> }.into_any();
    }
    let rows = attempts
        .into_iter()
        .map(|a| view! { <tr><th scope="row"><code>{a.address}</code></th><td><CodeTag text=a.reason.as_str()/></td><td class="num">{thousands(a.calls)}</td></tr> })
        .collect_view();
    view! {
        <Table caption="Calls of today with unknown keys, by address and reason, the most first" small=true>
            <thead><tr><th scope="col">"Address"</th><th scope="col">"Reason"</th><th scope="col" class="num">"Calls"</th></tr></thead>
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}
