//! What stands beside a list: a card with a form for a new line of it, or for the chosen one.

use super::{Form, Icon, IconLink, Size};
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
