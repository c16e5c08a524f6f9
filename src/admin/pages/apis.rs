//! `/admin/apis`: what keys are made for. The form for a new API stands behind a button; each has a page of its own.

use crate::{
    accounts::components::Framed,
    admin::{
        api::{self, CreateApi},
        components::{link, loaded},
        model::{ApiList, ApiRow},
    },
    ui::{ACT, Button, LinkButton, Look, NewForm, PageHeader, Size, Table, TextArea, TextField, folded, heads, number::thousands},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ApisPage() -> impl IntoView {
    view! { <Framed crumbs=super::crumbs("APIs")>{loaded(api::list_apis, page)}</Framed> }
}

fn page(list: ApiList) -> AnyView {
    let lead = "Services that Tollgate protects. Each key is for one of them and can have its permissions.".into_any();
    view! {
        <PageHeader title="APIs" lead/>
        {new_form()}
        {table(list.rows)}
    }
    .into_any()
}

fn table(rows: Vec<ApiRow>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|ApiRow { api, keys }| {
            let keys_of = link("/admin/keys", [("api", Some(api.slug.as_str()))]);
            let page = format!("/admin/apis/{}", api.slug);
            let facts = vec![
                (2, "Keys begin with", view! { <code>{api.key_prefix.to_string()}"_live_…"</code> }.into_any()),
                (3, "Permissions", thousands(api.permissions.len() as u64).into_any()),
            ];
            view! {
                <tr>
                    <th scope="row"><span class="cell-2"><a class="row-link" href=page.clone()>{api.name.clone()}</a><code>{api.slug.to_string()}</code></span>{folded(facts)}</th>
                    <td class="col-2"><code>{api.key_prefix.to_string()}"_live_…"</code></td>
                    <td class="num col-3">{thousands(api.permissions.len() as u64)}</td>
                    <td class="num"><a href=keys_of>{thousands(keys)}<span class="visually-hidden">" keys of "{api.name.clone()}</span></a></td>
                    <td class="cell-more"><LinkButton href=page size=Size::Small label=format!("Edit {}", api.name)>"Edit"</LinkButton></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="APIs by name, Tollgate's own last">
            {heads(&[("Name", ""), ("Keys begin with", "col-2"), ("Permissions", "num col-3"), ("Keys", "num"), ACT])}
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

const LINES: &str = "One per line: the name, then what it allows, such as “orders:read Read orders”.";

fn new_form() -> AnyView {
    view! {
        <NewForm title="New API" action=CreateApi::PATH>
            <div class="cols-2">
                <TextField label="Name" name="name" maxlength=80 required=true autocomplete="off"/>
                <TextField label="Slug" name="slug" mono=true maxlength=40 required=true autocomplete="off" help="Its name in URLs: lower-case letters, digits and hyphens. You can't change it later."/>
            </div>
            <TextField label="Key prefix" name="key_prefix" mono=true maxlength=12 autocomplete="off" help="What its keys begin with, such as ord. Made from the slug if empty. You can't change it later."/>
            <TextArea label="Permissions" name="permissions" mono=true rows=6 help=LINES/>
            <div class="form-actions"><Button look=Look::Primary>"Create API"</Button></div>
        </NewForm>
    }
    .into_any()
}
