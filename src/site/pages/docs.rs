//! `/docs`: the start, and a page for each theme (`docs_pages`), with their contents beside them. The REST reference is `/docs/api`.

use super::{RefusedPage, docs_contents, docs_pages, docs_start};
use crate::{accounts::Caller, error::AppError, ui::PublicFrame};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

#[component]
pub fn DocsPage() -> impl IntoView {
    let text = view! { <h1>"Tollgate"</h1>{docs_start::start()} }.into_any();
    framed("/docs", "Docs".to_owned(), text)
}

#[component]
pub fn DocPage() -> impl IntoView {
    let slug = use_params_map().with_untracked(|p| p.get("slug").unwrap_or_default());
    let Some(doc) = docs_pages::all_docs().find(|doc| doc.slug == slug) else {
        return view! { <RefusedPage error=AppError::NotFound/> }.into_any();
    };
    let text = view! { <h1>{doc.title}</h1><p>{doc.summary}</p>{docs_contents::sections(doc)}{doc.text()} }.into_any();
    framed(&doc.path(), format!("{} · Docs", doc.title), text)
}

/// A page of the docs, whose path is `here`, with its ways to the others.
fn framed(here: &str, title: String, text: AnyView) -> AnyView {
    let entered = use_context::<Caller>().is_some();
    let links = vec![("API reference".to_owned(), "/docs/api".to_owned())];
    let (contents, neighbours) = (docs_contents::contents(here), docs_contents::neighbours(here));
    view! {
        <Title text=title/>
        <PublicFrame links entered foot="Tollgate">
            {contents}
            <article class="prose article" id="article" tabindex="-1">{text}{neighbours}</article>
        </PublicFrame>
    }
    .into_any()
}
