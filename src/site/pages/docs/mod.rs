//! `/docs`: the start, and a page for each theme (`book`), with their contents beside them. Their text is Markdown, in `docs/`. The REST
//! reference is `/docs/api`.

mod book;
mod contents;
mod generated;
mod markdown;

pub use book::{DOCS, Doc, DocPart, all_docs};

use super::RefusedPage;
use crate::{accounts::Caller, error::AppError, ui::PublicFrame};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

#[component]
pub fn DocsPage() -> impl IntoView {
    let text = view! { <div class="docs-text" inner_html=markdown::to_html(book::START)></div> }.into_any();
    framed("/docs", "Docs".to_owned(), text)
}

#[component]
pub fn DocPage() -> impl IntoView {
    let slug = use_params_map().with_untracked(|p| p.get("slug").unwrap_or_default());
    let Some(doc) = all_docs().find(|doc| doc.slug == slug) else {
        return view! { <RefusedPage error=AppError::NotFound/> }.into_any();
    };
    let text = view! {
        <h1>{doc.title}</h1>
        <p>{doc.summary}</p>
        {contents::sections(doc)}
        <div class="docs-text" inner_html=markdown::to_html(doc.text)></div>
    }
    .into_any();
    framed(&doc.path(), format!("{} · Docs", doc.title), text)
}

/// A page of the docs, whose path is `here`, with its ways to the others.
fn framed(here: &str, title: String, text: AnyView) -> AnyView {
    let entered = use_context::<Caller>().is_some();
    let links = vec![("API reference".to_owned(), "/docs/api".to_owned())];
    let (beside, neighbours) = (contents::contents(here), contents::neighbours(here));
    view! {
        <Title text=title/>
        <PublicFrame links entered foot="Tollgate">
            {beside}
            <article class="prose article" id="article" tabindex="-1">{text}{neighbours}</article>
        </PublicFrame>
    }
    .into_any()
}
