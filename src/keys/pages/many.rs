//! `/keys/many`: what an act on the chosen keys will do, and the button that does it.

use crate::{
    accounts::components::Framed,
    keys::{
        api::{self, ChangeMany},
        components::{ManyDecision, loaded},
        model::{ManyPreview, ManyQuery},
    },
    ui::Crumb,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/keys/many";

#[component]
pub fn ManyPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|map| ManyQuery::read(|name| map.get(name), map.get_all("key").unwrap_or_default()));
    let asked = query.clone();
    let page = move |preview: Option<ManyPreview>| {
        let query = query.clone();
        view! { <ManyDecision preview query action=ChangeMany::PATH path=PATH back="/keys"/> }.into_any()
    };
    view! { <Framed crumbs=vec![Crumb::link("Keys", "/keys"), Crumb::here("Many at once")]>{loaded(move || api::preview_many(asked.clone()), page, |error| error)}</Framed> }
}
