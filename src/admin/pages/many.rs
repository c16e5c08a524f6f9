//! `/admin/keys/many`: one act on keys of every workspace, looked at first.

use crate::{
    accounts::components::Framed,
    admin::{
        api::{self, ChangeManyKeys},
        components::loaded,
    },
    keys::{
        components::ManyDecision,
        model::{ManyPreview, ManyQuery},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/keys/many";

#[component]
pub fn ManyPage() -> impl IntoView {
    let read = || use_query_map().with_untracked(|map| ManyQuery::read(|name| map.get(name), map.get_all("key").unwrap_or_default()));
    let asked = read();
    let query = StoredValue::new(asked.clone());
    let page = move |preview: Option<ManyPreview>| {
        view! { <ManyDecision preview query=query.get_value() action=ChangeManyKeys::PATH path=PATH back="/admin/keys"/> }.into_any()
    };
    view! { <Framed crumbs=super::crumbs("Many keys")>{loaded(move || api::preview_many_keys(asked.clone()), page)}</Framed> }
}
