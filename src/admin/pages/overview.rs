//! `/admin`: the answer first, then what wants somebody, the numbers of today, every part, and what happened last.

use crate::{
    accounts::components::Framed,
    admin::{
        api,
        components::{AccountTable, Deeds, RefusalTable, loaded},
        model::{Health, NodeRow, Numbers, Overview, Part},
    },
    keys::components::SaidTime,
    ui::{
        Empty, Figure, Figures, Gate, GateGlyph, LinkButton, OutlineBadge, PageHeader, Size, Table, UNSEEN, folded, heads,
        number::{count, thousands},
    },
};
use leptos::prelude::*;

#[component]
pub fn OverviewPage() -> impl IntoView {
    view! { <Framed crumbs=super::crumbs("Health")>{loaded(api::read_overview, overview)}</Framed> }
}

fn overview(o: Overview) -> AnyView {
    let lead = format!("Checked just now. Version {}, up {}.", o.version, o.up).into_any();
    let wanting: Vec<Part> = o.wanting().into_iter().cloned().collect();
    view! {
        <PageHeader title=o.title() document="Health · Admin" lead/>
        {(!wanting.is_empty()).then(|| wants(wanting))}
        {numbers(o.numbers, &o.zone)}
        <section aria-labelledby="h-well">
            <div class="section-head"><h2 id="h-well">"Is everything all right?"</h2></div>
            {health(o.parts)}
        </section>
        {(!o.nodes.is_empty()).then(|| nodes(o.nodes))}
        <section aria-labelledby="h-refused">
            <div class="section-head"><h2 id="h-refused">"Refused last"</h2><a class="push" href="/admin/refusals">"All refusals"</a></div>
            {if o.refusals.is_empty() {
                view! { <Empty title="No call was refused" text="Samples of refused calls appear here, one a minute for each key, code, rule and address."/> }.into_any()
            } else {
                view! { <RefusalTable rows=o.refusals caption="Samples of refused calls, newest first"/> }.into_any()
            }}
        </section>
        <div class="cols-2">
            <section aria-labelledby="h-newest">
                <div class="section-head"><h2 id="h-newest">"Newest accounts"</h2><a class="push" href="/admin/accounts">"All accounts"</a></div>
                <AccountTable rows=o.newest caption="Accounts, newest first" short=true/>
            </section>
            <section aria-labelledby="h-acts">
                <div class="section-head"><h2 id="h-acts">"What operators did"</h2></div>
                {if o.deeds.is_empty() {
                    view! { <p class="muted">"Nothing yet. What operators change for others appears here."</p> }.into_any()
                } else {
                    view! { <Deeds deeds=o.deeds/> }.into_any()
                }}
            </section>
        </div>
    }
    .into_any()
}

fn wants(parts: Vec<Part>) -> AnyView {
    let items = parts
        .into_iter()
        .map(|part| {
            let look = part.href.map(|href| view! { <LinkButton href size=Size::Small label=format!("Look at {}", part.name)>"Look"</LinkButton> });
            view! {
                <li>
                    <GateGlyph position=gate(part.health) tinted=true/>
                    <div class="cell-2"><span class="strong">{part.name}": "{part.now}</span><span>{part.advice}</span></div>
                    {look}
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="h-wants">
            <h2 id="h-wants" class="visually-hidden">"Needs your attention"</h2>
            <ul class="list roomy">{items}</ul>
        </section>
    }
    .into_any()
}

fn numbers(n: Numbers, zone: &str) -> AnyView {
    let calls = n.calls;
    let accounts = format!("{} in the last 7 days", thousands(n.recent_accounts));
    let keys = format!("{} of them pass", thousands(n.live_keys));
    let today = format!("{} passed, {} limited; {zone}", thousands(calls.passed), thousands(calls.limited));
    let refused = format!("and {} with unknown keys", count(n.attempts, "call", "calls"));
    view! {
        <Figures>
            <Figure term="Accounts" value=thousands(n.accounts) note=accounts/>
            <Figure term="Keys" value=thousands(n.keys) note=keys/>
            <Figure term="Calls today" value=thousands(calls.total()) note=today/>
            <Figure term="Refused today" value=thousands(calls.refused) note=refused gate=Gate::Refused/>
        </Figures>
    }
    .into_any()
}

fn health(parts: Vec<Part>) -> AnyView {
    let rows = parts
        .into_iter()
        .map(|part| {
            let name = match part.href {
                Some(href) => view! { <a class="row-link" href=href>{part.name}</a> }.into_any(),
                None => part.name.into_any(),
            };
            view! {
                <tr>
                    <td class="cell-gate"><GateGlyph position=gate(part.health) tinted=true/><span class="visually-hidden">{part.health.words()}</span></td>
                    <th scope="row">{name}{folded(vec![(2, "", part.detail.clone().into_any())])}</th>
                    <td class=if part.health == Health::Fine { "nowrap" } else { "nowrap strong" }>{part.now}</td>
                    <td class="col-2 muted">{part.detail}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Health of each part">
            <thead class="visually-hidden"><tr><th scope="col">"State"</th><th scope="col">"Part"</th><th scope="col">"Now"</th><th scope="col">"Measured"</th></tr></thead>
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn nodes(nodes: Vec<NodeRow>) -> AnyView {
    let rows = nodes
        .into_iter()
        .map(|node| {
            let facts = vec![
                (2, "Last contact", node.contact.clone().into_any()),
                (2, "Keys known", thousands(node.keys).into_any()),
                (2, "Since", view! { <SaidTime said=node.since.clone()/> }.into_any()),
                (2, "Version", node.version.clone().into_any()),
            ];
            let badge = node.is_this.then(|| view! { " "<OutlineBadge>"this one"</OutlineBadge> });
            view! {
                <tr>
                    <td class="cell-gate"><GateGlyph position=gate(node.health) tinted=true/><span class="visually-hidden">{node.health.words()}</span></td>
                    <th scope="row">{node.name}{badge}{folded(facts)}</th>
                    <td>{node.state}</td>
                    <td class="col-2 nowrap">{node.contact}</td>
                    <td class="col-2 num">{thousands(node.keys)}</td>
                    <td class="col-2 nowrap"><SaidTime said=node.since/></td>
                    <td class="col-2">{node.version}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="h-nodes">
            <div class="section-head"><h2 id="h-nodes">"Nodes"</h2><p>"The servers on this database. A change to a key waits until each has it."</p></div>
            <Table caption="Nodes, by their start">
                {heads(&[("Health", UNSEEN), ("Node", ""), ("State", ""), ("Last contact", "col-2"), ("Keys known", "col-2 num"), ("Since", "col-2"), ("Version", "col-2")])}
                <tbody>{rows}</tbody>
            </Table>
        </section>
    }
    .into_any()
}

const fn gate(health: Health) -> Gate {
    match health {
        Health::Fine => Gate::Passed,
        Health::Wanting => Gate::Limited,
        Health::Broken => Gate::Refused,
    }
}
