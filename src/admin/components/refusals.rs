//! Samples of refusals in rows, in short: the list of all tells more.

use crate::{
    ui::{CodeTag, GateGlyph, Table, folded, heads},
    usage::model::RefusalSample,
};
use leptos::prelude::*;

#[component]
pub fn RefusalTable(rows: Vec<RefusalSample>, #[prop(into)] caption: String) -> impl IntoView {
    let lines = rows
        .into_iter()
        .map(|r| {
            let key = match (r.key, r.key_name) {
                (Some(id), name) => {
                    view! { <a class="row-link" href=format!("/admin/keys?key={id}")>{name.unwrap_or_else(|| "a deleted key".to_owned())}</a> }.into_any()
                }
                (None, _) => view! { <span class="faint">"no known key"</span> }.into_any(),
            };
            let facts =
                vec![(2, "Route", view! { <code>{r.route.clone()}</code> }.into_any()), (3, "Address", view! { <code>{r.address.clone()}</code> }.into_any())];
            view! {
                <tr>
                    <th scope="row" class="nowrap"><time datetime=r.at>{r.time}</time></th>
                    <td><span class="row flex-nowrap"><GateGlyph position=r.code.group() tinted=true/><CodeTag text=r.code.as_str()/></span></td>
                    <td>{key}{folded(facts)}</td>
                    <td class="col-2"><code>{r.route}</code></td>
                    <td class="col-3"><code>{r.address}</code></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption small=true lines=true>
            {heads(&[("Time", ""), ("Code", ""), ("Key", ""), ("Route", "col-2"), ("Address", "col-3")])}
            <tbody>{lines}</tbody>
        </Table>
    }
    .into_any()
}
