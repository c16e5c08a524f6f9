//! Note: about this place. Banner: about the whole session, under the top bar.

use super::{Gate, GateGlyph, Icon, IconView};
use leptos::prelude::*;

/// A quiet note, or one in the colour of a gate's position.
#[component]
pub fn Note(#[prop(optional)] gate: Option<Gate>, children: Children) -> impl IntoView {
    match gate {
        Some(gate) => view! { <div class=format!("note note-{}", gate.word())><GateGlyph position=gate/><div>{children()}</div></div> }.into_any(),
        None => view! { <div class="note"><IconView icon=Icon::Info/><div>{children()}</div></div> }.into_any(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BannerLook {
    #[default]
    Plain,
    /// Wants a decision: the quota is nearly used up.
    Limited,
    /// Something does not work for now.
    Refused,
    /// Somebody else's eyes.
    Impersonation,
}

/// `label` names the region; `act` is its one button or form.
#[component]
pub fn Banner(#[prop(into)] label: String, #[prop(optional)] look: BannerLook, #[prop(optional)] act: Option<AnyView>, children: Children) -> impl IntoView {
    let (class, glyph) = match look {
        BannerLook::Plain => ("banner", view! { <IconView icon=Icon::Lock/> }.into_any()),
        BannerLook::Limited => ("banner banner-limited", view! { <GateGlyph position=Gate::Limited/> }.into_any()),
        BannerLook::Refused => ("banner banner-refused", view! { <GateGlyph position=Gate::Refused/> }.into_any()),
        BannerLook::Impersonation => ("banner banner-impersonation", view! { <IconView icon=Icon::Eye/> }.into_any()),
    };
    view! { <div class=class role="region" aria-label=label>{glyph}<p>{children()}</p>{act}</div> }.into_any()
}
