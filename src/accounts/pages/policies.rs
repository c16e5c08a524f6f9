//! `/admin/sessions`: how long sessions and keys last, by role and by plan. Editing is a state of the page with a URL
//! (`?edit=role:operator`).

use crate::{
    accounts::{
        api::{SavePolicy, read_policies},
        components::{Framed, loaded},
        model::{PolicyForm, PolicyPage, PolicyRow},
    },
    ui::{Button, Crumb, FormPanel, Look, PageHeader, Table, TextField, folded, heads},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/sessions";

#[component]
pub fn PoliciesPage() -> impl IntoView {
    let edit = StoredValue::new(use_query_map().with_untracked(|query| query.get("edit")));
    let crumbs = vec![Crumb::link("Admin", "/admin"), Crumb::here("Sessions")];
    view! { <Framed crumbs>{loaded(read_policies, move |it| page(it, edit.get_value().as_deref()))}</Framed> }
}

fn page(it: PolicyPage, edit: Option<&str>) -> AnyView {
    let lead = "How long people stay signed in, on how many devices, and the longest lifetime of a key.".into_any();
    let edited = edit.filter(|_| it.may_change).and_then(|of| it.rows.iter().find(|row| row.form.of == of).cloned());
    let panel = match edited {
        Some(row) => form(row, &it.cap),
        None => rules(&it.cap),
    };
    view! {
        <PageHeader title="Sessions" lead/>
        <div class="cols-panel"><div class="stack">{table(it)}</div>{panel}</div>
    }
    .into_any()
}

fn table(it: PolicyPage) -> AnyView {
    let PolicyPage { rows, default, may_change, .. } = it;
    let rows = rows.into_iter().map(|row| line(row, may_change)).collect_view();
    view! {
        <Table caption="What roles and plans set; a dash means not set">
            {heads(&[("Of", ""), ("Ends unused after", ""), ("Lasts", ""), ("Devices", "col-2 num"), ("A key lives", "col-2")])}
            <tbody>
                {rows}
                <tr>
                    <th scope="row"><span class="cell-2"><span>"Everybody else"</span><span>"Configuration"</span></span>{facts(&default)}</th>
                    {values(default)}
                </tr>
            </tbody>
        </Table>
    }
    .into_any()
}

fn line(row: PolicyRow, may_change: bool) -> AnyView {
    let PolicyRow { holder, name, form } = row;
    let href = format!("{}#h-panel", link(PATH, [("edit", form.of.as_str())]));
    let name = if may_change { view! { <a class="row-link" href=href>{name}</a> }.into_any() } else { view! { <span>{name}</span> }.into_any() };
    let kind = if holder.kind() == "role" { "Role" } else { "Plan" };
    view! { <tr><th scope="row"><span class="cell-2">{name}<span>{kind}</span></span>{facts(&form)}</th>{values(form)}</tr> }.into_any()
}

fn said(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

/// What leaves first when it gets narrow.
fn facts(form: &PolicyForm) -> AnyView {
    folded(vec![(2, "Devices", said(form.count.clone()).into_any()), (2, "A key lives", said(form.key_max.clone()).into_any())])
}

fn values(form: PolicyForm) -> AnyView {
    view! {
        <td>{said(form.idle)}</td>
        <td>{said(form.max)}</td>
        <td class="col-2 num">{said(form.count)}</td>
        <td class="col-2">{said(form.key_max)}</td>
    }
    .into_any()
}

fn rules(cap: &str) -> AnyView {
    let never = format!("For a session, “never” means {cap} after sign-in. For a key, it means no expiry.");
    view! {
        <aside class="card panel" aria-labelledby="h-rules">
            <div class="card-head"><h2 id="h-rules">"Which one holds"</h2></div>
            <div class="card-body stack">
                <p>"Each value comes from the first of these that sets it: the account's roles (the strictest one), the workspace's plan, the plan of its group, the configuration."</p>
                <p>"Everybody has the role Developer. Leave it empty to let plans decide."</p>
                <p>{never}</p>
                <p>"An account's page shows what applies to that person. They see it under Sessions."</p>
            </div>
        </aside>
    }
    .into_any()
}

fn form(row: PolicyRow, cap: &str) -> AnyView {
    let PolicyRow { holder, name, form } = row;
    let title = if holder.kind() == "role" { format!("Role {name}") } else { format!("Plan {name}") };
    let version = form.version();
    let max_help = format!("Counted from sign-in, even while in use. “Never” means {cap}.");
    view! {
        <FormPanel title action=SavePolicy::PATH close=PATH hidden=vec![("policy[of]", form.of)] version>
            <p class="help">"For example 30m, 8h, 30d or never. If empty, the next one in line decides."</p>
            <TextField label="A session ends unused after" name="policy[idle]" value=form.idle maxlength=12 autocomplete="off"/>
            <TextField label="A session lasts at most" name="policy[max]" value=form.max maxlength=12 autocomplete="off" help=max_help/>
            <TextField label="Devices at once" name="policy[count]" value=form.count inputmode="numeric" maxlength=3 autocomplete="off" help="1 to 200. At the limit, a new sign-in ends the oldest session."/>
            <TextField label="A key lives at most" name="policy[key_max]" value=form.key_max maxlength=12 autocomplete="off" help="Counted from its creation. Existing keys keep their expiry."/>
            <div class="form-actions"><Button look=Look::Primary>"Save"</Button></div>
        </FormPanel>
    }
    .into_any()
}
