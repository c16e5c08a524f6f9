//! What leads through `/docs`: the contents beside every page, the list of what stands on one, and the ways to the pages before and after
//! it. Narrow, the contents are a popover, which opens without JavaScript.

use super::book::{DOCS, Doc, DocPart, all_docs};
use crate::ui::{Look, Size, button_class};
use leptos::prelude::*;

/// The first page of the contents, which is not one of the table: path and words.
const START: (&str, &str) = ("/docs", "Start");

/// `here` is the path of the page that they stand beside.
pub fn contents(here: &str) -> AnyView {
    let parts = DOCS.iter().enumerate().map(|(i, it)| part(i, it, here)).collect_view();
    view! {
        <a class="skip-link" href="#article">"Skip the contents"</a>
        <p class="docs-open only-narrow">
            <button type="button" class=button_class(Look::Secondary, Size::Small, false, false) popovertarget="contents">"Contents"</button>
        </p>
        <nav class="docs-nav" id="contents" popover="auto" aria-label="Contents">
            <ul class="sidebar-group">{link(START.0.to_owned(), START.1, here)}{link("/docs/api".to_owned(), "API reference", here)}</ul>
            {parts}
        </nav>
    }
    .into_any()
}

fn part(index: usize, part: &DocPart, here: &str) -> AnyView {
    let id = format!("contents-{index}");
    let labelled_by = id.clone();
    let links = part.pages.iter().map(|doc| link(doc.path(), doc.title, here)).collect_view();
    view! {
        <div role="group" aria-labelledby=labelled_by>
            <p class="sidebar-title" id=id>{part.title}</p>
            <ul class="sidebar-group">{links}</ul>
        </div>
    }
    .into_any()
}

fn link(href: String, words: &'static str, here: &str) -> AnyView {
    let current = (href == here).then_some("page");
    view! { <li><a class="sidebar-link" href=href aria-current=current><span class="truncate">{words}</span></a></li> }.into_any()
}

/// What stands on a page, below its title.
pub fn sections(doc: &Doc) -> AnyView {
    let links = doc.sections.iter().map(|(id, words)| view! { <li><a href=format!("#{id}")>{*words}</a></li> }).collect_view();
    view! { <nav class="docs-here" aria-label="On this page"><ul>{links}</ul></nav> }.into_any()
}

/// The pages before and after this one.
pub fn neighbours(here: &str) -> AnyView {
    let all: Vec<(String, &'static str)> = std::iter::once((START.0.to_owned(), START.1)).chain(all_docs().map(|doc| (doc.path(), doc.title))).collect();
    let at = all.iter().position(|(path, _)| path == here);
    let way = |to: Option<usize>, class: &'static str, rel: &'static str, words: &'static str| {
        let (href, title) = to.and_then(|to| all.get(to)).cloned()?;
        Some(view! { <a class=class href=href rel=rel><span class="small muted">{words}</span>" "<span>{title}</span></a> })
    };
    let previous = way(at.and_then(|at| at.checked_sub(1)), "docs-previous", "prev", "Previous");
    let next = way(at.map(|at| at + 1), "docs-next", "next", "Next");
    view! { <nav class="docs-neighbours" aria-label="Previous and next page">{previous}{next}</nav> }.into_any()
}
