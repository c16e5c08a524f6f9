//! For a decision that must be made now: a one-time secret, a typed confirmation. A dialog is a state of the page with a URL
//! (`?dialog=revoke`): the server renders it open over a scrim, closing is a link, and a refused form brings it back. With
//! JavaScript it becomes truly modal: focus stays inside, Escape follows the close link, and going back gives the focus back.

use super::{
    Gate, GateGlyph, Icon, IconView,
    button::{Look, Size, button_class},
};
use leptos::prelude::*;

/// `id` must be unique on the page. `close` is where closing leads; without it there is no way around the decision.
/// Put the focus with `autofocus` on the least dangerous control.
#[component]
pub fn Dialog(
    #[prop(into)] id: String,
    #[prop(into)] title: String,
    #[prop(optional)] lead: Option<AnyView>,
    #[prop(optional)] gate: Option<Gate>,
    #[prop(optional, into)] close: Option<String>,
    /// Shown in place, not over the page (gallery, docs).
    #[prop(optional)]
    inline: bool,
    children: Children,
) -> impl IntoView {
    let (heading, words) = (format!("{id}-title"), format!("{id}-lead"));
    let described_by = lead.is_some().then(|| words.clone());
    let label = heading.clone();
    let close = close.map(|href| {
        view! { <a class=button_class(Look::Quiet, Size::Small, false, true) href=href data-close aria-label="Close"><IconView icon=Icon::Close/></a> }
    });
    let dialog = view! {
        <dialog
            class=if inline { "dialog dialog-inline" } else { "dialog" }
            id=id
            open=true
            data-modal=(!inline).then_some("")
            aria-labelledby=label
            aria-describedby=described_by
        >
            <div class="dialog-head">
                {gate.map(|gate| view! { <GateGlyph position=gate tinted=true/> })}
                <div><h2 id=heading>{title}</h2>{lead.map(|lead| view! { <p id=words>{lead}</p> })}</div>
                {close}
            </div>
            {children()}
        </dialog>
    };
    if inline { dialog.into_any() } else { view! { <div class="scrim">{dialog}</div> }.into_any() }
}

/// What the decision is about. Inside a form, both body and foot stand in the form.
#[component]
pub fn DialogBody(children: Children) -> impl IntoView {
    view! { <div class="dialog-body">{children()}</div> }
}

/// The ways out: the act named as such, and Cancel.
#[component]
pub fn DialogFoot(children: Children) -> impl IntoView {
    view! { <div class="dialog-foot">{children()}</div> }
}
