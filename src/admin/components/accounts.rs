//! Accounts in rows.

use crate::{
    accounts::model::AccountState,
    admin::{components::CheckAccount, model::AccountRow},
    keys::{
        components::{CheckAll, SaidOrNever, SaidTime},
        model::HoldView,
    },
    ui::{Badge, Gate, OutlineBadge, Table, folded, number::thousands},
};
use leptos::prelude::*;

/// The state of an account; of one that is let in, that its calls are blocked or slowed.
#[component]
pub fn StateBadge(
    state: AccountState,
    /** A block of its workspace. */
    hold: Option<HoldView>,
) -> impl IntoView {
    match hold.filter(|_| state == AccountState::Active) {
        Some(HoldView { per_second: None, .. }) => return view! { <Badge gate=Gate::Refused>"Blocked"</Badge> }.into_any(),
        Some(_) => return view! { <Badge gate=Gate::Limited>"Slowed"</Badge> }.into_any(),
        None => {}
    }
    let gate = match state {
        AccountState::Active => Gate::Passed,
        AccountState::Unproven => Gate::Idle,
        AccountState::Locked => Gate::Limited,
        AccountState::Disabled | AccountState::Banned => Gate::Refused,
    };
    view! { <Badge gate>{state.label()}</Badge> }.into_any()
}

#[component]
pub fn AccountTable(
    rows: Vec<AccountRow>,
    #[prop(into)] caption: String,
    /** Fewer columns, beside something else. */
    #[prop(optional)]
    short: bool,
    /** Each row has a box that `ManyAccountsBar` reads. */
    #[prop(optional)]
    choosable: bool,
) -> impl IntoView {
    let lines = rows
        .into_iter()
        .map(|a| {
            let href = format!("/admin/accounts/{}", a.id);
            let mut facts = vec![(3, "Since", view! { <SaidTime said=a.since.clone()/> }.into_any())];
            if !short {
                facts.insert(0, (2, "Keys", thousands(a.keys).into_any()));
                facts.push((3, "Confirmed", view! { <SaidOrNever said=a.verified.clone()/> }.into_any()));
                facts.push((2, "Last sign-in", view! { <SaidOrNever said=a.last_sign_in.clone()/> }.into_any()));
            }
            view! {
                <tr>
                    {choosable.then(|| view! { <CheckAccount id=a.id.to_string() name=a.name.clone()/> })}
                    <th scope="row">
                        <span class="cell-2">
                            <span class="row"><a class="row-link" href=href>{a.name}</a>{a.is_operator.then(|| view! { <OutlineBadge>"Operator"</OutlineBadge> })}</span>
                            <span>{a.email}</span>
                        </span>
                        {folded(facts)}
                    </th>
                    {(!short).then(|| view! { <td class="num col-2">{thousands(a.keys)}</td> })}
                    {(!short).then(|| view! { <td class="col-2"><SaidOrNever said=a.last_sign_in/></td> })}
                    {(!short).then(|| view! { <td class="col-3"><SaidOrNever said=a.verified/></td> })}
                    <td class="col-3"><SaidTime said=a.since/></td>
                    <td class="cell-status"><StateBadge state=a.state hold=a.hold/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption cards=true>
            <thead>
                <tr>
                    {choosable.then(|| view! { <CheckAll/> })}
                    <th scope="col">"Account"</th>
                    {(!short).then(|| view! { <th scope="col" class="num col-2">"Keys"</th> })}
                    {(!short).then(|| view! { <th scope="col" class="col-2">"Last sign-in"</th> })}
                    {(!short).then(|| view! { <th scope="col" class="col-3">"Confirmed"</th> })}
                    <th scope="col" class="col-3">"Since"</th>
                    <th scope="col" class="cell-status">"Status"</th>
                </tr>
            </thead>
            <tbody>{lines}</tbody>
        </Table>
    }
    .into_any()
}
