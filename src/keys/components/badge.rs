//! How a key stands, as a badge that explains itself on hover and focus.

use crate::{
    keys::model::{Standing, StandingKind},
    ui::{BadgeTip, Gate},
};
use leptos::prelude::*;

/// `id` must be unique on the page; `end` where the badge stands at the end of a row.
#[component]
pub fn StandingBadge(#[prop(into)] id: String, standing: Standing, #[prop(optional)] end: bool) -> impl IntoView {
    view! { <BadgeTip id gate=gate_of(standing.kind) label=standing.label tip=standing.why end/> }
}

pub const fn gate_of(kind: StandingKind) -> Gate {
    match kind {
        StandingKind::Passing => Gate::Passed,
        StandingKind::Held | StandingKind::Expiring => Gate::Limited,
        StandingKind::Refused | StandingKind::Expired | StandingKind::Revoked => Gate::Refused,
        StandingKind::New | StandingKind::Idle | StandingKind::Disabled => Gate::Idle,
    }
}
