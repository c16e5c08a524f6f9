//! A time of one's own behind one button beside the ranges, the same on Usage, Errors, Requests and Refusals: what dragging on a chart does
//! with a pointer.

use crate::{
    error::AppError,
    ui::{Button, ErrorPage, LinkButton, Look, PageHeader, Size, TextField, asked_fields, button_class, status},
    usage::model::UsageQuery,
};
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

/// In place of a page whose time is wrong: the form of the time with what was typed, and what is wrong with it beside its field; the other
/// filters are kept. Another error has a page of its own. `next` leads on without any of it.
pub fn wrong_time(error: AppError, (title, path): (&'static str, &'static str), asked: &[(&'static str, &str)], next: &'static str) -> AnyView {
    if !["from", "to", "compare"].into_iter().any(|name| error.field(name).is_some()) {
        return view! { <ErrorPage error next=(next.to_owned(), path.to_owned())/> }.into_any();
    }
    status::set_for(&error);
    let has = |name: &str| asked.iter().any(|(known, _)| *known == name);
    let has_time = has("from") || has("to");
    let has_day = asked.iter().any(|(name, value)| is_day(name, value));
    let is_asked = |name: &str, value: &str| (has_time && matches!(name, "from" | "to" | "range")) || is_day(name, value);
    let kept = asked.iter().filter(|(name, value)| !is_asked(name, value)).map(|(name, value)| (*name, (*value).to_owned())).collect();
    let values = asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let fields = move || {
        let time =
            has_time.then(|| view! { <TextField label="From" name="from" kind="datetime-local"/><TextField label="Until" name="to" kind="datetime-local"/> });
        let day = has_day.then(|| view! { <TextField label="Compare with the time from" name="compare" kind="date"/> });
        view! { {time}{day} }.into_any()
    };
    view! {
        <PageHeader title/>
        <form class="stack form-medium" method="get" action=path aria-label="Custom time" novalidate=true>
            {hidden(kept)}
            {asked_fields(error, values, fields)}
            <div class="row">
                <Button>"Show"</Button>
                <LinkButton href=path look=Look::Quiet>{next}</LinkButton>
            </div>
        </form>
    }
    .into_any()
}

/// The beginning of another time that somebody typed: the words of the filter are no days.
fn is_day(name: &str, value: &str) -> bool {
    name == "compare" && value != UsageQuery::BEFORE && value != UsageQuery::YEAR
}

/// Filters that a form keeps.
pub(super) fn hidden(kept: Vec<(&'static str, String)>) -> AnyView {
    kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view().into_any()
}
