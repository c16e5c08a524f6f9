//! The one limit of a workspace or an API.

use crate::{
    keys::{components::LimitFields, model::KeyLimit},
    ui::{Button, Form, Size},
};
use leptos::prelude::*;

/// `limits` are the present ones: more than one are set over REST, and one that is set here takes the place of all.
#[component]
pub fn LimitForm(
    #[prop(into)] action: String,
    #[prop(into)] label: String,
    hidden: Vec<(&'static str, String)>,
    limits: Vec<KeyLimit>,
    /** What holds if the number is left empty. */
    #[prop(into)]
    empty: String,
) -> impl IntoView {
    let first = limits.first().cloned();
    let several = (limits.len() > 1).then(|| {
        let words = limits.iter().map(|l| format!("{} ({})", l.words(), l.name)).collect::<Vec<_>>().join("; ");
        view! { <p class="help">{format!("Set over REST: {words}. What is set here takes their place.")}</p> }
    });
    view! {
        <Form action id="limit" class="stack form-medium" label hidden>
            <LimitFields limit=first empty/>
            {several}
            <div class="form-actions"><Button size=Size::Small>"Set limit"</Button></div>
        </Form>
    }
    .into_any()
}
