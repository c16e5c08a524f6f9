//! One group beside the list: who is in it, and its form.

use super::{groups::PATH, panel::limit_fields};
use crate::{
    keys::{
        components::{GrantForm, LimitTable},
        model::GrantChoice,
    },
    plans::{
        api::{AddToGroup, DeleteGroup, SaveGroup, SetGroupGrants, SetGroupLimit, TakeFromGroup},
        model::{ChosenGroup, Group, GroupForm, Member, Members, Plan, Trial},
    },
    ui::{ActForm, Button, ErrorSummary, Form, Icon, IconLink, LinkButton, Look, SelectField, Size, TextArea, TextField, number::count},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// The fields of a group. Its slug is chosen once.
pub fn fields(form: GroupForm, plans: &[Plan], is_new: bool) -> AnyView {
    // Those of a group that there is stand in a table of their own.
    let limits = is_new.then(|| {
        view! {
            <div class="stack">
                <p class="help">"What each of its workspaces may use, with all its keys together: in units, or in calls if Counts, under More, says so. Leave all empty to use the plan's limits. You can add other windows later."</p>
                {limit_fields("group")}
            </div>
        }
    });
    let slug = is_new.then(|| {
        view! { <TextField label="Slug" name="group[slug]" mono=true maxlength=40 required=true autocomplete="off" help="Its name in addresses and commands: lower-case letters, digits, hyphens. Can't be changed later."/> }
    });
    let none = (String::new(), "No plan".to_owned());
    let options: Vec<_> = std::iter::once(none).chain(plans.iter().map(|p| (p.slug.to_string(), p.name.clone()))).collect();
    view! {
        <TextField label="Name" name="group[name]" value=form.name maxlength=80 required=true autocomplete="off"/>
        {slug}
        <TextArea label="Description" name="group[description]" value=form.description rows=2 maxlength=400/>
        <SelectField label="Plan" name="group[plan]" options value=form.plan help="For each workspace in it that has no plan of its own."/>
        {limits}
    }
    .into_any()
}

pub fn edit_panel(chosen: ChosenGroup, plans: Vec<Plan>, needing: Vec<GrantChoice>) -> AnyView {
    let ChosenGroup { group, members, is_further, .. } = chosen;
    let slug = group.slug.to_string();
    let (tries, limits) = (Trial::default().link(PATH, &slug), group.limits.clone());
    let (of, page) = (slug.clone(), link(PATH, [("edit", slug.as_str())]));
    let (whose, granted) = (slug.clone(), group.grants.clone());
    let delete =
        (group.members == 0).then(|| view! { <ActForm action=DeleteGroup::PATH words="Delete" look=Look::DangerQuiet hidden=vec![("slug", slug.clone())]/> });
    view! {
        <aside class="card panel" aria-labelledby="h-edit">
            <div class="card-head">
                <h2 id="h-edit">{group.name.clone()}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=PATH size=Size::Small/></span>
            </div>
            <div class="card-body stack-lg">
                {who(&group, members, is_further)}
                <Form action=SaveGroup::PATH class="stack" label="Change the group" hidden=vec![("group[slug]", slug)] version=group.version()>
                    {fields(GroupForm::of(&group), &plans, false)}
                    <div class="form-actions"><Button look=Look::Primary>"Save"</Button><LinkButton href=tries look=Look::Quiet>"Who would be limited?"</LinkButton></div>
                </Form>
                <section class="stack-sm" id="limits" aria-labelledby="h-limits">
                    <h3 id="h-limits">"Limits of each of its workspaces"</h3>
                    <LimitTable action=SetGroupLimit::PATH label="Limits of the group" hidden=vec![("slug", of)] limits page empty="None. The limits of its plan apply." can_try=true/>
                </section>
                <section class="stack-sm" id="grants" aria-labelledby="h-grants">
                    <h3 id="h-grants">"Grants"</h3>
                    <GrantForm action=SetGroupGrants::PATH label="What the group grants" hidden=vec![("slug", whose)] needing granted help="For keys of each of its workspaces, on top of what its plan grants. What you remove is refused at once."/>
                </section>
                <ErrorSummary action=DeleteGroup::PATH/>
                {delete}
            </div>
        </aside>
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
            <h3 id="h-in">{title}</h3>
            {list}
            {(first.is_some() || next.is_some()).then(|| view! { <div class="form-actions">{first}{next}</div> })}
            <ErrorSummary action=TakeFromGroup::PATH/>
            <Form action=AddToGroup::PATH class="stack-sm" label="Add" hidden=vec![("slug", slug.clone())]>
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
