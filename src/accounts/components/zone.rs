//! In which time zone somebody is, on forms that sign in or up: the browser tells it.

use crate::ui::SelectField;
use leptos::prelude::*;

/// The script fills it in and sends it; without JavaScript one of `zones` is chosen, if there are any, or nothing is sent.
#[component]
pub fn ZoneField(#[prop(optional)] zones: Vec<String>) -> impl IntoView {
    let choice = (!zones.is_empty()).then(|| {
        let unsaid = (String::new(), "Choose later".to_owned());
        let options: Vec<_> = std::iter::once(unsaid).chain(zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " ")))).collect();
        view! { <noscript><SelectField label="Time zone" name="time_zone" options help="Used for charts and times. UTC until you choose one."/></noscript> }
    });
    view! {
        <input type="hidden" name="time_zone" data-time-zone disabled=true/>
        {choice}
    }
    .into_any()
}
