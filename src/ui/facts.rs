//! Facts in pairs beside a thing; at most four figures above a chart.

use super::{Gate, GateGlyph};
use leptos::prelude::*;

/// Pairs: a `<dl>` of [`Fact`]s.
#[component]
pub fn Facts(children: Children) -> impl IntoView {
    view! { <dl class="kv">{children()}</dl> }
}

#[component]
pub fn Fact(#[prop(into)] term: String, children: Children) -> impl IntoView {
    view! { <dt>{term}</dt><dd>{children()}</dd> }
}

/// Sums: a `<dl>` of at most four [`Figure`]s.
#[component]
pub fn Figures(children: Children) -> impl IntoView {
    view! { <dl class="figures">{children()}</dl> }
}

/// A sum, with what it means below it ("99.23 %", "55,573 a day").
#[component]
pub fn Figure(
    #[prop(into)] term: String,
    #[prop(into)] value: String,
    #[prop(optional, into)] note: Option<String>,
    #[prop(optional)] gate: Option<Gate>,
) -> impl IntoView {
    view! {
        <div class="figure">
            <dt>{gate.map(|gate| view! { <GateGlyph position=gate tinted=true/> })}{term}</dt>
            <dd>{value}</dd>
            {note.map(|note| view! { <dd>{note}</dd> })}
        </div>
    }
}
