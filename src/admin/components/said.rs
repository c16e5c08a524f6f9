//! Moments in the words that the server chose.

use crate::keys::model::Said;
use leptos::prelude::*;

/// A moment.
#[component]
pub fn SaidTime(said: Said) -> impl IntoView {
    view! { <time class="nowrap" datetime=said.at>{said.words}</time> }
}

/// A moment, or "never".
#[component]
pub fn SaidOrNever(said: Option<Said>) -> impl IntoView {
    match said {
        Some(said) => view! { <SaidTime said/> }.into_any(),
        None => view! { <span class="faint">"never"</span> }.into_any(),
    }
}
