//! A part of `/admin/accounts/{id}`: what the account may in effect, and by which of its roles.

use crate::{
    accounts::model::HeldPermission,
    ui::{CodeTag, Table, heads, number::count},
};
use leptos::prelude::*;

/// So many stand open.
const FEW: usize = 6;

pub fn effective(held: Vec<HeldPermission>) -> AnyView {
    let head = view! {
        <div class="section-head"><h2 id="h-may">"Permissions"</h2><p>"From its roles, effective with its next request. Its keys for Tollgate can't do more."</p></div>
    };
    if held.is_empty() {
        return view! { <section aria-labelledby="h-may">{head}<p class="muted">"Nothing. It has no role."</p></section> }.into_any();
    }
    // An operator's would fill the page.
    let (is_few, all) = (held.len() <= FEW, count(held.len() as u64, "permission", "permissions"));
    let rows = held
        .into_iter()
        .map(|it| {
            view! {
                <tr>
                    <th scope="row"><span class="cell-2"><span><CodeTag text=it.permission.to_string()/></span><span>{it.words()}</span></span></th>
                    <td>{it.roles.join(", ")}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="h-may">
            {head}
            <details class="more-fields" open=is_few>
                <summary>{all}</summary>
                <div class="stack">
                    <Table caption="Permissions of the account and the roles that give them" small=true>
                        {heads(&[("Permission", ""), ("By role", "")])}
                        <tbody>{rows}</tbody>
                    </Table>
                </div>
            </details>
        </section>
    }
    .into_any()
}
