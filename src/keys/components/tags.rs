//! The tags of a key, each a link to the keys that have it.

use crate::keys::model::KeyQuery;
use leptos::prelude::*;

#[component]
pub fn Tags(tags: Vec<String>) -> impl IntoView {
    let link = |tag: String| {
        let href = KeyQuery { tag: Some(tag.clone()), ..KeyQuery::default() }.link("/keys", None);
        view! { " "<a class="code-tag" href=href>{tag}</a> }
    };
    tags.into_iter().map(link).collect_view()
}
