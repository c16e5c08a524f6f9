//! One group: what it allows, who is in it, and its form.

use super::{groups::PATH, panel::window_fields};
use crate::{
    keys::{
        components::{GrantForm, LimitTable},
        model::GrantChoice,
    },
    plans::{
        api::{AddToGroup, DeleteGroup, SaveGroup, SetGroupGrants, SetGroupLimit, TakeFromGroup},
        model::{ChosenGroup, Group, GroupForm, Member, Members, Plan},
    },
    ui::{ActForm, Button, ErrorSummary, Form, LinkButton, Look, PageHeader, SelectField, Size, TextArea, TextField, number::count},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// The fields of a group. Its slug is chosen once.
pub fn fields(form: GroupForm, plans: &[Plan], is_new: bool) -> AnyView {
    // Those of a group that there is stand in a table of their own.
    let limits =
        is_new.then(|| window_fields("group", "What each of its workspaces may use, with all its keys together. Leave all empty to use the plan's limits."));
    let slug = is_new.then(|| {
        view! { <TextField label="Slug" name="group[slug]" mono=true maxlength=40 required=true autocomplete="off" help="Its name in addresses and commands: lower-case letters, digits, hyphens. Can't be changed later."/> }
    });
    let none = (String::new(), "No plan".to_owned());
    let options: Vec<_> = std::iter::once(none).chain(plans.iter().map(|p| (p.slug.to_string(), p.name.clone()))).collect();
    let name = view! { <TextField label="Name" name="group[name]" value=form.name maxlength=80 required=true autocomplete="off"/> };
    let named = if is_new { view! { <div class="cols-2">{name}{slug}</div> }.into_any() } else { name.into_any() };
    view! {
        {named}
        <TextArea label="Description" name="group[description]" value=form.description rows=2 maxlength=400/>
        <SelectField label="Plan" name="group[plan]" options value=form.plan help="For each workspace in it that has no plan of its own."/>
        {limits}
    }
    .into_any()
}

/// The page of a group: what it allows, what that would have held back, who is in it, and its form beside it.
pub fn one_group(chosen: ChosenGroup, plans: Vec<Plan>, needing: Vec<GrantChoice>, run: Option<AnyView>) -> AnyView {
    let ChosenGroup { group, members, is_further, .. } = chosen;
    let slug = group.slug.to_string();
    let (of, page, limits) = (slug.clone(), link(PATH, [("edit", slug.as_str())]), group.limits.clone());
    let (whose, granted) = (slug.clone(), group.grants.clone());
    let delete = (group.members == 0).then(|| {
        let hidden = vec![("slug", slug.clone())];
        view! { <div class="card-body"><ActForm action=DeleteGroup::PATH words="Delete" look=Look::DangerQuiet hidden/></div> }
    });
    let lead = view! { <code>{slug.clone()}</code>{(!group.description.is_empty()).then(|| format!(" · {}", group.description))} }.into_any();
    view! {
        <PageHeader title=group.name.clone() lead/>
        <ErrorSummary action=DeleteGroup::PATH/>
        <div class="cols-main">
            <div class="stack-xl">
                <section id="limits" aria-labelledby="h-limits">
                    <div class="section-head"><h2 id="h-limits">"Limits of each of its workspaces"</h2></div>
                    <LimitTable action=SetGroupLimit::PATH label="Limits of the group" hidden=vec![("slug", of)] limits page empty="None. The limits of its plan apply." can_try=true/>
                </section>
                {run}
                {who(&group, members, is_further)}
                <section id="grants" aria-labelledby="h-grants">
                    <div class="section-head"><h2 id="h-grants">"Grants"</h2></div>
                    <GrantForm action=SetGroupGrants::PATH label="What the group grants" hidden=vec![("slug", whose)] needing granted help="For keys of each of its workspaces, on top of what its plan grants. What you remove is refused at once."/>
                </section>
            </div>
            <aside class="card" aria-labelledby="h-details">
                <div class="card-head"><h2 id="h-details">"Details"</h2></div>
                <Form action=SaveGroup::PATH class="card-body stack" label="Change the group" hidden=vec![("group[slug]", slug)] version=group.version()>
                    {fields(GroupForm::of(&group), &plans, false)}
                    <div class="form-actions"><Button look=Look::Primary>"Save"</Button></div>
                </Form>
                {delete}
            </aside>
        </div>
    }
    .into_any()
}

fn who(group: &Group, members: Members, is_further: bool) -> AnyView {
    let slug = group.slug.to_string();
    let title = match group.members {
        0 => "Who is in it".to_owned(),
        n => format!("Who is in it: {}", count(n, "workspace", "workspaces")),
    };
    let list = if members.rows.is_empty() {
        view! { <p class="muted">{if is_further { "No further members." } else { "No workspaces yet." }}</p> }.into_any()
    } else {
        let items = members.rows.into_iter().map(|m| member(&slug, m)).collect_view();
        view! { <ul class="list flush small-list">{items}</ul> }.into_any()
    };
    let first =
        is_further.then(|| view! { <LinkButton href=link(PATH, [("edit", slug.as_str())]) size=Size::Small look=Look::Quiet>"First members"</LinkButton> });
    let next = members.next.map(|id| {
        let id = id.to_string();
        let href = link(PATH, [("edit", slug.as_str()), ("after", id.as_str())]);
        view! { <LinkButton href size=Size::Small look=Look::Quiet>"More members"</LinkButton> }
    });
    view! {
        <section class="stack" aria-labelledby="h-in">
            <h2 id="h-in">{title}</h2>
            {list}
            {(first.is_some() || next.is_some()).then(|| view! { <div class="form-actions">{first}{next}</div> })}
            <ErrorSummary action=TakeFromGroup::PATH/>
            <Form action=AddToGroup::PATH class="stack-sm form-medium" label="Add" hidden=vec![("slug", slug.clone())]>
                <TextField label="Put into it" name="to" autocomplete="off" maxlength=254 required=true help="An account's email or a workspace's id."/>
                <div class="form-actions"><Button size=Size::Small>"Add"</Button></div>
            </Form>
        </section>
    }
    .into_any()
}

fn member(slug: &str, member: Member) -> AnyView {
    let name = match member.account {
        Some(account) => view! { <a class="row-link" href=format!("/admin/accounts/{account}")>{member.name.clone()}</a> }.into_any(),
        None => member.name.clone().into_any(),
    };
    let hidden = vec![("slug", slug.to_owned()), ("from", member.workspace.to_string())];
    let label = format!("Take {} out of the group", member.name);
    view! {
        <li class="row-between">
            <span>{name}</span>
            <ActForm action=TakeFromGroup::PATH words="Take out" size=Size::Small look=Look::Quiet label hidden/>
        </li>
    }
    .into_any()
}
