//! A time of one's own behind one button beside the ranges, the same on Usage, Errors, Requests and Refusals: what dragging on a chart does
//! with a pointer.

use crate::ui::{Button, Look, Size, TextField, button_class};
use leptos::prelude::*;

const ID: &str = "own-time";

/// What opens it; stands in the form of the filters.
pub(super) fn own_time_button(is_set: bool) -> AnyView {
    let words = if is_set { "Custom time" } else { "Custom…" };
    view! { <button class=button_class(Look::Secondary, Size::Medium, false, false) type="button" popovertarget=ID>{words}</button> }.into_any()
}

/// What opens: a form of its own, so it stands beside that of the filters. `kept` are the other filters; `more` is another form.
#[component]
pub fn OwnTime(path: &'static str, kept: Vec<(&'static str, String)>, local: (String, String), more: Option<AnyView>) -> impl IntoView {
    let (from, to) = local;
    view! {
        <div class="pop" id=ID popover="auto" role="group" aria-label="Custom time">
            <form class="stack-sm" method="get" action=path aria-label="Custom time">
                {hidden(kept)}
                <TextField label="From" name="from" kind="datetime-local" value=from/>
                <TextField label="Until" name="to" kind="datetime-local" value=to/>
                <div><Button>"Show"</Button></div>
            </form>
            {more}
        </div>
    }
    .into_any()
}

/// Filters that a form keeps.
pub(super) fn hidden(kept: Vec<(&'static str, String)>) -> AnyView {
    kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view().into_any()
}
