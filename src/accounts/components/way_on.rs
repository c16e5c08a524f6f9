//! Pages on the way in that lead on by one button only.

use crate::ui::{AuthFrame, ErrorSummary, LinkButton, Look, Size};
use leptos::prelude::*;

/// Says why, and where to go on: the words of the button, and where it leads.
#[component]
pub fn WayOn(
    title: &'static str,
    why: &'static str,
    next: (&'static str, &'static str),
    /// The server function whose refusal is said here, if it led here.
    #[prop(optional)]
    refused: Option<&'static str>,
) -> impl IntoView {
    let (words, href) = next;
    view! {
        <AuthFrame title lead=view! { {why} }.into_any()>
            {refused.map(|action| view! { <ErrorSummary action/> })}
            <LinkButton href look=Look::Primary size=Size::Large block=true>{words}</LinkButton>
        </AuthFrame>
    }
    .into_any()
}
