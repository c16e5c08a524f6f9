//! The fields of every ban: why, and for how long.

use crate::{
    admin::model::LASTS,
    ui::{SelectField, TextArea, TextField},
};
use leptos::prelude::*;

#[component]
pub fn BanFields() -> impl IntoView {
    let lasts = LASTS.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    view! {
        <TextArea label="Reason" name="reason" help="The person sees it when they try to sign in." maxlength=300 rows=2 required=true/>
        <SelectField label="How long" name="lasts" options=lasts value="7d"/>
        <div class="when-date"><TextField label="Last day" name="until" kind="date" help="Only for “Until a day”."/></div>
    }
    .into_any()
}
