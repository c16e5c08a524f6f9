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
    let lead = "How long people stay signed in, on how many devices, and how long keys live at most.".into_any();
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
        <Table caption="What roles and plans say; a dash says nothing">
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
    let never = format!("Never, for a session, is {cap} after sign-in. A key that never ends has no end.");
    view! {
        <aside class="card panel" aria-labelledby="h-rules">
            <div class="card-head"><h2 id="h-rules">"Which one holds"</h2></div>
            <div class="card-body stack">
                <p>"Each value is said by the first that says it: the roles of the account (the strictest of them), the plan of its workspace, the plan of its group, the configuration."</p>
                <p>"Everybody has the role Developer: leave it empty where plans shall decide."</p>
                <p>{never}</p>
                <p>"What holds for one person stands on the page of the account, and on their own page Sessions."</p>
            </div>
        </aside>
    }
    .into_any()
}

fn form(row: PolicyRow, cap: &str) -> AnyView {
    let PolicyRow { holder, name, form } = row;
    let title = if holder.kind() == "role" { format!("Role {name}") } else { format!("Plan {name}") };
    let version = form.version();
    let max_help = format!("After sign-in, used or not. Never is {cap}.");
    view! {
        <FormPanel title action=SavePolicy::PATH close=PATH hidden=vec![("policy[of]", form.of)] version>
            <p class="help">"Such as 30m, 8h, 30d or never. Empty: the next one in line decides."</p>
            <TextField label="A session ends unused after" name="policy[idle]" value=form.idle maxlength=12 autocomplete="off"/>
            <TextField label="A session lasts at most" name="policy[max]" value=form.max maxlength=12 autocomplete="off" help=max_help/>
            <TextField label="Devices at once" name="policy[count]" value=form.count inputmode="numeric" maxlength=3 autocomplete="off" help="1 to 200. A new sign-in ends the oldest session beyond it."/>
            <TextField label="A key lives at most" name="policy[key_max]" value=form.key_max maxlength=12 autocomplete="off" help="From the moment it is created. Keys that exist already keep their expiry."/>
            <div class="form-actions"><Button look=Look::Primary>"Save"</Button></div>
        </FormPanel>
    }
    .into_any()
}
