//! `/status`: what works and what does not, for everybody. Programs ask `GET /readyz`.

use crate::{
    accounts::Caller,
    site::{
        api,
        model::{PartStatus, Status, Working},
    },
    ui::{Badge, Gate, Note, PageHeader, PublicFrame, Table, heads, loaded},
};
use leptos::prelude::*;

#[component]
pub fn StatusPage() -> impl IntoView {
    let entered = use_context::<Caller>().is_some();
    let links = vec![("Docs".to_owned(), "/docs".to_owned())];
    let status = loaded(api::read_status, table, ("Try again", "/status"));
    view! { <PublicFrame links entered foot="Tollgate"><div class="site">{status}</div></PublicFrame> }
}

fn table(status: Status) -> AnyView {
    let is_any = |working| status.parts.iter().any(|part| part.working == working);
    let (gate, words) = match (is_any(Working::No), is_any(Working::Partly)) {
        (true, _) => (Gate::Refused, "Not everything works right now."),
        (false, true) => (Gate::Limited, "Everything works, some of it only in part."),
        (false, false) => (Gate::Passed, "Everything works."),
    };
    let rows = status.parts.into_iter().map(row).collect_view();
    view! {
        <div class="stack-lg">
            <PageHeader title="Status" lead=view! { "Which parts of this site work right now." }.into_any()/>
            <Note gate><strong>{words}</strong></Note>
            <Table caption="Parts of this site">
                {heads(&[("Part", ""), ("Now", "cell-status")])}
                <tbody>{rows}</tbody>
            </Table>
            <p class="help">"To monitor this site, request "<code>"GET /readyz"</code>". It answers 200 while keys are verified and the database answers, otherwise 503."</p>
        </div>
    }
    .into_any()
}

fn row(part: PartStatus) -> AnyView {
    let (gate, words) = match part.working {
        Working::Yes => (Gate::Passed, "Works"),
        Working::Partly => (Gate::Limited, "Works in part"),
        Working::No => (Gate::Refused, "Does not work"),
    };
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><span class="strong">{part.name}</span><span>{part.detail}</span></span></th>
            <td class="cell-status"><Badge gate>{words}</Badge></td>
        </tr>
    }
    .into_any()
}
