//! What comes back of credits: one field beside the number and the window of a limit.

use crate::{keys::model::Window, ui::TextField};
use leptos::prelude::*;

/// The field `refill`. How often something comes back says the choice of the window.
#[component]
pub fn RefillField(
    /** Of the present limit. */
    window: Window,
) -> impl IntoView {
    let value = window.refill().filter(|refill| !refill.is_prepaid()).map(|refill| refill.units.to_string()).unwrap_or_default();
    view! {
        <TextField label="Credits back each time" name="refill" value inputmode="numeric" autocomplete="off" maxlength=20 placeholder="of credits that come back" help="They never fill beyond the limit. Prepaid credits come back only when you add some."/>
    }
    .into_any()
}
