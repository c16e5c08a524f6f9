//! What stands beside a list: a card with a form for a new line of it, or for the chosen one; and the form of a new one above it.

use super::{Form, FormOutcome, Icon, IconLink, Size};
use crate::values::Version;
use leptos::prelude::*;

/// The card, one on a page. Its title names the form, too.
#[component]
pub fn FormPanel(
    #[prop(into)] title: String,
    #[prop(into)] action: String,
    /// Where its cross leads.
    #[prop(optional, into)]
    close: Option<String>,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] hidden: Vec<(&'static str, String)>,
    /// Which state of the chosen line the form shows.
    #[prop(optional)]
    version: Option<Version>,
    children: Children,
) -> impl IntoView {
    let close = close.map(|href| view! { <span class="push"><IconLink icon=Icon::Close label="Close" href size=Size::Small/></span> });
    view! {
        <aside class="card panel" aria-labelledby="h-panel">
            <div class="card-head"><h2 id="h-panel">{title.clone()}</h2>{close}</div>
            <Form action nostrip:id=id class="card-body stack" label=title hidden nostrip:version=version>{children()}</Form>
        </aside>
    }
    .into_any()
}

/// The form of a new thing above the list of all, behind a button with its name: open where it was refused.
#[component]
pub fn NewForm(
    #[prop(into)] title: String,
    #[prop(into)] action: String,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional)] hidden: Vec<(&'static str, String)>,
    /// There is nothing else to do yet.
    #[prop(optional)]
    is_open: bool,
    children: Children,
) -> impl IntoView {
    let is_sent = use_context::<FormOutcome>().is_some_and(|outcome| outcome.action == action && outcome.form == id);
    let is_open = is_open || is_sent;
    view! {
        <details class="new-form" open=is_open>
            <summary class="btn btn-primary">{title.clone()}</summary>
            <div class="card"><Form action nostrip:id=id class="card-body stack" label=title hidden>{children()}</Form></div>
        </details>
    }
    .into_any()
}
