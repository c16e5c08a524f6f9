//! What becomes of calls beyond a limit: the three fields of a form.

use crate::{
    keys::model::{Over, OverAction},
    ui::{SelectField, TextField},
};
use leptos::prelude::*;

/// The names of the fields, each with what it begins with.
pub const OVER_BEGINS: [(&str, &str); 3] = [("over", "refuse"), ("over_per_second", ""), ("over_until", "")];

/// The fields `over`, `over_per_second` and `over_until`: the number and the end wait for a choice that has one.
#[component]
pub fn OverFields(over: Over) -> impl IntoView {
    let per_second = over.action.per_second().map(|n| n.to_string()).unwrap_or_default();
    view! {
        <div class="limit-line">
            <SelectField label="Beyond it" name="over" options=OverAction::offered() value=over.action.as_str()/>
            <div class="when-throttle"><TextField label="Slowed to, calls a second" name="over_per_second" value=per_second inputmode="numeric" autocomplete="off" maxlength=9/></div>
            <div class="when-beyond"><TextField label="Until" name="over_until" value=over.end_text() autocomplete="off" maxlength=35 placeholder="for good" help="A day such as 2027-01-31. From its start in UTC, calls beyond the limit are refused."/></div>
        </div>
    }
    .into_any()
}
