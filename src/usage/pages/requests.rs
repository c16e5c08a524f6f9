//! `/requests`: calls that did not pass, in detail. The rows are samples and say so; the counts beside the codes are exact.

use crate::{
    accounts::components::Framed,
    ui::{BadgeTip, Chip, Crumb, Empty, FilterSelect, Filters, LinkButton, PageHeader, Pagination, Table, loaded, number::count},
    usage::{
        api,
        model::{RefusalList, RefusalQuery, RefusalSample},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/requests";

#[component]
pub fn RequestsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| RefusalQuery::read(|name| map.get(name)));
    view! { <Framed crumbs=vec![Crumb::here("Requests")]>{loaded(move || api::list_refusals(query()), page, ("Show all", PATH))}</Framed> }
}

fn page(list: RefusalList) -> AnyView {
    let total: u64 = list.codes.iter().map(|(_, calls)| calls).sum();
    let lead = format!("{} in the last 30 days. Below are samples: at most one per key, code and minute is kept.", count(total, "call", "calls")).into_any();
    let filters = (total > 0 || list.query != RefusalQuery::default()).then(|| filters(&list, total));
    view! {
        <PageHeader title="Requests that did not pass" lead/>
        {filters}
        {rows(list)}
    }
    .into_any()
}

fn filters(list: &RefusalList, total: u64) -> AnyView {
    let of_code = |code: Option<String>| RefusalQuery { code, before: None, ..list.query.clone() }.link(PATH);
    let chips = list
        .codes
        .iter()
        .map(|(code, calls)| {
            let current = list.query.code.as_deref() == Some(code.as_str());
            view! { <Chip href=of_code(Some(code.to_string())) label=code.as_str() count=*calls gate=code.group().into() current/> }
        })
        .collect_view();
    let keys = std::iter::once((String::new(), "Any key".to_owned())).chain(list.key_choices.iter().map(|k| (k.id.to_string(), k.name.clone()))).collect();
    let kept = list.query.code.clone().map(|code| ("code", code)).into_iter().collect();
    let (key, everything, is_all) = (list.query.key.clone(), of_code(None), list.query.code.is_none());
    view! {
        <div class="stack-sm">
            <Filters action=PATH label="Filter requests" kept><FilterSelect label="Key" name="key" options=keys nostrip:value=key/></Filters>
            <nav class="row" aria-label="By outcome"><Chip href=everything label="All" count=total current=is_all/>{chips}</nav>
        </div>
    }
    .into_any()
}

fn rows(list: RefusalList) -> AnyView {
    if list.samples.is_empty() {
        return if list.query == RefusalQuery::default() {
            view! { <Empty title="Every call passed" text="Calls that are limited or refused stand here, with the rule that decided."><LinkButton href="/usage">"See all calls"</LinkButton></Empty> }.into_any()
        } else {
            view! { <Empty title="No sample matches" text="No kept sample has this code and key."><LinkButton href=PATH>"Show all"</LinkButton></Empty> }
                .into_any()
        };
    }
    let summary = format!("{}, {}", count(list.samples.len() as u64, "sample", "samples"), list.zone);
    let older = list.older.clone().map(|cursor| RefusalQuery { before: Some(cursor), ..list.query.clone() }.link(PATH));
    let newer = list.query.before.is_some().then(|| RefusalQuery { before: None, ..list.query.clone() }.link(PATH));
    let lines = list.samples.into_iter().enumerate().map(|(i, sample)| line(i, sample)).collect_view();
    view! {
        <div class="stack">
            <Table caption="Samples of calls that did not pass, newest first">
                <thead><tr>
                    <th scope="col">"Time"</th>
                    <th scope="col">"Outcome"</th>
                    <th scope="col">"Key"</th>
                    <th scope="col" class="col-2">"Route"</th>
                    <th scope="col" class="col-3">"From"</th>
                    <th scope="col" class="col-4">"Request"</th>
                </tr></thead>
                <tbody>{lines}</tbody>
            </Table>
            <Pagination summary newer older/>
        </div>
    }
    .into_any()
}

fn line(index: usize, sample: RefusalSample) -> AnyView {
    let why = if sample.detail.is_empty() { sample.code.sentence().to_owned() } else { sample.detail };
    let key = match (sample.key, sample.key_name) {
        (Some(id), Some(name)) => view! { <a class="row-link" href=format!("/keys/{id}")>{name}</a> }.into_any(),
        _ => view! { <span class="faint nowrap">"no known key"</span> }.into_any(),
    };
    view! {
        <tr>
            <td class="nowrap"><time datetime=sample.at>{sample.time}</time></td>
            <td><BadgeTip id=format!("why-{index}") gate=sample.code.group() label=sample.code.as_str() tip=why/></td>
            <th scope="row">{key}</th>
            <td class="col-2"><code class="nowrap">{sample.route}</code></td>
            <td class="col-3"><code>{sample.address}</code></td>
            <td class="col-4"><code>{sample.request_id}</code></td>
        </tr>
    }
    .into_any()
}
