//! `/admin/plans`: every plan, and the form for a new one. Changing, assigning and trying one are states with a URL (`?edit=pro`,
//! `?edit=pro&try=1`).

use super::panel::{dry_run, fields, of_whom, one_plan, show_typed};
use crate::{
    accounts::components::loaded_in_frame,
    keys::model::KeyLimit,
    plans::{
        api::{self, CreatePlan, SetPlanLimit},
        model::{Plan, PlanForm, PlanPage, Trial},
    },
    ui::{ACT, Button, Crumb, Empty, LinkButton, Look, NewForm, PageHeader, Size, Table, folded, heads, number::count},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

pub const PATH: &str = "/admin/plans";

#[component]
pub fn PlansPage() -> impl IntoView {
    let (chosen, trial) = use_query_map().with_untracked(|map| (map.get("edit").filter(|slug| !slug.is_empty()), Trial::read(|name| map.get(name))));
    let shown = trial.clone();
    let load = move || api::read_plans(chosen.clone(), trial.clone());
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("Plans", PATH)];
    let name = |page: &PlanPage| page.chosen.as_ref().map(|chosen| chosen.plan.name.clone());
    loaded_in_frame(way, load, name, move |it| page(it, &shown), ("Go to the plans", PATH))
}

fn page(page: PlanPage, trial: &Option<Trial>) -> AnyView {
    show_typed(trial, SetPlanLimit::PATH);
    if let Some(chosen) = page.chosen {
        let run = trial.as_ref().zip(chosen.run.clone()).map(|(trial, run)| {
            let name = &chosen.plan.name;
            let had = if trial.of_holders { format!("Had those who have {name} been held by it") } else { format!("Had everybody been on {name}") };
            dry_run(&had, run, of_whom(chosen.plan.slug.as_str(), trial))
        });
        return one_plan(chosen, page.needing, run);
    }
    let lead =
        format!("Named sets of limits for workspaces, groups and keys. A key with no limits from a plan, workspace or API may use {}.", page.default_limit)
            .into_any();
    let is_empty = page.plans.is_empty();
    let list = if is_empty {
        let text = "Fill in “New plan” with what it allows a second, minute, hour, day or month. Then assign it to an account, a workspace or a key.";
        view! { <Empty title="No plans yet" text/> }.into_any()
    } else {
        table(page.plans)
    };
    view! {
        <PageHeader title="Plans" lead/>
        <NewForm title="New plan" action=CreatePlan::PATH is_open=is_empty>
            {fields(PlanForm::default(), true)}
            <div class="form-actions"><Button look=Look::Primary>"Create plan"</Button></div>
        </NewForm>
        {list}
    }
    .into_any()
}

fn table(plans: Vec<Plan>) -> AnyView {
    let rows = plans.into_iter().map(row).collect_view();
    view! {
        <Table caption="Plans by name">
            {heads(&[("Name", ""), ("Allows", ""), ("Per 1,000 units", "col-3"), ("Assigned to", "col-2"), ACT])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(plan: Plan) -> AnyView {
    let href = link(PATH, [("edit", plan.slug.as_str())]);
    let allows = match plan.limits.is_empty() {
        true => view! { <span class="faint">"what the next level allows"</span> }.into_any(),
        false => view! { <span class="stack-xs">{plan.limits.iter().map(|l| view! { <span>{KeyLimit::words(l)}</span> }).collect_view()}</span> }.into_any(),
    };
    let price = || match &plan.price {
        Some(price) => view! { <span class="nowrap">{price.per_1000()}" "{price.currency.clone()}</span> }.into_any(),
        None => view! { <span class="faint">"No price"</span> }.into_any(),
    };
    let holders = [(plan.groups, "group", "groups"), (plan.workspaces, "workspace", "workspaces"), (plan.keys, "key", "keys")];
    let assigned = || {
        if plan.is_free() {
            view! { <span class="faint">"nobody"</span> }.into_any()
        } else {
            holders.into_iter().filter(|h| h.0 > 0).map(|(n, one, many)| count(n, one, many)).collect::<Vec<_>>().join(", ").into_any()
        }
    };
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><a class="row-link" href=href.clone()>{plan.name.clone()}</a><code>{plan.slug.to_string()}</code></span>{folded(vec![(3, if plan.price.is_some() { "Per 1,000 units" } else { "" }, price()), (2, "Assigned to", assigned())])}</th>
            <td>{allows}</td>
            <td class="col-3">{price()}</td>
            <td class="col-2">{assigned()}</td>
            <td class="cell-more"><LinkButton href size=Size::Small label=format!("Edit {}", plan.name)>"Edit"</LinkButton></td>
        </tr>
    }
    .into_any()
}
