//! One limit in a form: how many of what, what comes back of credits, and what becomes of calls beyond it.

use super::OverFields;
use crate::{
    accounts::Caller,
    keys::model::{KeyLimit, Window},
    ui::{SelectField, TextField},
};
use leptos::prelude::*;

/// The fields `limit`, `window`, `refill` and those of `OverFields`. The choice of the window says what is counted, calls or credits, so
/// that the labels stay right whatever is chosen; `forms::with_refill` reads the first three.
#[component]
pub fn LimitFields(
    /** The one that is set; none: nothing is typed yet. */
    limit: Option<KeyLimit>,
    /** What holds if the number is left empty. */
    #[prop(into)]
    empty: String,
) -> impl IntoView {
    let window = limit.as_ref().map_or(Window::HOUR, |l| l.window);
    let over = limit.as_ref().map(|l| l.over).unwrap_or_default();
    let value = limit.map(|l| l.limit.to_string()).unwrap_or_default();
    let refill = window.refill().filter(|refill| !refill.is_prepaid()).map(|refill| refill.units.to_string()).unwrap_or_default();
    let zone = use_context::<Caller>().map(|caller| caller.time_zone);
    view! {
        <div class="cols-2">
            <TextField label="How many" name="limit" value inputmode="numeric" autocomplete="off" maxlength=20 help=empty/>
            <SelectField label="Of what" name="window" options=Window::offered(window, zone.as_deref()) value=window.choice()/>
            <TextField label="Credits back each time" name="refill" value=refill inputmode="numeric" autocomplete="off" maxlength=20 placeholder="of credits that come back" help="They never fill beyond the limit. Prepaid credits come back only when you add some."/>
        </div>
        <OverFields over/>
    }
    .into_any()
}
