//! Below a chart without a limit's line: which view has one.

use super::USAGE;
use crate::usage::model::UsageReport;
use leptos::prelude::*;

#[component]
pub fn LimitAside(report: UsageReport) -> impl IntoView {
    let Some(hint) = report.limit_hint else { return ().into_any() };
    let limit = hint.limit;
    match (hint.view, hint.key) {
        (Some((size, query)), Some(name)) => {
            let words = format!("Calls of {name} by {}", size.name());
            view! { <p class="help" id="limit-line">"Each key has its own limit as a line across its calls. "<a href=query.link(USAGE)>{words}</a>{format!(": {limit}.")}</p> }.into_any()
        }
        (Some((size, query)), None) => {
            view! { <p class="help" id="limit-line">{format!("The limit of {limit} is a line across ")}<a href=query.link(USAGE)>{format!("calls by {}", size.name())}</a>"."</p> }.into_any()
        }
        (None, _) => view! { <p class="help" id="limit-line">{format!("No bar is the window of {limit}: what is used of it stands below.")}</p> }.into_any(),
    }
}
