//! `/admin/apis`: what keys are made for. The form for a new API stands on the page; changing one is a state with a URL
//! (`?edit=orders`).

use crate::{
    accounts::components::Framed,
    admin::{
        api::{self, CreateApi, SaveApi},
        components::{link, loaded},
        model::{ApiList, ApiRow},
    },
    keys::model::Api,
    ui::{
        Button, Form, Icon, IconLink, LinkButton, Look, PageHeader, Size, Table, TextArea, TextField,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/apis";

#[component]
pub fn ApisPage() -> impl IntoView {
    let chosen = use_query_map().with_untracked(|map| map.get("edit"));
    view! { <Framed crumbs=super::crumbs("APIs")>{loaded(move || api::list_apis(chosen.clone()), page)}</Framed> }
}

fn page(list: ApiList) -> AnyView {
    let lead = "Services that Tollgate guards. A key is made for one of them and may have its permissions.".into_any();
    let form = match list.chosen {
        Some(chosen) => edit_form(chosen),
        None => new_form(),
    };
    view! {
        <PageHeader title="APIs" lead/>
        <div class="cols-panel"><div class="stack">{table(list.rows)}</div>{form}</div>
    }
    .into_any()
}

fn table(rows: Vec<ApiRow>) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|ApiRow { api, keys }| {
            let keys_of = link("/admin/keys", [("api", Some(api.slug.as_str()))]);
            view! {
                <tr>
                    <th scope="row"><span class="cell-2"><span class="strong">{api.name.clone()}</span><code>{api.slug.to_string()}</code></span></th>
                    <td class="col-2"><code>{api.key_prefix.to_string()}"_live_…"</code></td>
                    <td class="num col-3">{thousands(api.permissions.len() as u64)}</td>
                    <td class="num"><a href=keys_of>{thousands(keys)}<span class="visually-hidden">" keys of "{api.name.clone()}</span></a></td>
                    <td class="cell-more"><LinkButton href=link(PATH, [("edit", Some(api.slug.as_str()))]) size=Size::Small label=format!("Edit {}", api.name)>"Edit"</LinkButton></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="APIs by name, Tollgate's own last">
            <thead>
                <tr>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="col-2">"Keys begin with"</th>
                    <th scope="col" class="num col-3">"Permissions"</th>
                    <th scope="col" class="num">"Keys"</th>
                    <td><span class="visually-hidden">"Act"</span></td>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
    .into_any()
}

const LINES: &str = "One per line: its name, then what it allows. orders:read Read orders";

fn new_form() -> AnyView {
    view! {
        <aside class="card panel" aria-labelledby="h-new">
            <div class="card-head"><h2 id="h-new">"New API"</h2></div>
            <Form action=CreateApi::PATH class="card-body stack" label="New API">
                <TextField label="Name" name="name" maxlength=80 required=true autocomplete="off"/>
                <TextField label="Slug" name="slug" mono=true maxlength=40 required=true autocomplete="off" help="Its name in addresses: lower-case letters, digits and hyphens. It stays."/>
                <TextField label="Key prefix" name="key_prefix" mono=true maxlength=12 autocomplete="off" help="What its keys begin with, such as ord. Empty: made from the slug. It stays."/>
                <TextArea label="Permissions" name="permissions" mono=true rows=6 help=LINES/>
                <div class="form-actions"><Button look=Look::Primary>"Create API"</Button></div>
            </Form>
        </aside>
    }
    .into_any()
}

fn edit_form(api: Api) -> AnyView {
    let lines = api.permissions.iter().map(|p| format!("{} {}", p.permission, p.description).trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    let permissions = if api.is_own() {
        let words = format!("Its {} are Tollgate's own and stay as they are.", count(api.permissions.len() as u64, "permission", "permissions"));
        view! { <p class="help">{words}</p> }.into_any()
    } else {
        let help = format!("{LINES}. A permission that you leave out stays with the keys that have it, and no other key gets it.");
        view! { <TextArea label="Permissions" name="permissions" mono=true rows=8 value=lines help/> }.into_any()
    };
    view! {
        <aside class="card panel" aria-labelledby="h-edit">
            <div class="card-head">
                <h2 id="h-edit">{api.name.clone()}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=PATH size=Size::Small/></span>
            </div>
            <Form action=SaveApi::PATH class="card-body stack" label="Change the API" hidden=vec![("slug", api.slug.to_string())]>
                <TextField label="Name" name="name" value=api.name maxlength=80 required=true autocomplete="off"/>
                {permissions}
                <div class="form-actions"><Button look=Look::Primary>"Save"</Button><LinkButton href=PATH look=Look::Quiet>"Cancel"</LinkButton></div>
            </Form>
        </aside>
    }
    .into_any()
}
