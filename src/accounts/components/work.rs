//! The fields for the work before signing up (`public/work.js` does it); without JavaScript the line says how long to wait in its place.

use crate::{accounts::model::WorkAsked, ui::FormOutcome};
use leptos::{nonce::use_nonce, prelude::*};

/// Inside the form. Nothing, where nothing is asked.
#[component]
pub fn WorkField(asked: Option<WorkAsked>) -> impl IntoView {
    asked.map(|WorkAsked { challenge, bits, wait_seconds }| {
        // Who sent the form already goes on with the same challenge, so that the waiting counts from its making.
        let challenge = kept().unwrap_or(challenge);
        let wait = format!("Many people are signing up right now. Without JavaScript, wait {wait_seconds} seconds after opening this form before you send it.");
        view! {
            <input type="hidden" name="work[challenge]" value=challenge data-work=bits/>
            <input type="hidden" name="work[answer]" data-work-answer/>
            <p class="help" data-nojs>{wait}</p>
            <p class="help" role="status" hidden=true data-work-said>"Many people are signing up right now. Your browser works for a moment, then sends the form."</p>
            <script src="/work.js" nonce=use_nonce() defer></script>
        }
        .into_any()
    })
}

/// The challenge that was sent, if it can be sent again.
fn kept() -> Option<String> {
    let outcome = use_context::<FormOutcome>()?;
    let is_spent =
        outcome.error.as_ref().is_none_or(|error| !matches!(error, crate::error::AppError::Invalid { .. }) || error.field("work[challenge]").is_some());
    outcome.values.into_iter().find(|(name, value)| !is_spent && name == "work[challenge]" && !value.is_empty()).map(|(_, value)| value)
}
