//! What stands behind a mailed link that does nothing any more.

use super::WayOn;
use leptos::prelude::*;

/// Why, for links of an hour that a newer one replaces.
pub const ONCE_FOR_AN_HOUR: &str = "It was already used, it expired, or we sent a newer one. Links work once, for 60 minutes.";

/// Says why, and where to go on: the words of the button, and where it leads.
#[component]
pub fn DeadLink(why: &'static str, next: (&'static str, &'static str)) -> impl IntoView {
    view! { <WayOn title="This link does not work" why next/> }
}
