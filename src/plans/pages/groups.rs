//! `/admin/groups`: every group, and the form for a new one. Changing one, its members and trying it are states with a URL
//! (`?edit=partners`, `?edit=partners&after=ws_…`, `?edit=partners&try=1`).

use super::{
    group_panel::{fields, one_group},
    panel::{dry_run, show_typed, with_what},
};
use crate::{
    accounts::components::loaded_in_frame,
    keys::model::KeyLimit,
    plans::{
        api::{self, CreateGroup, SetGroupLimit},
        model::{Group, GroupForm, GroupPage, Trial},
    },
    ui::{ACT, Button, Crumb, Empty, LinkButton, Look, NewForm, PageHeader, Size, Table, folded, heads, number::count},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

pub const PATH: &str = "/admin/groups";

#[component]
pub fn GroupsPage() -> impl IntoView {
    let (chosen, after, trial) = use_query_map().with_untracked(|map| {
        let named = |name: &str| map.get(name).filter(|text| !text.is_empty());
        (named("edit"), named("after"), Trial::read(|name| map.get(name)))
    });
    let shown = trial.clone();
    let load = move || api::read_groups(chosen.clone(), after.clone(), trial.clone());
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("Groups", PATH)];
    let name = |page: &GroupPage| page.chosen.as_ref().map(|chosen| chosen.group.name.clone());
    loaded_in_frame(way, load, name, move |it| page(it, &shown), ("Go to the groups", PATH))
}

fn page(page: GroupPage, trial: &Option<Trial>) -> AnyView {
    show_typed(trial, SetGroupLimit::PATH);
    if let Some(chosen) = page.chosen {
        let run = trial.as_ref().zip(chosen.run.clone()).map(|(trial, run)| {
            let allowed = if trial.typed.is_some() { "this" } else { "what it allows now" };
            dry_run(&format!("Had {} allowed {allowed}", chosen.group.name), run, with_what(trial))
        });
        return one_group(chosen, page.plans, page.needing, run);
    }
    let lead = "Workspaces that you treat alike, each in at most one group. The group's limits apply to each workspace separately, unless the key or the workspace has limits of its own.";
    let is_empty = page.groups.is_empty();
    let list = if is_empty {
        let text = "Fill in “New group” and give it a plan or limits of its own. Then add workspaces by the email of their account.";
        view! { <Empty title="No groups yet" text/> }.into_any()
    } else {
        table(page.groups)
    };
    let plans = page.plans;
    view! {
        <PageHeader title="Groups" lead=lead.into_any()/>
        <NewForm title="New group" action=CreateGroup::PATH is_open=is_empty>
            {fields(GroupForm::default(), &plans, true)}
            <div class="form-actions"><Button look=Look::Primary>"Create group"</Button></div>
        </NewForm>
        {list}
    }
    .into_any()
}

fn table(groups: Vec<Group>) -> AnyView {
    let rows = groups.into_iter().map(row).collect_view();
    view! {
        <Table caption="Groups by name">
            {heads(&[("Name", ""), ("Allows each", ""), ("Members", "col-2"), ACT])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

fn row(group: Group) -> AnyView {
    let href = link(PATH, [("edit", group.slug.as_str())]);
    let allows = match (&group.plan, group.limits.is_empty()) {
        (_, false) => {
            view! { <span class="stack-xs">{group.limits.iter().map(|l| view! { <span>{KeyLimit::words(l)}</span> }).collect_view()}</span> }.into_any()
        }
        (Some(plan), true) => {
            let of_plan = link(super::plans::PATH, [("edit", plan.slug.as_str())]);
            view! { "the plan "<a href=of_plan>{plan.name.clone()}</a> }.into_any()
        }
        (None, true) => view! { <span class="faint">"what the next level allows"</span> }.into_any(),
    };
    let members = || match group.members {
        0 => view! { <span class="faint">"nobody"</span> }.into_any(),
        n => count(n, "workspace", "workspaces").into_any(),
    };
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><a class="row-link" href=href.clone()>{group.name.clone()}</a><code>{group.slug.to_string()}</code></span>{folded(vec![(2, "Members", members())])}</th>
            <td>{allows}</td>
            <td class="col-2">{members()}</td>
            <td class="cell-more"><LinkButton href size=Size::Small label=format!("Edit {}", group.name)>"Edit"</LinkButton></td>
        </tr>
    }
    .into_any()
}
