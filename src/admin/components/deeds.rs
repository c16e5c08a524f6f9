//! What was done, newest first.

use crate::{
    admin::model::{Deed, Mark},
    ui::{Dot, Gate, Icon, Timeline, TimelineItem},
};
use leptos::prelude::*;

#[component]
pub fn Deeds(deeds: Vec<Deed>) -> impl IntoView {
    let items = deeds
        .into_iter()
        .map(|deed| {
            let reason = if deed.reason.is_empty() { String::new() } else { format!(", “{}”", deed.reason) };
            let words = format!("{} {}{reason}", deed.actor, deed.words);
            view! { <TimelineItem dot=dot(deed.mark) when=deed.at.words iso=deed.at.at>{words}</TimelineItem> }
        })
        .collect_view();
    view! { <Timeline>{items}</Timeline> }.into_any()
}

const fn dot(mark: Mark) -> Dot {
    match mark {
        Mark::Opened => Dot::Gate(Gate::Passed),
        Mark::Closed => Dot::Gate(Gate::Idle),
        Mark::Ended => Dot::Gate(Gate::Refused),
        Mark::Person => Dot::Icon(Icon::Person),
        Mark::Key => Dot::Icon(Icon::Key),
        Mark::Api => Dot::Icon(Icon::Server),
        Mark::Plan => Dot::Icon(Icon::Gauge),
        Mark::Job => Dot::Icon(Icon::Rotate),
        Mark::Other => Dot::Icon(Icon::Activity),
    }
}
