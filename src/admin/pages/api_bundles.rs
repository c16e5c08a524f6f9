//! A part of `/admin/apis/{slug}`: its bundles, named sets of its permissions, and the form of one.

use super::api::path;
use crate::{
    admin::{
        api::{DeleteBundle, SaveBundle},
        components::link,
        model::{ApiPage as Page, BundleForm},
    },
    keys::model::{Api, Bundle},
    ui::{ACT, ActForm, Button, CheckGroup, Choice, CodeTag, Empty, FormPanel, LinkButton, Look, Size, Table, TextField, folded, heads, number::thousands},
    values::Slug,
};
use leptos::{prelude::*, server_fn::ServerFn};

pub fn bundles(page: &Page) -> AnyView {
    let api = &page.api;
    let new = link(&path(api), [("bundle", Some(""))]);
    let head = view! {
        <div class="section-head"><h2 id="bundles-title">"Bundles"</h2><p>"Sets of permissions that keys hold by name. A change applies to all those keys at once."</p></div>
    };
    let list = if api.bundles.is_empty() {
        let text = "Collect the permissions that one kind of program needs, such as order-desk, and give keys the bundle. Bundles can include each other.";
        view! { <Empty title="No bundles yet" text><LinkButton href=new>"New bundle"</LinkButton></Empty> }.into_any()
    } else {
        let rows = api.bundles.iter().zip(&page.bundle_keys).map(|(bundle, keys)| row(api, bundle, *keys, page.bundle_form.as_ref())).collect_view();
        view! {
            <div class="stack">
                <Table caption="Bundles by name">
                    {heads(&[("Name", ""), ("Gives", ""), ("Keys", "num col-2"), ACT])}
                    <tbody>{rows}</tbody>
                </Table>
                <div><LinkButton href=new size=Size::Small>"New bundle"</LinkButton></div>
            </div>
        }
        .into_any()
    };
    view! { <section aria-labelledby="bundles-title">{head}{list}</section> }.into_any()
}

fn row(api: &Api, bundle: &Bundle, keys: u64, form: Option<&BundleForm>) -> AnyView {
    let name = bundle.name.to_string();
    let description = (!bundle.description.is_empty()).then(|| view! { <span>{bundle.description.clone()}</span> });
    let gives = if bundle.gives.is_empty() {
        view! { <span class="faint">"nothing"</span> }.into_any()
    } else {
        bundle.gives.iter().map(|p| view! { <CodeTag text=p.to_string()/>" " }).collect_view().into_any()
    };
    let names: Vec<&str> = bundle.includes.iter().map(Slug::as_str).collect();
    let includes = (!names.is_empty()).then(|| view! { <span class="muted">{format!("includes {}", names.join(", "))}</span> });
    let edit = link(&path(api), [("bundle", Some(name.as_str()))]);
    let this = vec![("slug", api.slug.to_string()), ("name", name.clone())];
    let is_chosen = matches!(form, Some(BundleForm::Change(chosen)) if chosen == bundle);
    view! {
        <tr class=is_chosen.then_some("is-current")>
            <th scope="row"><span class="cell-2"><a class="row-link" href=edit><code>{name.clone()}</code></a>{description}</span>{folded(vec![(2, "Keys", thousands(keys).into_any())])}</th>
            <td><span class="cell-2"><span>{gives}</span>{includes}</span></td>
            <td class="num col-2">{thousands(keys)}</td>
            <td class="cell-more"><ActForm action=DeleteBundle::PATH words="Delete" size=Size::Small look=Look::Quiet label=format!("Delete the bundle {name}") hidden=this/></td>
        </tr>
    }
    .into_any()
}

pub fn bundle_form(api: &Api, form: &BundleForm) -> AnyView {
    let changed = match form {
        BundleForm::Change(bundle) => Some(bundle),
        BundleForm::New => None,
    };
    let (title, act) = if changed.is_some() { ("Change the bundle", "Save bundle") } else { ("New bundle", "Add bundle") };
    let mut hidden = vec![("slug", api.slug.to_string())];
    let kept = changed.map(|bundle| bundle.name.to_string());
    hidden.extend(kept.clone().map(|name| ("replaces", name)));
    let description = changed.map(|bundle| bundle.description.clone()).unwrap_or_default();
    let permissions: Vec<Choice> =
        api.permissions.iter().map(|p| Choice::new(p.permission.as_str(), p.permission.to_string()).with_help(p.description.clone())).collect();
    let named = changed.map(|bundle| bundle.permissions.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_or_default();
    let others = api.bundles.iter().filter(|other| changed.is_none_or(|bundle| bundle.name != other.name));
    let others: Vec<Choice> = others.map(|other| Choice::new(other.name.as_str(), other.name.to_string()).with_help(other.description.clone())).collect();
    let included = changed.map(|bundle| bundle.includes.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_or_default();
    let cancel = view! { <LinkButton href=path(api) look=Look::Quiet>"Cancel"</LinkButton> };
    let version = changed.map(Bundle::version);
    view! {
        <FormPanel title action=SaveBundle::PATH id="bundle" close=path(api) hidden nostrip:version=version>
            {name(kept)}
            <TextField label="Description" name="description" maxlength=200 autocomplete="off" value=description/>
            {boxes("Permissions", "permissions[]", permissions, named, None)}
            {boxes("Includes", "includes[]", others, included, Some("It also gives what these give, including later changes."))}
            <div class="form-actions"><Button look=Look::Primary>{act}</Button>{cancel}</div>
        </FormPanel>
    }
    .into_any()
}

// Fields are made inside of the form, whose answer they show.
fn name(kept: Option<String>) -> AnyView {
    match kept {
        Some(name) => view! { <p><code>{name}</code></p> }.into_any(),
        None => view! {
            <TextField label="Name" name="name" mono=true maxlength=40 required=true autocomplete="off" placeholder="order-desk" help="Lower-case letters, digits and hyphens. You can't change it later."/>
        }
        .into_any(),
    }
}

fn boxes(label: &'static str, name: &'static str, choices: Vec<Choice>, values: Vec<String>, help: Option<&'static str>) -> Option<AnyView> {
    let help = help.map(str::to_owned);
    (!choices.is_empty()).then(|| view! { <CheckGroup label name choices values nostrip:help=help/> }.into_any())
}
