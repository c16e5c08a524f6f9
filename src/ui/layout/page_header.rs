//! The head of a page, and the sections of a settings page.

use leptos::prelude::*;

/// Title (also the document's), one sentence below it, and the page's acts (children) at the end of the line: at most one
/// primary button.
#[component]
pub fn PageHeader(
    #[prop(into)] title: String,
    /// The one of a list that is open beside it; stands first in the document's title: "Pro · Plans".
    #[prop(optional_no_strip)]
    chosen: Option<String>,
    /// What the document is called where the title is an answer: "Health · Admin".
    #[prop(optional, into)]
    document: Option<String>,
    #[prop(optional)] lead: Option<AnyView>,
    /// Badges beside the title.
    #[prop(optional)]
    badges: Option<AnyView>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let document_title = super::document_title(&document.unwrap_or_else(|| chosen.map_or_else(|| title.clone(), |name| format!("{name} · {title}"))));
    view! {
        <leptos_meta::Title text=document_title/>
        <div class="page-head">
            <div>
                {match badges {
                    Some(badges) => view! { <div class="row"><h1>{title}</h1>{badges}</div> }.into_any(),
                    None => view! { <h1>{title}</h1> }.into_any(),
                }}
                {lead.map(|lead| view! { <p>{lead}</p> })}
            </div>
            {children.map(|acts| acts())}
        </div>
    }
    .into_any()
}

/// A part of a settings page: words to the left, the form or card to the right. Stands in `<div class="settings">`.
#[component]
pub fn Section(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    #[prop(into)] title: String,
    #[prop(optional, into)] lead: Option<String>,
    /// The words above instead of beside.
    #[prop(optional)]
    wide: bool,
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    view! {
        <section class=if wide { "section section-wide" } else { "section" } id=id aria-labelledby=heading>
            <div><h2 id=heading.clone()>{title}</h2>{lead.map(|lead| view! { <p>{lead}</p> })}</div>
            <div class="stack">{children()}</div>
        </section>
    }
    .into_any()
}
