//! A key whose calls are blocked or slowed: what, and until when. Why is for operators.

use super::SaidTime;
use crate::{
    keys::model::HoldView,
    ui::{Gate, Note, number::thousands},
};
use leptos::prelude::*;

/// A line for each block; nothing where there is none.
#[component]
pub fn HoldNotes(holds: Vec<HoldView>) -> impl IntoView {
    holds.into_iter().map(note).collect_view()
}

fn note(hold: HoldView) -> AnyView {
    let whose = if hold.is_workspace { "All calls of this key's workspace" } else { "Calls of this key" };
    let (gate, title, what) = match hold.per_second {
        None => (Gate::Refused, "Blocked. ", "are answered BANNED".to_owned()),
        Some(n) => (Gate::Limited, "Slowed. ", format!("are limited to {} a second together; more are answered RATE_LIMITED", thousands(n.into()))),
    };
    let until = match hold.until {
        Some(said) => view! { "until "<SaidTime said/> }.into_any(),
        None => view! { "until an operator lifts the block" }.into_any(),
    };
    view! { <Note gate><strong>{title}</strong>{whose}" "{what}" "{until}"."</Note> }.into_any()
}
