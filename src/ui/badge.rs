//! State as glyph and word, never colour alone. Badge: the state of a thing; with a tip where it needs a why. Outline: a
//! fact that is no state. Code tag: a permission or a code. Chip: a filter with a count and a URL.

use super::{Gate, GateGlyph};
use leptos::prelude::*;

/// The state of a thing.
#[component]
pub fn Badge(#[prop(into)] gate: Gate, children: Children) -> impl IntoView {
    view! { <span class=format!("badge badge-{}", gate.word())><GateGlyph position=gate/>{children()}</span> }
}

/// A state that explains itself on hover and focus. `id` must be unique on the page.
#[component]
pub fn BadgeTip(
    #[prop(into)] id: String,
    #[prop(into)] gate: Gate,
    #[prop(into)] label: String,
    #[prop(into)] tip: String,
    /// The tip opens towards the start: for badges at the end of a row.
    #[prop(optional)]
    end: bool,
    /// Always open (gallery only).
    #[prop(optional)]
    shown: bool,
) -> impl IntoView {
    let class = match (end, shown) {
        (_, true) => "has-tip is-shown",
        (true, _) => "has-tip end",
        _ => "has-tip",
    };
    view! {
        <span class=class>
            <button type="button" class=format!("badge badge-{}", gate.word()) aria-describedby=id.clone()><GateGlyph position=gate/>{label}</button>
            <span role="tooltip" class="tip" id=id>{tip}</span>
        </span>
    }
}

/// A fact that is no state: "Verified", "this one".
#[component]
pub fn OutlineBadge(children: Children) -> impl IntoView {
    view! { <span class="badge badge-plain badge-outline">{children()}</span> }
}

/// A permission or a code.
#[component]
pub fn CodeTag(#[prop(into)] text: String) -> impl IntoView {
    view! { <span class="code-tag">{text}</span> }
}

/// A filter with a count, as a link with the filter in its URL.
#[component]
pub fn Chip(
    #[prop(into)] href: String,
    #[prop(into)] label: String,
    #[prop(optional)] count: Option<u64>,
    #[prop(optional)] gate: Option<Gate>,
    #[prop(optional)] current: bool,
) -> impl IntoView {
    view! {
        <a class="chip" href=href aria-current=current.then_some("true")>
            {gate.map(|gate| view! { <GateGlyph position=gate tinted=true/> })}
            {label}
            {count.map(|count| view! { " "<b>{super::number::thousands(count)}</b> })}
        </a>
    }
}
