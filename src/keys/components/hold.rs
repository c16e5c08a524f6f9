//! A key whose calls are blocked or slowed: what, and until when. Why is for operators.

use super::SaidTime;
use crate::{
    keys::model::{HoldView, WorkspaceState},
    ui::{Gate, Note, number::thousands},
};
use leptos::prelude::*;

/// A line for each block; nothing where there is none.
#[component]
pub fn HoldNotes(holds: Vec<HoldView>) -> impl IntoView {
    holds
        .into_iter()
        .map(|hold| {
            let whose = if hold.is_workspace { "All calls of this key's workspace" } else { "Calls of this key" };
            note(hold, whose)
        })
        .collect_view()
}

/// What holds the calls of all keys of a workspace; nothing where nothing does. `whose` begins the sentences: "All calls of your keys".
#[component]
pub fn WorkspaceNotes(state: WorkspaceState, #[prop(into)] whose: String) -> impl IntoView {
    let holds = state.holds.into_iter().map(|hold| note(hold, &whose)).collect_view();
    let used_up = state.used_up.into_iter().map(|words| view! { <Note gate=Gate::Limited><strong>"Used up. "</strong>{words}</Note> }).collect_view();
    view! { {holds}{used_up} }
}

fn note(hold: HoldView, whose: &str) -> AnyView {
    let whose = whose.to_owned();
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
