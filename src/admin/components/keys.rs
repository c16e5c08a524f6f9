//! How a key stands, as a badge.

use crate::{
    keys::model::{Standing, StandingKind},
    ui::{BadgeTip, Gate},
};
use leptos::prelude::*;

/// The badge with its reason on hover and focus. `id` must be unique on the page.
#[component]
pub fn KeyBadge(#[prop(into)] id: String, standing: Standing) -> impl IntoView {
    view! { <BadgeTip id gate=key_gate(standing.kind) label=standing.label tip=standing.why end=true/> }
}

pub const fn key_gate(kind: StandingKind) -> Gate {
    match kind {
        StandingKind::Passing => Gate::Passed,
        StandingKind::Held | StandingKind::Expiring => Gate::Limited,
        StandingKind::Refused | StandingKind::Expired | StandingKind::Revoked => Gate::Refused,
        StandingKind::New | StandingKind::Idle | StandingKind::Disabled => Gate::Idle,
    }
}
