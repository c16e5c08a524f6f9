//! History: what happened to a thing, newest first.

use super::{Gate, GateGlyph, Icon, IconView};
use leptos::prelude::*;

/// An `<ol>` of [`TimelineItem`]s.
#[component]
pub fn Timeline(children: Children) -> impl IntoView {
    view! { <ol class="timeline">{children()}</ol> }
}

/// What marks an entry: a position of the gate where an outcome changed, else an icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dot {
    Gate(Gate),
    Icon(Icon),
}

/// One event: a sentence (children) and when, in words and as RFC 3339.
#[component]
pub fn TimelineItem(dot: Dot, #[prop(into)] when: String, #[prop(into)] iso: String, children: Children) -> impl IntoView {
    let dot = match dot {
        Dot::Gate(gate) => view! { <GateGlyph position=gate tinted=true/> }.into_any(),
        Dot::Icon(icon) => view! { <IconView icon/> }.into_any(),
    };
    view! {
        <li>
            <span class="dot">{dot}</span>
            <div>{children()}<span class="when"><time datetime=iso>{when}</time></span></div>
        </li>
    }
}
